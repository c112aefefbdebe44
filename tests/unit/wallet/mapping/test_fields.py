"""Fields of messages and the paths to them."""

from typing import Any

import pytest
from tests.support.mappings import field, old, place_of, sink

from walletbridge.wallet.mapping.fields import (
    ABSENT,
    enum_of,
    find_field,
    find_path,
    integers,
    is_map,
    is_string,
    message_of,
    type_name,
)
from walletbridge.wallet.mapping.yaml_places import Wrong
from walletbridge.wallet.proto.schema import message_class


def message(**fields: Any) -> Any:
    return message_class(sink())(**fields)


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("text", "string"),
        ("data", "bytes"),
        ("zigzag", "sint32"),
        ("kind", "sink.Kind"),
        ("at", "google.protobuf.Timestamp"),
        ("numbers", "repeated int32"),
        ("labels", "map<string, string>"),
        ("by_number", "map<int32, sink.Inner>"),
    ],
)
def test_a_type_is_named_as_the_proto_writes_it(name: str, written: str) -> None:
    assert type_name(field(name)) == written


def test_what_a_field_is() -> None:
    assert integers(field("unsigned_small")) == range(2**32)
    assert integers(field("kind")) is None
    assert (is_map(field("labels")), is_map(field("inners"))) == (True, False)
    assert (is_string(field("text")), is_string(field("data"))) == (True, False)
    assert message_of(field("inner")).full_name == "sink.Inner"
    assert enum_of(field("kind")).full_name == "sink.Kind"


@pytest.mark.parametrize(
    ("path", "fields", "value"),
    [
        ("text", {"text": "x"}, "x"),
        ("text", {}, ""),
        ("inner.units", {"inner": {"units": 5}}, 5),
        ("inner.units", {"inner": {}}, 0),
        ("inner.units", {}, ABSENT),
        ("inner.deeper.text", {"inner": {"deeper": {"text": "x"}}}, "x"),
        ("inner.deeper.text", {"inner": {}}, ABSENT),
        ("maybe", {"maybe": ""}, ""),
        ("maybe", {}, ABSENT),
        ("refused", {"refused": "x"}, "x"),
        ("refused", {"done": {}}, ABSENT),
        ("labels.a", {"labels": {"a": "x"}}, "x"),
        ("labels.b", {"labels": {"a": "x"}}, ABSENT),
        ("by_number.7.units", {"by_number": {7: {"units": 3}}}, 3),
        ("by_number.8.units", {"by_number": {7: {"units": 3}}}, ABSENT),
    ],
)
def test_a_path_reads_what_is_set_and_never_a_default_for_what_is_not(
    path: str, fields: dict[str, Any], value: object
) -> None:
    assert find_path(sink(), path, place_of("x")).get(message(**fields)) == value


def test_a_proto2_default_is_no_value() -> None:
    reply: Any = message_class(old("Reply"))()

    assert reply.success is True
    assert find_path(old("Reply"), "success", place_of("x")).get(reply) is ABSENT


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("txt", "sink.Sink: the field txt is not known; did you mean text?"),
        ("inner.unit", "sink.Inner: the field unit is not known; did you mean units?"),
        ("text.x", "text.x: text is a string, which has no fields"),
        ("texts", "texts: texts is a repeated string, which has no one value"),
        ("inners.text", "inners.text: inners is a repeated sink.Inner, which has no one value"),
        ("labels", "labels: labels is a map<string, string>; expected a key after it"),
        ("by_number.x.units", "expected a number after it"),
        ("", "the field"),
    ],
)
def test_a_path_that_leads_nowhere_is_refused(path: str, problem: str) -> None:
    with pytest.raises(Wrong) as caught:
        find_path(sink(), path, place_of("x"))
    assert problem in str(caught.value)


def test_a_field_is_found_by_its_name() -> None:
    assert find_field(sink(), "kind", place_of("x")).number == 10

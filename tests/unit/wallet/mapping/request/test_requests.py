"""Requests, built as the mapping says."""

from typing import Any

import pytest
from google.protobuf import json_format
from tests.support.mappings import callback, context_for, field, old, place_of, sink

from walletbridge.wallet.mapping.request.requests import compile_request, find_money_field
from walletbridge.wallet.mapping.yaml_places import Wrong

BET = callback("bet", amount="10.50")


def built(text: str, sample: Any = BET) -> dict[str, Any]:
    place = place_of(text)
    build = compile_request(place, sink(), context_for())
    assert place.notes.mistakes == []
    return json_format.MessageToDict(build(sample, {}), preserving_proto_field_name=True)


def mistakes(text: str, message: Any = None) -> list[str]:
    place = place_of(text)
    with place.notes.noting():
        compile_request(place, message or sink(), context_for())
    return [str(mistake) for mistake in place.notes.mistakes]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{}", {}),
        ("{text: '{account}'}", {"text": "test1234"}),
        (
            "{text: '{account}', maybe: '{trans_id}', flag: true}",
            {"text": "test1234", "maybe": "1676358190", "flag": True},
        ),
        ("{inner: {text: x, deeper: {text: '{account}'}}}", {"inner": {"text": "x", "deeper": {"text": "test1234"}}}),
        ("{inner.text: x, inner.deeper.text: y}", {"inner": {"text": "x", "deeper": {"text": "y"}}}),
        ("{inner: {text: x}, inner.units: 5}", {"inner": {"text": "x", "units": "5"}}),
        ("{inner: {}}", {"inner": {}}),
        ("{done: {cents: '{amount:minor}'}}", {"done": {"cents": "1050"}}),
        ("{done: {}}", {"done": {}}),
        ("{money: '{amount:money}'}", {"money": {"units": "10", "nanos": 500000000}}),
        (
            "{money: '{amount:money}', money.currency_code: EUR}",
            {"money": {"units": "10", "nanos": 500000000, "currency_code": "EUR"}},
        ),
        ("{inner: '{amount:money}'}", {"inner": {"units": "10", "nanos": 500000000}}),
        (
            "{inner: {units: '{amount:units}', nanos: '{amount:nanos}'}}",
            {"inner": {"units": "10", "nanos": 500000000}},
        ),
        ("{real: '{amount:double}'}", {"real": 10.5}),
        ("{texts: [a, '{account}', 'x{trans_id}']}", {"texts": ["a", "test1234", "x1676358190"]}),
        ("{texts: '{checks}', numbers: '{checks}'}", {"texts": ["21", "22", "41", "31"], "numbers": [21, 22, 41, 31]}),
        ("{kinds: [KIND_BET, KIND_WIN]}", {"kinds": ["KIND_BET", "KIND_WIN"]}),
        ("{inners: [{text: a}, {text: '{account}'}]}", {"inners": [{"text": "a"}, {"text": "test1234"}]}),
        ("{labels: {a: x, b: '{account}'}}", {"labels": {"a": "x", "b": "test1234"}}),
        ("{by_number: {7: {text: '{account}'}, 8: {}}}", {"by_number": {"7": {"text": "test1234"}, "8": {}}}),
        ("{amounts: {EUR: '{amount:double}'}}", {"amounts": {"EUR": 10.5}}),
        ("{at: '{requested_at}'}", {"at": "2020-09-13T12:26:41Z"}),
    ],
)
def test_a_request_is_what_the_mapping_says(text: str, expected: dict[str, Any]) -> None:
    assert built(text) == expected


def test_a_request_is_made_anew_for_each_callback() -> None:
    place = place_of("{text: '{account}', inner: {text: same}, labels: {a: '{trans_id}'}}")
    build = compile_request(place, sink(), context_for())
    one: Any = build(callback("bet", account="anna"), {})
    one.inner.text = "spoilt"

    assert built("{text: '{account}', inner: {text: same}}") == {"text": "test1234", "inner": {"text": "same"}}
    other: Any = build(callback("bet", account="berta", trans_id=5), {})
    assert (other.text, other.inner.text, dict(other.labels)) == ("berta", "same", {"a": "5"})


def test_what_is_unset_is_left_out_of_a_list() -> None:
    unset = callback("bet", round_id=None)

    assert built("{texts: ['{round_id}', a]}", unset) == {"texts": ["a"]}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{txt: x}", "1: here.txt: sink.Sink: the field txt is not known; did you mean text?"),
        ("{inner: {txt: x}}", "1: here.inner.txt: sink.Inner: the field txt is not known; did you mean text?"),
        ("{inner: x}", "expected keys and values, as inner is a sink.Inner"),
        ("{text: {a: b}}", "expected a plain value, got keys and values"),
        ("{text: {account}}", 'a slot is written in quotes: "{account}"'),
        ("{text: {amount:decimal}}", 'a slot is written in quotes: "{amount:decimal}"'),
        ("{inner: {account}}", 'a slot is written in quotes: "{account}"'),
        ("{text.x: y}", "text is a string, which has no fields"),
        ("{inner: '{account}', inner.text: y}", "inner is a sink.Inner, which has no fields"),
        ("{inner.text: x, inner: {text: y}}", "text stands twice"),
        ("{texts: x}", "texts is a repeated string; expected a list"),
        ("{texts: {a: b}}", "texts is a repeated string; expected a list"),
        ("{texts.a: b}", "texts is a repeated string, which has no fields"),
        ("{texts: [{a: b}]}", "expected a plain value"),
        ("{inners: [x]}", "expected keys and values"),
        ("{labels: x}", "expected keys and values"),
        ("{by_number: {x: {}}}", "expected a key of the type int32"),
        ("{done: {}, refused: x}", "refused and done are both of the oneof result; expected one"),
        ("{text: '{amount:money}'}", "text is a string; money expects a message with units and nanos"),
        ("{at: '{amount:money}'}", "google.protobuf.Timestamp has no integer field units, which money expects"),
        ("{kind: KIND}", "sink.Kind: the value KIND is not known"),
        ("[a]", "expected keys and values, got a list"),
        ("{text: ~}", "expected a plain value, got nothing"),
    ],
)
def test_a_mistake_is_told_with_its_place(text: str, problem: str) -> None:
    [mistake] = mistakes(text)

    assert problem in mistake


def test_all_mistakes_are_told_at_once() -> None:
    assert [mistake.partition(":")[0] for mistake in mistakes("txt: a\nlarge: b\ninner:\n  unit: 5\n")] == [
        "1",
        "2",
        "4",
    ]


def test_a_required_field_must_be_named() -> None:
    assert mistakes("{round: x}", old("Request")) == [
        "1: here: old.Request requires the field key",
        "1: here: old.Request requires the field sent",
    ]


def test_the_parts_of_money() -> None:
    assert find_money_field(field("money"), "units", place_of("x")).name == "units"
    with pytest.raises(Wrong):
        find_money_field(field("money"), "currency_code", place_of("x"))

"""What a rule can read of a reply."""

from typing import Any

import grpc
import pytest
from google.protobuf.any_pb2 import Any as AnyMessage
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status
from tests.support.mappings import old, place_of, sink

from walletbridge.wallet.mapping.fields import ABSENT
from walletbridge.wallet.mapping.reply.readers import MADE_UP, STATUSES, Reader
from walletbridge.wallet.mapping.reply.tables import SOURCES
from walletbridge.wallet.mapping.yaml_places import Wrong
from walletbridge.wallet.proto.schema import message_class
from walletbridge.wallet.reply import DETAILS, Reply


def reader(text: str, message: Any = None) -> Reader:
    keys = place_of(text).entries()
    [source] = keys.keys() - {"domain"}
    return SOURCES[source](keys, message or sink())


def read(text: str, /, **fields: Any) -> object:
    return reader(text).read(Reply(message_class(sink())(**fields)))


@pytest.mark.parametrize(
    ("text", "fields", "value"),
    [
        ("field: text", {"text": "NO"}, "NO"),
        ("field: text", {}, ""),
        ("field: kind", {"kind": 2}, 2),
        ("field: kind", {"kind": 77}, 77),
        ("field: flag", {"flag": True}, True),
        ("field: flag", {}, False),
        ("field: small", {"small": -5}, -5),
        ("field: inner.kind", {"inner": {"kind": 1}}, 1),
        ("field: inner.kind", {}, ABSENT),
        ("field: maybe", {}, ABSENT),
        ("field: maybe", {"maybe": ""}, ""),
        ("field: labels.code", {"labels": {"code": "x"}}, "x"),
        ("present: inner", {"inner": {}}, True),
        ("present: inner", {}, False),
        ("present: inner.deeper", {}, False),
        ("present: inner.deeper", {"inner": {"deeper": {}}}, True),
        ("present: maybe", {"maybe": ""}, True),
        ("present: texts", {"texts": ["a"]}, True),
        ("present: texts", {}, False),
        ("present: refused", {"refused": ""}, True),
        ("oneof: result", {"done": {}}, "done"),
        ("oneof: result", {"refused": ""}, "refused"),
        ("oneof: result", {}, "none"),
    ],
)
def test_a_reply_is_read(text: str, fields: dict[str, Any], value: object) -> None:
    assert read(text, **fields) == value


def test_a_closed_enum_that_is_unset_cannot_be_told_from_a_number_that_it_lacks() -> None:
    code = reader("field: code", old("Reply"))
    nested = reader("field: inner.code", old("Reply"))
    reply = message_class(old("Reply"))
    a_later_one: Any = reply.FromString(b"\x08\x63")

    assert a_later_one.code == 0
    assert (code.read(Reply(a_later_one)), code.is_closed) == (None, True)
    assert code.read(Reply(reply(code=0))) == 0
    assert nested.read(Reply(reply())) is ABSENT
    assert nested.read(Reply(reply(inner={}))) is None


def test_what_came_with_another_status_is_read() -> None:
    details = Status()
    for info in (ErrorInfo(reason="OTHER", domain="other"), ErrorInfo(reason="NO_FUNDS", domain="bank")):
        packed = AnyMessage()
        packed.Pack(info)
        details.details.append(packed)
    reply = Reply(None, "NOT_FOUND", {"x-code": "31", DETAILS: details.SerializeToString()})

    assert reader("grpc: status").read(reply) == "NOT_FOUND"
    assert reader("grpc: reason").read(reply) == "OTHER"
    assert reader("{grpc: reason, domain: bank}").read(reply) == "NO_FUNDS"
    assert reader("{grpc: reason, domain: none}").read(reply) is ABSENT
    assert reader("trailer: x-code").read(reply) == "31"
    assert reader("trailer: x-other").read(reply) is ABSENT


@pytest.mark.parametrize(
    ("text", "ok", "failures"),
    [
        ("field: text", True, False),
        ("present: inner", True, False),
        ("oneof: result", True, False),
        ("grpc: status", False, True),
        ("grpc: reason", False, True),
        ("trailer: x", True, True),
    ],
)
def test_each_is_read_where_it_can_be(text: str, *, ok: bool, failures: bool) -> None:
    assert (reader(text).reads_ok, reader(text).reads_failures) == (ok, failures)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("field: txt", "the field txt is not known; did you mean text?"),
        ("field: real", "real is a double; expected an enum, a bool, a string or an integer"),
        ("field: inner", "inner is a sink.Inner; expected an enum"),
        ("field: texts", "which has no one value"),
        ("present: text", "text is a string without presence"),
        ("present: text.x", "text is a string, which has no fields"),
        ("present: nothing", "the field nothing is not known"),
        ("oneof: reslt", "the oneof reslt is not known; did you mean result?"),
        ("oneof: inner.result", "the oneof result is not known"),
        ("grpc: code", "code is not known; expected one of status, reason"),
        ("trailer: X-Code", "expected a name in lower case"),
        ("trailer: x-bin", "expected a name in lower case that does not end with -bin"),
    ],
)
def test_what_cannot_be_read_is_refused(text: str, problem: str) -> None:
    with pytest.raises(Wrong) as caught:
        reader(text)
    assert problem in str(caught.value)


@pytest.mark.parametrize(
    ("text", "key", "value"),
    [
        ("field: kind", "KIND_WIN", 2),
        ("field: flag", "true", True),
        ("field: small", "-5", -5),
        ("field: text", "anything", "anything"),
        ("oneof: result", "none", "none"),
        ("grpc: status", "NOT_FOUND", "NOT_FOUND"),
    ],
)
def test_keys_are_what_is_read(text: str, key: str, value: object) -> None:
    assert reader(text).key_of(key, place_of("x")) == value


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("field: kind", "WIN"),
        ("field: flag", "yes"),
        ("field: small", "x"),
        ("field: small", "2147483648"),
        ("field: small", "٣"),
        ("present: inner", "1"),
        ("oneof: result", "doen"),
        ("grpc: status", "OK"),
        ("grpc: status", "NOTFOUND"),
    ],
)
def test_a_key_that_is_never_read_is_refused(text: str, key: str) -> None:
    with pytest.raises(Wrong):
        reader(text).key_of(key, place_of("x"))


def test_the_codes_are_those_of_grpc() -> None:
    assert set(STATUSES) == {status.name for status in grpc.StatusCode} - {"OK"}
    assert set(STATUSES) > MADE_UP

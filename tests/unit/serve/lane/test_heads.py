"""What a head says, and the heads that say two things at once. The corpus of the latter is in `smuggling`."""

import pytest
from tests.unit.serve.lane.smuggling import CASES

from walletbridge.serve.lane.heads import Head, Message, read_head
from walletbridge.serve.lane.refusals import Refused

LINE = b"POST /callback HTTP/1.1\r\nHost: gateway\r\n"


def head(fields: bytes = b"", *, line: bytes = LINE) -> Head:
    return read_head(line + fields + b"\r\n", 20)


def test_a_plain_head() -> None:
    assert head() == Head("POST", (), (), 0, keep_alive=True, says_keep_alive=False, expects_continue=False)


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "CONNECT", "PRI", "M-SEARCH", "ANY!"])
def test_any_method_is_read(method: str) -> None:
    """What comes of it, the gateway says."""
    assert method == head(line=LINE.replace(b"POST", method.encode())).method


@pytest.mark.parametrize(
    ("fields", "length"), [(b"Content-Length: 0012\r\n", 12), (b"transfer-ENCODING:\t ChunkeD \r\n", None)]
)
def test_the_length_of_a_body(fields: bytes, length: int | None) -> None:
    assert length == head(fields).length


def test_who_is_said_to_stand_behind_is_told() -> None:
    told = head(b"X-Forwarded-For: 192.0.2.1, 10.0.0.1\r\nx-forwarded-for: 10.0.0.2\r\n")

    assert told.forwarded == (b"192.0.2.1, 10.0.0.1", b"10.0.0.2")


def test_all_tokens_are_told() -> None:
    assert head(b"callback-token: a\r\nCALLBACK-TOKEN:  b \r\nX: c\r\n").tokens == (b"a", b"b")


@pytest.mark.parametrize(
    ("version", "fields", "keeps", "says"),
    [
        (b"1.1", b"", True, False),
        (b"1.1", b"Connection: keep-alive\r\n", True, False),
        (b"1.1", b"Connection: x , CLOSE\r\n", False, False),
        (b"1.1", b"Connection: x\r\nConnection: close\r\n", False, False),
        (b"1.0", b"", False, False),
        (b"1.0", b"Connection: Keep-Alive\r\n", True, True),
        (b"1.0", b"Connection: keep-alive, close\r\n", False, False),
    ],
)
def test_whether_a_connection_is_kept(version: bytes, fields: bytes, *, keeps: bool, says: bool) -> None:
    found = head(fields, line=LINE.replace(b"1.1", version))

    assert (keeps, says) == (found.keep_alive, found.says_keep_alive)


@pytest.mark.parametrize(("version", "expects"), [(b"1.1", True), (b"1.0", False)])
def test_a_client_may_ask_to_continue(version: bytes, *, expects: bool) -> None:
    assert expects == head(b"Expect: 100-Continue\r\n", line=LINE.replace(b"1.1", version)).expects_continue


def test_an_upgrade_is_passed_over() -> None:
    """As RFC 9110 section 7.8 allows; curl asks for one by itself."""
    fields = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\nContent-Length: 3\r\n"

    assert head(fields).length == 3


def test_what_was_read_before_is_not_read_again() -> None:
    assert head(b"X: 1\r\n") is head(b"X: 1\r\n")
    assert head(b"X: " + b"1" * 3000 + b"\r\n") is not head(b"X: " + b"1" * 3000 + b"\r\n")


def test_httptools_lets_through_what_is_refused_here() -> None:
    """Otherwise the own checks would be idle."""
    passed = []
    for name, case in CASES.items():
        if not case.data.startswith(LINE):
            continue
        try:
            Message(case.data)
        except Refused:
            continue
        passed.append(name)

    assert {"codings: a coding before chunked", "values: two hosts"} <= set(passed)

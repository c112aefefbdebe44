"""What goes on to mitmproxy of a request for another path, where it ends, and what never goes on."""

import pytest
from tests.unit.serve.lane.smuggling import CASES

from walletbridge.serve.lane.parser import Bounds
from walletbridge.serve.lane.refusals import Refused
from walletbridge.serve.lane.relay import Relay

BOUNDS = Bounds(header_bytes=1024, header_count=20, body_bytes=1000)
HEAD = b"POST /legacy HTTP/1.1\r\nHost: gateway\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


def relay(*pieces: bytes, drops_body: bool = False) -> tuple[bytes, Relay]:
    made = Relay(BOUNDS, drops_body=drops_body)
    return b"".join(made.receive(piece) for piece in pieces), made


@pytest.mark.parametrize(
    ("sent", "passed"),
    [
        (HEAD + b"\r\n", HEAD + b"\r\n"),
        (HEAD + b"Content-Length: 3\r\n\r\nabc", HEAD + b"Content-Length: 3\r\n\r\nabc"),
        (CHUNKED + b"3;x=y\r\nabc\r\n0\r\n\r\n", CHUNKED + b"3\r\nabc\r\n0\r\n\r\n"),
        (CHUNKED + b"003\r\nabc\r\n0\r\nX: y\r\n\r\n", CHUNKED + b"3\r\nabc\r\n0\r\n\r\n"),
        (
            HEAD.replace(b"/legacy", b"http://Gateway/legacy?x") + b"\r\n",
            HEAD.replace(b"/legacy", b"/legacy?x") + b"\r\n",
        ),
        (HEAD.replace(b"/legacy", b"https://gateway") + b"\r\n", HEAD.replace(b"/legacy", b"/") + b"\r\n"),
        (HEAD.replace(b"POST /legacy", b"OPTIONS *") + b"\r\n", HEAD.replace(b"POST /legacy", b"OPTIONS *") + b"\r\n"),
    ],
)
def test_a_request_goes_on_as_everybody_reads_it(sent: bytes, passed: bytes) -> None:
    found, made = relay(sent + b"GET /next")

    assert found == passed
    assert made.is_done
    assert made.rest() == b"GET /next"


def test_a_request_may_come_byte_by_byte() -> None:
    found, made = relay(*(bytes([byte]) for byte in CHUNKED + b"a\r\n0123456789\r\n0\r\nX: y\r\n\r\nG"))

    assert found == CHUNKED + b"".join(b"1\r\n%d\r\n" % digit for digit in range(10)) + b"0\r\n\r\n"
    assert made.is_done
    assert made.rest() == b"G"


def test_chunks_that_come_together_go_on_as_one() -> None:
    """To mitmproxy each is work of its own, so many of a byte each would keep a worker from everything else."""
    found, made = relay(CHUNKED + b"1\r\nx\r\n" * 10_000 + b"1\r\ny\r\n0\r\n\r\nG")

    assert found == CHUNKED + b"%x\r\n" % 10_001 + b"x" * 10_000 + b"y\r\n0\r\n\r\n"
    assert made.rest() == b"G"


def test_a_body_that_nobody_wants_ends_here() -> None:
    for framed in (b"Content-Length: 3\r\n\r\nabc", b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"):
        found, made = relay(HEAD + b"Expect: 100-continue\r\nX: y\r\n" + framed, drops_body=True)
        assert found == HEAD + b"X: y\r\n\r\n"
        assert made.is_done


def test_nothing_of_a_body_is_kept() -> None:
    _, made = relay(CHUNKED)
    for _ in range(100):
        assert made.receive(b"ffff\r\n" + b"x" * 65535 + b"\r\n")
        assert not made.rest()


@pytest.mark.parametrize("name", CASES)
def test_no_request_that_may_be_read_differently_goes_on(name: str) -> None:
    case = CASES[name]
    with pytest.raises(Refused) as refused:
        relay(case.data.replace(b"/callback", b"/legacy", 1) + b"\r\n" * 3)

    assert refused.value.http_status == case.status


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (HEAD.replace(b"/legacy", b"http://other/legacy") + b"\r\n", 400),
        (HEAD.replace(b"/legacy", b"http://user@gateway/legacy") + b"\r\n", 400),
        (HEAD.replace(b"/legacy", b"ftp://gateway/legacy") + b"\r\n", 400),
        (HEAD.replace(b"/legacy", b"gateway:443") + b"\r\n", 400),
        (HEAD.replace(b"/legacy", b"*") + b"\r\n", 400),
        (HEAD.replace(b"/legacy", b"/legacy#x") + b"\r\n", 400),
        (HEAD.replace(b"POST /legacy", b"CONNECT /legacy") + b"\r\n", 405),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
        (HEAD + b"X: " + b"x" * 1024, 431),
        (b"G" * 1025, 431),
        (CHUNKED + b"0\r\nX: " + b"x" * 1024, 431),
        (CHUNKED + b"1;" + b"x" * 300, 400),
    ],
)
def test_what_else_does_not_go_on(data: bytes, status: int) -> None:
    with pytest.raises(Refused) as refused:
        relay(data)

    assert refused.value.http_status == status

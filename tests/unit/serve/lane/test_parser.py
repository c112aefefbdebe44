"""Bytes in, events out: the same events wherever the bytes are split, and nothing read that may be read differently."""

from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.serve.lane.smuggling import CASES, TOKEN

from walletbridge.serve.lane.heads import Head
from walletbridge.serve.lane.parser import ELSEWHERE, Body, Bounds, Event, Parser
from walletbridge.serve.lane.refusals import Refused

BOUNDS = Bounds(header_bytes=2000, header_count=10, body_bytes=100)
START = b"POST /callback HTTP/1.1\r\nHost: gateway\r\nCallback-Token: " + TOKEN + b"\r\n"
WITH_LENGTH = START + b"Content-Length: 12\r\n\r\nHello\r\n\r\nyou"
IN_CHUNKS = START + b"Transfer-Encoding: chunked\r\n\r\n5;x=y\r\nHello\r\n7\r\n\r\n\r\nyou\r\n0\r\nX-Trailer: 1\r\n\r\n"
BODY = b"Hello\r\n\r\nyou"
OTHER = b"GET /other HTTP/1.1\r\nWeird header\n\n"


def make_parser(bounds: Bounds = BOUNDS) -> Parser:
    return Parser(lambda target: target.partition("?")[0] == "/callback", bounds)


def read(parser: Parser, *pieces: bytes) -> Iterator[Event]:
    """The events of bytes that come piece by piece."""
    for now, piece in enumerate(pieces):
        parser.receive(piece, now)
        while (event := parser.next_event()) is not None:
            yield event
            if event is ELSEWHERE:
                return


def status_of(*pieces: bytes, good: int = 0) -> int:
    """With which the bytes are refused, after so many requests that are good and none that only seems to be."""
    events = read(make_parser(), *pieces)
    with pytest.raises(Refused) as refused:  # noqa: PT012 - what came before is counted
        for event in events:
            good -= isinstance(event, Body)
    assert good == 0
    return refused.value.http_status


def bodies(events: list[Event]) -> list[bytes | None]:
    return [event.content for event in events if isinstance(event, Body)]


def single(data: bytes) -> list[bytes]:
    return [data[at : at + 1] for at in range(len(data))]


# What is read


@pytest.mark.parametrize("request_bytes", [WITH_LENGTH, IN_CHUNKS])
def test_a_request_is_the_same_wherever_it_is_split(request_bytes: bytes) -> None:
    whole = list(read(make_parser(), request_bytes))

    assert [type(event) for event in whole] == [Head, Body]
    assert bodies(whole) == [BODY]
    for place in range(1, len(request_bytes)):
        assert whole == list(read(make_parser(), request_bytes[:place], request_bytes[place:])), place
    assert whole == list(read(make_parser(), *single(request_bytes)))


@given(cuts=st.lists(st.integers(0, 4 * len(WITH_LENGTH)), max_size=8))
def test_pipelined_requests_come_one_by_one(cuts: list[int]) -> None:
    data = WITH_LENGTH + IN_CHUNKS + START + b"\r\n" + WITH_LENGTH + OTHER
    places = [0, *sorted(cut for cut in cuts if cut < len(data)), len(data)]
    parser = make_parser()
    events = list(read(parser, *[data[a:b] for a, b in pairwise(places) if a < b]))

    assert bodies(events) == [BODY, BODY, b"", BODY]
    assert events[-1] is ELSEWHERE
    # The rest may still be on its way: what has come is there to the byte.
    assert OTHER.startswith(parser.rest()) or parser.rest().startswith(OTHER[:12])


def test_what_comes_behind_trailers_is_not_counted_among_them() -> None:
    many = BOUNDS.header_bytes // len(WITH_LENGTH) + 1

    assert bodies(list(read(make_parser(), IN_CHUNKS + many * WITH_LENGTH))) == [BODY] * (1 + many)


def test_a_head_says_what_matters() -> None:
    [head, _] = read(make_parser(), WITH_LENGTH)

    assert head == Head("POST", (TOKEN,), (), 12, keep_alive=True, says_keep_alive=False, expects_continue=False)


def test_a_request_comes_when_its_first_byte_does() -> None:
    """Also where it waits behind others."""
    parser = make_parser()
    parser.receive(WITH_LENGTH[:50], 1.0)
    assert parser.next_event() is None
    parser.receive(WITH_LENGTH[50:] + WITH_LENGTH[:1], 2.0)
    assert isinstance(parser.next_event(), Head)
    assert parser.received_at == 1.0
    parser.receive(WITH_LENGTH[1:], 3.0)
    assert isinstance(parser.next_event(), Body)
    assert isinstance(parser.next_event(), Head)
    assert parser.received_at == 2.0
    assert isinstance(parser.next_event(), Body)
    assert parser.is_between


def test_one_empty_line_between_requests_is_passed_over() -> None:
    assert bodies(list(read(make_parser(), b"\r\n" + WITH_LENGTH + b"\r\n", WITH_LENGTH))) == [BODY, BODY]


def test_a_body_may_be_read_over() -> None:
    parser = make_parser()
    parser.receive(WITH_LENGTH[:-5], 0)
    assert isinstance(parser.next_event(), Head)
    parser.skip_body()
    assert parser.next_event() is None
    assert parser.is_in_body
    parser.receive(WITH_LENGTH[-5:] + WITH_LENGTH, 1)
    assert [type(event) for event in (parser.next_event(), parser.next_event())] == [Head, Body]


# What is handed on


@pytest.mark.parametrize(
    "request_bytes",
    [
        OTHER,
        b"GET /callback/ HTTP/1.1\r\n",
        b"POST http://gateway/callback HTTP/1.1\r\n",
        b"OPTIONS * HTTP/1.1\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET /caf\xe9 HTTP/1.1\r\nX: " + b"x" * 5000 + b"\r\n",
    ],
)
def test_what_is_no_callback_is_handed_on_untouched(request_bytes: bytes) -> None:
    parser = make_parser()

    assert list(read(parser, request_bytes)) == [ELSEWHERE]
    assert request_bytes == parser.rest()


# What is refused


@pytest.mark.parametrize("name", CASES)
def test_what_may_be_read_differently_is_refused_however_it_is_split(name: str) -> None:
    case = CASES[name]
    end = b"\r\n" * 3

    assert case.status == status_of(case.data + end)
    assert case.status == status_of(*single(case.data + end))
    # Also behind a request that was well.
    assert case.status == status_of(WITH_LENGTH + case.data + end, good=1)


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (START + b"X-Long: " + b"x" * 2000, 431),
        (START + b"X-Long: " + b"x" * 2000 + b"\r\n\r\n", 431),
        (b"POST /" + b"x" * 2000, 431),
        (b"POST /" + b"x" * 2000 + b" HTTP/1.1\r\n", 431),
        (START + b"X: 1\r\n" * 9 + b"\r\n", 431),
        (START + b"Transfer-Encoding: chunked\r\n\r\n0\r\nX: " + b"x" * 2000, 431),
    ],
)
def test_heads_are_bounded(data: bytes, status: int) -> None:
    assert status == status_of(data)


def test_a_head_at_its_bounds_is_read() -> None:
    fields = START + b"X: 1\r\n" * 8
    padding = BOUNDS.header_bytes - len(fields) - len(b"Y\r\n\r\n")
    at_bounds = fields.replace(b"X: 1", b"X: 1" + b"1" * (padding + 1), 1) + b"\r\n"

    assert [type(event) for event in read(make_parser(), at_bounds)] == [Head, Body]


@pytest.mark.parametrize("size", [100, 101])
def test_a_body_in_chunks_is_bounded(size: int) -> None:
    """Beyond the limit nothing more is read."""
    parser = make_parser()
    parser.receive(START + b"Transfer-Encoding: chunked\r\n\r\n5\r\nHello\r\n", 0)
    parser.receive(b"%x\r\n%b\r\n0\r\n\r\n" % (size - 5, b"x" * (size - 5)), 1)

    assert isinstance(parser.next_event(), Head)
    assert Body(b"Hello" + b"x" * 95 if size == BOUNDS.body_bytes else None) == parser.next_event()


def test_a_body_may_come_in_a_crowd_of_chunks() -> None:
    parser = make_parser(BOUNDS._replace(body_bytes=10_000))
    parser.receive(START + b"Transfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 10_000 + b"0\r\n\r\n", 0)

    assert isinstance(parser.next_event(), Head)
    assert parser.next_event() == Body(b"x" * 10_000)

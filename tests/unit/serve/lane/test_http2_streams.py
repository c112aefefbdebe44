"""The heads of requests over HTTP/2: what is taken from them, and what is refused."""

import pytest

from walletbridge.serve.lane.deadlines import NEVER
from walletbridge.serve.lane.http2_streams import Callback, head_of, read_headers
from walletbridge.serve.lane.refusals import Refused

PSEUDO = [(b":method", b"POST"), (b":scheme", b"https"), (b":path", b"/callback"), (b":authority", b"gateway")]


def test_a_request_is_read() -> None:
    fields = [(b"callback-token", b"t"), (b"x", b"y")]

    assert read_headers([*PSEUDO, *fields], 2) == (b"POST", b"/callback", fields)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (PSEUDO[1:], 400),
        ([*PSEUDO, (b":more", b"x")], 400),
        ([*PSEUDO, (b"host", b"other")], 400),
        ([*PSEUDO, (b"x", b"a\rb")], 400),
        ([*PSEUDO[:2], (b":path", b"/a b"), PSEUDO[3]], 400),
        ([*PSEUDO[:3], (b":authority", b"user@gateway")], 400),
        ([*PSEUDO, (b"x", b"1"), (b"y", b"2"), (b"z", b"3")], 431),
    ],
)
def test_what_may_be_read_differently_or_is_too_much_is_refused(
    headers: list[tuple[bytes, bytes]], status: int
) -> None:
    with pytest.raises(Refused) as refused:
        read_headers(headers, 2)
    assert refused.value.http_status == status


def test_the_head_of_a_callback_says_what_decides() -> None:
    head = head_of(
        b"POST",
        [
            (b"callback-token", b"a"),
            (b"callback-token", b" b "),
            (b"x-forwarded-for", b"192.0.2.1"),
            (b"expect", b"100-Continue"),
        ],
    )
    assert head.tokens == (b"a", b"b")
    assert head.forwarded == (b"192.0.2.1",)
    assert (head.method, head.length, head.expects_continue) == ("POST", None, True)
    assert head_of(b"POST", [(b"content-length", b"12")]).length == 12


def test_a_callback_is_asked_for_once_its_body_is_not_waited_for() -> None:
    callback = Callback(head_of(b"POST", []), 0.0, 10.0)
    assert not callback.is_asked
    callback.until = NEVER
    assert callback.is_asked

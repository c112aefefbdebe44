"""Callbacks over HTTP/2, without sockets: what is kept of them, and what the gateway is asked."""

import pytest
from mitmproxy.proxy import commands
from tests.unit.serve.lane.layers import hooks_in
from tests.unit.serve.lane.test_http2 import RIGHT, Http2House, answered

from walletbridge.serve.lane.signals import WalletbridgeCallbackHook


def asked(found: list[commands.Command]) -> WalletbridgeCallbackHook:
    [hook] = hooks_in(found)
    assert isinstance(hook, WalletbridgeCallbackHook)
    return hook


def test_a_body_is_asked_for_once_it_is_whole() -> None:
    house = Http2House(body_bytes=10)
    assert not hooks_in(house.ask(RIGHT))
    house.peer.send_data(1, b"01234")
    assert not hooks_in(house.flush())
    house.peer.send_data(1, b"56789", end_stream=True)

    hook = asked(house.flush())
    assert hook.exchange.request.body == b"0123456789"
    assert not hook.exchange.is_early
    assert hook.exchange.request.has_token


def test_a_body_that_is_too_large_is_known_at_its_head_or_while_it_comes() -> None:
    house = Http2House(body_bytes=10)
    assert asked(house.ask(RIGHT, ("content-length", "11"))).exchange.request.body is None
    house.ask(RIGHT)
    house.peer.send_data(3, b"01234567890")
    hook = asked(house.flush())
    assert hook.exchange.request.body is None
    assert hook.exchange.is_early
    house.peer.send_data(3, b"more")
    assert not hooks_in(house.flush())


def test_trailers_end_a_body() -> None:
    house = Http2House()
    house.ask(RIGHT)
    house.peer.send_data(1, b"body")
    house.peer.send_headers(1, [("x-trailer", "y")], end_stream=True)
    assert asked(house.flush()).exchange.request.body == b"body"


def test_who_asks_to_continue_may() -> None:
    house = Http2House()
    house.ask(RIGHT, ("expect", "100-continue"))
    assert [type(event).__name__ for event in house.seen][-1] == "InformationalResponseReceived"


def test_requests_that_were_given_up_and_are_still_being_answered_are_bounded() -> None:
    house = Http2House()
    for number in range(250):
        house.ask(RIGHT, ends=True)
        if house.goodbye is not None:
            break
        house.peer.reset_stream(2 * number + 1)
        house.talk.lane.clock.tick(1)
        house.flush()
    assert number == 200


@pytest.mark.parametrize("method", ["HEAD", "POST"])
def test_an_answer_to_a_head_has_no_body(method: str) -> None:
    house = Http2House()
    house.peer.send_headers(
        1,
        [(":method", method), (":scheme", "https"), (":path", "/callback"), (":authority", "g"), RIGHT],
        end_stream=True,
    )
    answered(house, house.flush())
    bodies = [event for event in house.seen if type(event).__name__ == "DataReceived"]
    assert bool(bodies) is (method == "POST")

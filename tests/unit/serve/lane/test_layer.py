"""The lane among mitmproxy's layers: what it says as commands, and when it gives the connection away."""

from mitmproxy.proxy import commands, events
from tests.unit.serve.lane.fakes import request
from tests.unit.serve.lane.layers import OTHER, House, names, sent, started

from walletbridge.protocol.answers import UNKNOWN
from walletbridge.serve.lane.signals import WalletbridgeCallbackHook


def test_a_callback_is_one_hook() -> None:
    house = started()
    [hook] = house.receive(request())
    assert isinstance(hook, WalletbridgeCallbackHook)
    assert hook.name == "walletbridge_callback"

    hook.exchange.answer = UNKNOWN
    assert sent(house.tell(events.HookCompleted(hook, None))).endswith(UNKNOWN.body)


def test_an_answer_to_a_connection_that_is_closing_is_not_delivered() -> None:
    house = started()
    [hook] = house.receive(request())
    assert isinstance(hook, WalletbridgeCallbackHook)
    hook.exchange.answer = UNKNOWN
    house.talk.wire.is_closing = True
    house.tell(events.HookCompleted(hook, None))

    assert house.talk.lane.deliveries == [False]


def test_nobody_above_holds_back_what_comes_while_a_hook_is_at_work() -> None:
    house = started()
    [hook] = house.receive(request())

    assert hook.blocking is house.layer
    # Its answer is still owed: it may have closed no more than its sending side.
    assert house.tell(events.ConnectionClosed(house.client)) == []
    assert isinstance(hook, WalletbridgeCallbackHook)
    hook.exchange.answer = UNKNOWN
    answer, close = house.tell(events.HookCompleted(hook))
    assert sent([answer]).startswith(b"HTTP/1.1 500 ")
    assert isinstance(close, commands.CloseTcpConnection)


def test_a_refusal_is_sent_and_closes_our_half() -> None:
    [answer, close] = started().receive(b"noise\n")

    assert sent([answer]).startswith(b"HTTP/1.1 400 ")
    assert isinstance(close, commands.CloseTcpConnection)
    assert close.half_close


def test_what_is_no_callback_goes_to_mitmproxy() -> None:
    house = started()
    found = house.receive(OTHER + b"\r\n")

    assert house.is_handed_over
    assert house.layer not in house.context.layers
    assert names(found) == ["requestheaders"]


def test_from_its_start_on_there_is_somebody_to_be_told_that_time_is_up() -> None:
    house = House()
    assert not house.talk.place.is_read
    house.tell(events.Start())

    assert house.talk.place.is_read

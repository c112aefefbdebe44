"""The lane among mitmproxy's layers: what it says as commands, and when it gives the connection away."""

from typing import Any

import pytest
from mitmproxy.addons.proxyserver import Proxyserver
from mitmproxy.proxy import commands, context, events
from mitmproxy.proxy.layers.http import HttpLayer
from mitmproxy.test import taddons, tflow
from tests.serve.lane.fakes import Talk, request

from walletbridge.answers import UNKNOWN
from walletbridge.serve.lane.layer import Expired, LaneLayer, WalletbridgeCallbackHook
from walletbridge.serve.lane.place import NEVER

OTHER = b"GET /legacy HTTP/1.1\r\nHost: gateway\r\n"


class House:
    """A layer with its client."""

    def __init__(self, *, tls: bool = True, **limits: Any) -> None:
        self.talk = Talk(**limits)
        self.client = tflow.tclient_conn()
        self.client.tls = tls
        self.client.alpn = None
        with taddons.context(Proxyserver()) as mitmproxy:  # type: ignore[no-untyped-call]
            self.context = context.Context(self.client, mitmproxy.options)
        self.context.server.address = ("127.0.0.1", 9)
        self.layer = LaneLayer(self.context, self.talk.lane, self.talk.place)

    def tell(self, event: events.Event) -> list[commands.Command]:
        return list(self.layer.handle_event(event))

    def receive(self, data: bytes) -> list[commands.Command]:
        return self.tell(events.DataReceived(self.client, data))

    @property
    def is_handed_over(self) -> bool:
        return any(isinstance(layer, HttpLayer) for layer in self.context.layers)


def sent(found: list[commands.Command]) -> bytes:
    return b"".join(command.data for command in found if isinstance(command, commands.SendData))


def started(**arguments: Any) -> House:
    house = House(**arguments)
    assert house.tell(events.Start()) == []
    return house


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
    assert [type(command) for command in house.tell(events.ConnectionClosed(house.client))] == [
        commands.CloseConnection
    ]


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
    assert [command.name for command in found if isinstance(command, commands.StartHook)] == ["requestheaders"]


@pytest.mark.parametrize(("tls", "alpn"), [(True, b"h2"), (False, None)], ids=["HTTP/2", "plain text"])
def test_what_may_be_no_conversation_goes_to_mitmproxy_at_once(*, tls: bool, alpn: bytes | None) -> None:
    """Plain text comes here only when its conversation is over."""
    house = House(tls=tls)
    house.client.alpn = alpn
    house.tell(events.Start())

    assert house.is_handed_over


def test_from_its_start_on_there_is_somebody_to_be_told_that_time_is_up() -> None:
    house = House()
    assert not house.talk.place.is_read
    house.tell(events.Start())

    assert house.talk.place.is_read


# What mitmproxy does not limit


def test_a_head_elsewhere_is_bounded() -> None:
    house = started(header_bytes=1024)
    found = house.receive(OTHER + b"X: " + b"x" * 2000)

    assert sent(found).startswith(b"HTTP/1.1 431 ")
    assert isinstance(found[-1], commands.CloseConnection)


def test_a_head_elsewhere_must_come_in_time() -> None:
    house = started(header_seconds=10)
    house.receive(OTHER)
    assert house.talk.seconds_left == 10
    house.talk.lane.clock.tick(5)
    house.receive(b"X: 1\r\n")
    assert house.talk.seconds_left == 5

    found = house.tell(Expired())
    assert sent(found).startswith(b"HTTP/1.1 408 ")
    assert isinstance(found[-1], commands.CloseConnection)


def test_a_request_that_is_under_way_elsewhere_does_not_expire() -> None:
    house = started()
    house.receive(OTHER + b"\r\n")

    assert house.talk.place.expires_at == NEVER
    assert house.tell(Expired()) == []


def test_what_is_sent_far_ahead_elsewhere_is_not_read() -> None:
    house = started(header_bytes=1024, body_bytes=1000)
    hooks = house.receive(OTHER + b"\r\n")
    # Without a body the request has ended, and is waited for by what comes behind it.
    while hooks:
        [hook] = [command for command in hooks if isinstance(command, commands.StartHook)]
        if hook.name == "request":
            break
        hooks = house.tell(events.HookCompleted(hook, None))
    house.receive(b"x" * 1500)
    assert house.talk.place.has_room()
    house.receive(b"x" * 1500)
    assert not house.talk.place.has_room()

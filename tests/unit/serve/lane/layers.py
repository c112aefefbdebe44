"""A connection as mitmproxy carries it, without sockets: events go in, commands come out."""

from typing import Any

from mitmproxy.addons.proxyserver import Proxyserver
from mitmproxy.proxy import commands, context, events
from mitmproxy.proxy.layers.http import HttpLayer
from mitmproxy.test import taddons, tflow
from tests.unit.serve.lane.fakes import Talk

from walletbridge.serve.lane.layer import LaneLayer

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


def hooks_in(found: list[commands.Command]) -> list[commands.StartHook]:
    return [command for command in found if isinstance(command, commands.StartHook)]


def names(found: list[commands.Command]) -> list[str]:
    return [hook.name for hook in hooks_in(found)]


def begun(house: House, data: bytes) -> list[commands.Command]:
    """Has mitmproxy carry a request; what followed when its hooks had ended, without any answer to it."""
    found = house.receive(data)
    while hooks := hooks_in(found):
        [hook] = hooks
        found = house.tell(events.HookCompleted(hook))
    return found


def started(**arguments: Any) -> House:
    house = House(**arguments)
    assert house.tell(events.Start()) == []
    return house

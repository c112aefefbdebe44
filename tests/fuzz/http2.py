"""
HTTP/2 as it is fuzzed: frames in any order, whole or cut, with time passing in between, through the layer that a client
of `serve` has. No sockets and no tasks, so that the same bytes always do the same.
"""

from functools import cache
from typing import Any

from mitmproxy.addons.proxyserver import Proxyserver
from mitmproxy.connection import ConnectionState
from mitmproxy.http import Response
from mitmproxy.options import Options
from mitmproxy.proxy import commands, context, events
from mitmproxy.proxy.layers.http._hooks import HttpRequestHeadersHook
from mitmproxy.test import taddons, tflow
from tests.support.clock import FakeClock
from tests.unit.serve.lane.fakes import FakeLane

from walletbridge.protocol.answers import UNKNOWN
from walletbridge.serve.lane.deadlines import NEVER, CarriedPlace
from walletbridge.serve.lane.layer import LaneLayer
from walletbridge.serve.lane.signals import Expired, WalletbridgeCallbackHook

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0"
WAITING_BYTES_MAX = 200_000
"""Of bodies and frames, for one connection with these limits."""
ENDS_AFTER = 20
"""Steps of time in which a connection has ended of which nothing more comes."""
LIMITS = {"header_bytes": 1024, "body_bytes": 1000, "upstream_requests": 5, "idle_seconds": 30}


@cache
def _options() -> Options:
    """
    The options of mitmproxy. Not made when this is imported: what mitmproxy then installs for its log would hear every
    later test.
    """
    with taddons.context(Proxyserver()) as mitmproxy:  # type: ignore[no-untyped-call]
        made: Options = mitmproxy.options
    return made


class House:
    """One connection."""

    def __init__(self) -> None:
        self.lane = FakeLane(**LIMITS)
        assert isinstance(self.lane.clock, FakeClock)
        self.clock = self.lane.clock
        self.client = tflow.tclient_conn()
        self.client.tls, self.client.alpn = True, b"h2"
        self.place = CarriedPlace(
            "192.0.2.1", self.clock() + 10, cut=self._cut, tell=lambda: None, is_closing=lambda: self.is_over
        )
        self.is_over = False
        self.asked = 0
        made = context.Context(self.client, _options())
        made.server.address = ("127.0.0.1", 9)
        self.layer = LaneLayer(made, self.lane, self.place)
        self.tell(events.Start())

    def tell(self, event: events.Event) -> None:
        """Lets something happen, and all that is asked for because of it, at once."""
        pending = [event]
        while pending:
            found: list[Any] = list(self.layer.handle_event(pending.pop(0)))
            for command in found:
                if isinstance(command, WalletbridgeCallbackHook):
                    self.asked += 1
                    command.exchange.answer = UNKNOWN
                if isinstance(command, HttpRequestHeadersHook):
                    command.flow.response = Response.make(404)
                if isinstance(command, commands.StartHook) and command.blocking:
                    pending.append(events.HookCompleted(command))
                elif isinstance(command, commands.OpenConnection):
                    pending.append(events.OpenConnectionCompleted(command, "nobody is there"))
                elif isinstance(command, commands.CloseConnection) and command.connection is self.client:
                    self.is_over |= not isinstance(command, commands.CloseTcpConnection)
        if self.lane.faults:
            raise self.lane.faults[0]

    def _cut(self) -> None:
        self.is_over = True

    @property
    def waiting_bytes(self) -> int:
        """What is kept of what the client has sent."""
        server = self.layer._http2
        assert server is not None
        bodies = sum(callback.size for callback in server._callbacks.values() if not callback.is_asked)
        others = sum(other.unread for other in server._others.values())
        return bodies + others + len(server.h2_conn.incoming_buffer._data)


def check_http2(data: bytes) -> int:
    """
    What follows of bytes: each piece begins with its length and the time before it. Returns how many callbacks were
    asked for. Raises AssertionError, or whatever was raised, where a rule is broken.
    """
    house, at = House(), 2
    if data[:1] != b"\0":
        house.tell(events.DataReceived(house.client, PREFACE))
    while at < len(data) and not house.is_over:
        size, seconds = data[at - 2] + 1, data[at - 1]
        house.clock.tick(seconds % 16 if seconds > 200 else 0)
        _sweep(house)
        house.tell(events.DataReceived(house.client, data[at : at + size]))
        assert house.waiting_bytes <= WAITING_BYTES_MAX, "too much is kept"
        at += size + 2
    for _ in range(ENDS_AFTER):
        if house.is_over:
            break
        assert house.place.expires_at != NEVER, "nothing would ever end it"
        house.clock.tick(max(0.0, house.place.expires_at - house.clock()))
        _sweep(house)
    assert house.is_over, "it does not end"
    house.client.state = ConnectionState.CLOSED
    house.tell(events.ConnectionClosed(house.client))
    assert house.lane.elsewhere == house.place.elsewhere, "a place was lost"
    assert house.asked == len(house.lane.deliveries), "an answer is not accounted for"
    return house.asked


def _sweep(house: House) -> None:
    if house.place.expires_at <= house.clock() and not house.is_over:
        house.place.expires_at = NEVER
        house.tell(Expired())

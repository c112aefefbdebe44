"""
The fast lane as a layer of mitmproxy: callbacks are read and answered here, without mitmproxy's HTTP flow. At the first
request that is no callback the connection goes to mitmproxy's HTTP layer, bytes and all, and stays there.

No server is ever connected from the lane, so whatever goes wrong, a callback does not reach the upstream.
"""

from dataclasses import dataclass
from enum import Enum

from mitmproxy.proxy import commands, events
from mitmproxy.proxy.context import Context
from mitmproxy.proxy.layer import CommandGenerator, Layer
from mitmproxy.proxy.layers.http import HttpLayer, HTTPMode
from mitmproxy.proxy.layers.http._http1 import Http1Server

from walletbridge.serve.lane.conversation import TIMEOUT, Conversation
from walletbridge.serve.lane.place import NEVER, CarriedPlace
from walletbridge.serve.lane.port import Exchange, Lane
from walletbridge.serve.lane.refusals import Refused
from walletbridge.serve.lane.responses import refusal_bytes

_H2 = b"h2"
_HEAD_TOO_LARGE = Refused(431, "the head is too large")


class Expired(events.Event):
    """The time is up for what the client was to do."""


@dataclass
class WalletbridgeCallbackHook(commands.StartHook):  # type: ignore[no-untyped-call]
    """A callback wants its answer. Ends when `exchange.answer` is there."""

    exchange: Exchange


class LaneLayer(Layer):
    """
    One connection that mitmproxy carries: behind its layer for TLS, or in plain text once it is not for callbacks any
    more; see `PlainConnection`.
    """

    def __init__(self, context: Context, lane: Lane, place: CarriedPlace) -> None:
        super().__init__(context)
        self._lane = lane
        self._place = place
        self._commands: list[commands.Command] = []
        self._handed_over: bytes | None = None
        self._conversation = Conversation(lane, place, self)
        self._guard: _Guard | None = None

    def _handle_event(self, event: events.Event) -> CommandGenerator[None]:
        return self.handle_event(event)

    def handle_event(self, event: events.Event) -> CommandGenerator[None]:
        """
        See `Layer.handle_event`, which would hold back all that comes while a hook is at work: here, that the client
        has left is seen at once.
        """
        if self._guard is not None:
            yield from self._guard.handle_event(event)
            return
        self._tell(event)
        while self._commands:
            waiting, self._commands = self._commands, []
            yield from waiting
        if self._handed_over is not None:
            yield from self._hand_over(self._handed_over)

    # The wire of its conversation

    def send(self, data: bytes) -> bool:
        """See `Wire`."""
        self._commands.append(commands.SendData(self.context.client, data))
        return not self._place.is_closing()

    def close(self, *, half: bool) -> None:
        """See `Wire`."""
        client = self.context.client
        command = commands.CloseTcpConnection(client, half_close=True) if half else commands.CloseConnection(client)
        self._commands.append(command)

    def ask(self, exchange: Exchange) -> None:
        """See `Wire`."""
        hook = WalletbridgeCallbackHook(exchange)
        # Handled here: nobody above has to hold anything back for it.
        hook.blocking = self  # type: ignore[assignment]
        self._commands.append(hook)

    def hand_over(self, rest: bytes) -> None:
        """See `Wire`."""
        self._handed_over = rest

    def _tell(self, event: events.Event) -> None:
        conversation = self._conversation
        if isinstance(event, events.DataReceived):
            conversation.received(event.data)
        elif isinstance(event, events.HookCompleted):
            conversation.answered()
        elif isinstance(event, events.ConnectionClosed):
            conversation.left()
        elif isinstance(event, Expired):
            conversation.expired()
        elif isinstance(event, events.Start):
            self._start()

    def _start(self) -> None:
        place, client = self._place, self.context.client
        place.is_read = True
        place.has_room = self._conversation.has_room
        if client.alpn == _H2 or not client.tls:
            self._handed_over = b""

    def _hand_over(self, rest: bytes) -> CommandGenerator[None]:
        # As mitmproxy does with layers that have found their successor.
        self.context.layers.remove(self)
        self._guard = guard = _Guard(HttpLayer(self.context, HTTPMode.transparent), self._lane, self._place)
        self._place.has_room = guard.has_room
        yield from guard.handle_event(events.Start())
        if rest:
            yield from guard.handle_event(events.DataReceived(self.context.client, rest))


class _Wait(Enum):
    """What the client of mitmproxy's HTTP layer is waited for."""

    NOTHING = 0
    HEAD = 1
    NEXT = 2


class _Guard:
    """Keeps the limits that mitmproxy's HTTP/1 does not: the size of a head, the time for it, and between requests."""

    def __init__(self, http: HttpLayer, lane: Lane, place: CarriedPlace) -> None:
        self._http = http
        self._client = http.context.client
        self._lane = lane
        self._place = place
        self._waits_for = _Wait.NOTHING
        self._is_over = False
        """The client was turned away."""
        place.expires_at = NEVER

    def handle_event(self, event: events.Event) -> CommandGenerator[None]:
        """See `Layer.handle_event`."""
        if isinstance(event, Expired):
            yield from self._expired()
            return
        if self._is_over and isinstance(event, events.DataReceived):
            return
        yield from self._http.handle_event(event)
        connection = self._http.connections.get(self._client)
        if self._is_over or not isinstance(connection, Http1Server):
            return
        if connection.state != connection.read_headers:
            self._wait_for(_Wait.NOTHING, NEVER)
        elif len(connection.buf) > self._lane.limits.header_bytes:
            yield from self._refuse(_HEAD_TOO_LARGE)
        elif connection.buf:
            self._wait_for(_Wait.HEAD, self._lane.limits.header_seconds)
        else:
            self._wait_for(_Wait.NEXT, self._lane.limits.idle_seconds)

    def has_room(self) -> bool:
        """Whether more may be read from the client now: not what it sends far ahead of its answers."""
        connection = self._http.connections.get(self._client)
        if not isinstance(connection, Http1Server) or connection.state != connection.wait:
            return True
        bounds = self._lane.bounds
        return len(connection.buf) <= bounds.header_bytes + bounds.body_bytes

    def _wait_for(self, what: _Wait, seconds: float) -> None:
        if what is not self._waits_for:
            self._waits_for = what
            self._place.expires_at = self._lane.clock() + seconds

    def _expired(self) -> CommandGenerator[None]:
        if self._waits_for is _Wait.HEAD:
            yield from self._refuse(TIMEOUT)
        elif self._waits_for is _Wait.NEXT:
            yield commands.CloseConnection(self._client)

    def _refuse(self, refused: Refused) -> CommandGenerator[None]:
        self._is_over = True
        self._lane.refused(refused)
        yield commands.SendData(self._client, refusal_bytes(refused))
        yield commands.CloseConnection(self._client)

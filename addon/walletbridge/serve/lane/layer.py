"""
The fast lane as a layer of mitmproxy: reads and answers callbacks without mitmproxy's HTTP flow. A request for another
path goes to mitmproxy's HTTP layer; after its answer, this layer reads the next bytes again.

The lane never connects to a server, so no fault sends a callback to the upstream.
"""

from collections.abc import Iterator
from functools import partial

from mitmproxy.proxy import commands, events
from mitmproxy.proxy.context import Context
from mitmproxy.proxy.layer import CommandGenerator, Layer
from mitmproxy.proxy.layers.http import HttpLayer, HTTPMode

from walletbridge.serve.lane.carried import Carried, bounded
from walletbridge.serve.lane.conversation import Conversation
from walletbridge.serve.lane.deadlines import CarriedPlace
from walletbridge.serve.lane.http2 import LaneHttp2
from walletbridge.serve.lane.port import CarryingLane, Exchange
from walletbridge.serve.lane.signals import Expired, WalletbridgeCallbackHook

_H2 = b"h2"


class LaneLayer(Layer):
    """
    One connection that mitmproxy carries: inside its TLS layer, or in plain text that begins with a request for another
    path; see `PlainConnection`.
    """

    def __init__(self, context: Context, lane: CarryingLane, place: CarriedPlace) -> None:
        super().__init__(context)
        self._lane = lane
        self._place = place
        self._commands: list[commands.Command] = []
        self._handed_over: bytes | None = None
        self._conversation = Conversation(lane, place, self)
        self._http: HttpLayer | None = None
        """None until it is needed, for another path or HTTP/2."""
        self._carried: Carried | None = None
        """The request for another path that is in progress."""
        self._http2: LaneHttp2 | None = None
        """The reader of the connection if its client has chosen HTTP/2."""
        self._is_between = False
        """Whether no bytes have arrived since mitmproxy carried a request and its answer."""

    def _handle_event(self, event: events.Event) -> CommandGenerator[None]:
        return self.handle_event(event)

    def handle_event(self, event: events.Event) -> CommandGenerator[None]:
        """
        See `Layer.handle_event`, which queues events while a hook runs. This one sees at once that the client has left.

        A fault, here or in mitmproxy, ends the connection: no other event would wake it.
        """
        try:
            yield from self._handle(event)
        except Exception as error:  # noqa: BLE001 - the client sees the end; the log gets the error
            self._lane.failed(error)
            self._place.cut()

    def _handle(self, event: events.Event) -> CommandGenerator[None]:
        if self._http2 is not None and self._http is not None:
            if isinstance(event, Expired):
                yield from self._http.event_to_child(self._http2, event)
            else:
                yield from self._http.handle_event(event)
                yield from bounded(self._http, self._lane)
        elif isinstance(event, events.Start) and self.context.client.alpn == _H2:
            yield from self._begin_http2(event)
        elif self._is_ours(event):
            self._tell(event)
            yield from self._advance()
        elif self._carried is not None:
            yield from self._through(self._carried, event)
            yield from self._advance()
        elif self._http is not None:
            yield from self._http.handle_event(event)
            yield from bounded(self._http, self._lane)

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

    def confirm(self) -> None:
        """See `Wire`."""
        self._place.confirm(partial(self._confirmed, self._conversation))

    def ask(self, exchange: Exchange) -> None:
        """See `Wire`."""
        hook = WalletbridgeCallbackHook(exchange)
        # This layer waits for the hook, so that no layer above it queues events.
        hook.blocking = self  # type: ignore[assignment]
        self._commands.append(hook)

    def hand_over(self, rest: bytes) -> None:
        """See `Wire`."""
        self._handed_over = rest

    def _confirmed(self, conversation: Conversation, is_received: bool) -> None:  # noqa: FBT001 - a callback's argument
        conversation.confirmed(is_received=is_received)
        self._place.cut()

    def _is_ours(self, event: events.Event) -> bool:
        """Whether the event is for the conversation instead of mitmproxy."""
        if isinstance(event, events.HookCompleted):
            return isinstance(event.command, WalletbridgeCallbackHook)
        if isinstance(event, events.ConnectionEvent) and event.connection is not self.context.client:
            return False
        is_of_client = isinstance(event, events.ConnectionEvent | Expired)
        return self._carried is None and (is_of_client or isinstance(event, events.Start))

    def _tell(self, event: events.Event) -> None:
        conversation = self._conversation
        if isinstance(event, events.DataReceived):
            if self._is_between:
                self._is_between = False
                self._place.expires_at = self._lane.clock() + self._lane.limits.header_seconds
            conversation.received(event.data)
        elif isinstance(event, events.HookCompleted):
            conversation.answered()
        elif isinstance(event, events.ConnectionClosed):
            conversation.finished()
        elif isinstance(event, Expired):
            conversation.expired()
        elif isinstance(event, events.Start):
            self._place.is_read = True
            self._place.has_room = conversation.has_room

    def _advance(self) -> CommandGenerator[None]:
        """Goes on until nothing more can be done at once: the received bytes may hold several requests."""
        while True:
            yield from self._said()
            if self._handed_over is not None:
                rest, self._handed_over = self._handed_over, None
                yield from self._hand_over(rest)
            elif self._carried is not None and self._carried.is_done:
                self._take_back(self._carried)
            else:
                return

    def _said(self) -> Iterator[commands.Command]:
        while self._commands:
            waiting, self._commands = self._commands, []
            yield from waiting

    def _through(self, carried: Carried, event: events.Event) -> CommandGenerator[None]:
        if isinstance(event, Expired):
            yield from carried.expired()
        elif not isinstance(event, events.ConnectionEvent) or event.connection is not self.context.client:
            yield from carried.pass_on(event)
        elif isinstance(event, events.DataReceived):
            yield from carried.receive(event.data)
        else:
            yield from carried.left()

    def _begin_http2(self, start: events.Start) -> CommandGenerator[None]:
        place, http = self._place, self._http_layer()
        self._http2 = server = LaneHttp2(http.context.fork(), self._lane, place, http)
        http.connections[self.context.client] = server
        self._http = http
        place.is_read, place.has_room, place.takes = True, server.has_room, server.takes
        yield from http.handle_event(start)

    def _http_layer(self) -> HttpLayer:
        # mitmproxy does the same with layers that have found their successor.
        self.context.layers.remove(self)
        return HttpLayer(self.context, HTTPMode.transparent)

    def _hand_over(self, rest: bytes) -> CommandGenerator[None]:
        if self._http is None:
            self._http = self._http_layer()
            yield from self._http.handle_event(events.Start())
        self._carried = carried = Carried(self._http, self._lane, self._place)
        self._place.has_room = carried.has_room
        yield from carried.receive(rest)

    def _take_back(self, carried: Carried) -> None:
        """Starts a new conversation: the request after a carried one may be a callback."""
        carried.leave()
        self._carried = None
        self._conversation = conversation = Conversation(self._lane, self._place, self)
        self._place.has_room = conversation.has_room
        rest = carried.rest()
        self._is_between = not rest
        limits = self._lane.limits
        self._place.expires_at = self._lane.clock() + (limits.header_seconds if rest else limits.idle_seconds)
        if rest:
            conversation.received(rest)

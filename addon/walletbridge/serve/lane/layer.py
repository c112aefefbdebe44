"""
The fast lane: callbacks are read and answered here, without mitmproxy's HTTP flow. At the first request that is no
callback the connection goes to mitmproxy's HTTP layer, bytes and all, and stays there.

No server is ever connected from here, so whatever goes wrong, a callback does not reach the upstream; and whatever is
raised ends in an answer and the end of the connection.
"""

from enum import Enum
from typing import Protocol

from mitmproxy.proxy import commands, events
from mitmproxy.proxy.context import Context
from mitmproxy.proxy.layer import CommandGenerator, Layer
from mitmproxy.proxy.layers.http import HttpLayer, HTTPMode
from mitmproxy.proxy.layers.http._http1 import Http1Server

from walletbridge import answers
from walletbridge.bridge import Bridge
from walletbridge.gateway import Request
from walletbridge.serve.lane.exchange import Exchange, WalletbridgeCallbackHook
from walletbridge.serve.lane.heads import Head
from walletbridge.serve.lane.parser import Body, Bounds, Parser
from walletbridge.serve.lane.place import NEVER, Place
from walletbridge.serve.lane.refusals import Refused
from walletbridge.serve.lane.responses import CONTINUE, answer_bytes, refusal_bytes
from walletbridge.settings import Limits

LINGER_SECONDS = 2.0
"""How long a client that was turned away may go on sending: a reset would take the answer from it unread."""
SKIPPED_LIMITS = 4
"""How many times the limit a body may be to be read over rather than to end the connection."""
_H2 = b"h2"
_TIMEOUT = Refused(408, "the request did not come in time")
_HEAD_TOO_LARGE = Refused(431, "the head is too large")


class Expired(events.Event):
    """The time is up for what the client was to do."""


class Lane(Protocol):
    """What connections share."""

    limits: Limits
    bounds: Bounds

    @property
    def bridge(self) -> Bridge | None:
        """None before the gateway is up."""
        ...

    @property
    def is_draining(self) -> bool:
        """Whether the next callback has to find another door."""
        ...

    def clock(self) -> float:
        """Seconds, on the gateway's clock."""
        ...

    def is_callback(self, target: str) -> bool:
        """Whether a request target is the callback path."""
        ...

    def forgives(self, address: str) -> bool:
        """Whether a wrong token of `address` is answered; see `Gate`."""
        ...

    def refused(self, refused: Refused) -> None:
        """A client was turned away."""
        ...

    def delivered(self, exchange: Exchange, *, sent: bool) -> None:
        """The answer of an exchange was sent, or its client had left. Raises nothing."""
        ...

    def failed(self, error: Exception) -> None:
        """A fault of ours."""
        ...


class _Wait(Enum):
    """What the client is waited for."""

    NOTHING = 0
    HEAD = 1
    BODY = 2
    NEXT = 3
    """To begin with another request."""
    END = 4
    """To close, after it was told everything."""


class LaneLayer(Layer):
    """One connection, as plain text: under TLS it stands behind mitmproxy's layer for that."""

    def __init__(self, context: Context, lane: Lane, place: Place, *, refused: Refused | None = None) -> None:
        """`refused`: what the client gets, whatever it sends."""
        super().__init__(context)
        self._lane = lane
        self._place = place
        self._refused = refused
        self._parser = Parser(lane.is_callback, lane.bounds)
        self._wait = _Wait.HEAD
        self._answering: Exchange | None = None
        self._head: Head | None = None
        """Of the request whose body is still to come."""
        self._is_over = False
        """Nothing more is read, nor sent."""
        self._http: HttpLayer | None = None

    def _handle_event(self, event: events.Event) -> CommandGenerator[None]:
        return self.handle_event(event)

    def handle_event(self, event: events.Event) -> CommandGenerator[None]:
        """
        See `Layer.handle_event`, which would hold back all that comes while a hook is at work: here, that the client
        has left is seen at once.
        """
        try:
            if self._http is not None:
                yield from self._guarded(self._http, event)
            elif isinstance(event, events.DataReceived):
                yield from self._received(event.data)
            elif isinstance(event, events.HookCompleted):
                yield from self._answered()
            elif isinstance(event, events.ConnectionClosed):
                yield from self._closed()
            elif isinstance(event, Expired):
                yield from self._expired()
            elif isinstance(event, events.Start):
                yield from self._started()
        except Refused as refused:
            yield from self._refuse(refused)
        except Exception as error:  # noqa: BLE001 - whoever waits gets an answer; the log gets the error
            self._lane.failed(error)
            yield from self._fail()

    def has_room(self) -> bool:
        """Whether more may be read from the client now. What it sends ahead of its answers is bounded."""
        limits = self._lane.limits
        waiting_max = limits.header_bytes + limits.body_bytes
        if self._http is None:
            return self._answering is None or self._parser.waiting_bytes <= waiting_max
        connection = self._http.connections.get(self.context.client)
        if not isinstance(connection, Http1Server) or connection.state != connection.wait:
            return True
        return len(connection.buf) <= waiting_max

    def _started(self) -> CommandGenerator[None]:
        self._place.expire = self._place.tell
        self._place.has_room = self.has_room
        if self._refused is not None:
            raise self._refused
        if self.context.client.alpn == _H2:
            yield from self._hand_over()

    def _received(self, data: bytes) -> CommandGenerator[None]:
        if self._is_over:
            return
        now = self._lane.clock()
        self._parser.receive(data, now)
        if self._answering is None:
            yield from self._advance(now)

    def _advance(self, now: float) -> CommandGenerator[None]:
        """Goes on until there is something to be answered, or more has to come."""
        while True:
            event = self._parser.next_event()
            if event is None:
                yield from self._wait_for_more(now)
                return
            if isinstance(event, Head):
                self._head, self._wait = event, _Wait.HEAD
                early = self._early(event)
                if early is None:
                    continue
                yield self._hook(early)
                return
            if isinstance(event, Body):
                yield self._hook(self._exchange(event))
            else:
                yield from self._hand_over()
            return

    def _early(self, head: Head) -> Exchange | None:
        """What can be answered at the head: a wrong token, a body that is too large."""
        bridge = self._lane.bridge
        # Before there is a gateway nobody can say whether the token is right. It answers as unknown.
        has_token = bridge is None or bridge.admits(self._place.address, head.tokens)
        if has_token and not head.is_too_large:
            return None
        if not has_token and not self._lane.forgives(self._place.address):
            raise Refused(429, "too many wrong tokens")
        body = None if has_token else b""
        request = Request(head.method, has_token=has_token, body=body, received_at=head.received_at)
        return Exchange(head, request, is_early=True)

    def _exchange(self, body: Body) -> Exchange:
        head, self._head = self._head, None
        if head is None:
            raise RuntimeError("a body without a head")
        request = Request(head.method, has_token=True, body=body.content, received_at=head.received_at)
        return Exchange(head, request, is_early=body.content is None)

    def _hook(self, exchange: Exchange) -> WalletbridgeCallbackHook:
        self._answering, self._head = exchange, None
        self._wait, self._place.expires_at = _Wait.NOTHING, NEVER
        hook = WalletbridgeCallbackHook(exchange)
        # Handled here: nobody above has to hold anything back for it.
        hook.blocking = self  # type: ignore[assignment]
        return hook

    def _wait_for_more(self, now: float) -> CommandGenerator[None]:
        head = self._head
        if self._parser.is_in_body:
            if self._wait is not _Wait.BODY:
                self._wait_for(_Wait.BODY, now)
                if head is not None and head.expects_continue and not self._parser.waiting_bytes:
                    yield commands.SendData(self.context.client, CONTINUE)
        elif not self._parser.is_between:
            self._wait_for(_Wait.HEAD, now)
        elif self._wait is not _Wait.HEAD:
            self._wait_for(_Wait.NEXT, now)

    def _wait_for(self, what: _Wait, now: float) -> None:
        """Begins to count the time, unless that is what is waited for already."""
        if what is self._wait:
            return
        limits = self._lane.limits
        seconds = {
            _Wait.NOTHING: NEVER,
            _Wait.HEAD: limits.header_seconds,
            _Wait.BODY: limits.body_seconds,
            _Wait.NEXT: limits.idle_seconds,
            _Wait.END: LINGER_SECONDS,
        }
        self._wait = what
        self._place.expires_at = now + seconds[what]

    def _answered(self) -> CommandGenerator[None]:
        exchange, self._answering = self._answering, None
        if exchange is None:
            raise RuntimeError("an answer without a request")
        lane, head = self._lane, exchange.head
        if self._is_over:
            lane.delivered(exchange, sent=False)
            return
        closes = lane.is_draining or not head.keep_alive or (exchange.is_early and not self._skips(head))
        answer = exchange.answer or answers.UNKNOWN
        data = answer_bytes(answer, is_head=head.method == "HEAD", closes=closes, says_keep_alive=head.says_keep_alive)
        yield commands.SendData(self.context.client, data)
        lane.delivered(exchange, sent=True)
        if closes:
            yield from self._end()
        elif self._parser.is_between:
            # The usual case: there is nothing yet to be read.
            self._wait, self._place.expires_at = _Wait.NEXT, lane.clock() + lane.limits.idle_seconds
        else:
            yield from self._advance(lane.clock())

    def _skips(self, head: Head) -> bool:
        """
        Whether the body of a request that was answered at its head is cheap to read over. A client that asked to
        continue may send it or not, and nobody could tell.
        """
        bytes_max = SKIPPED_LIMITS * self._lane.limits.body_bytes
        if head.length is None or head.length > bytes_max or head.expects_continue:
            return False
        self._parser.skip_body()
        return True

    def _closed(self) -> CommandGenerator[None]:
        """A client that closes its side has left: it is not sent anything more, as mitmproxy has it everywhere."""
        self._is_over = True
        self._place.expires_at = NEVER
        yield commands.CloseConnection(self.context.client)

    def _expired(self) -> CommandGenerator[None]:
        if self._wait is _Wait.NOTHING:
            return
        if (self._wait is _Wait.HEAD and not self._parser.is_between) or self._head is not None:
            raise _TIMEOUT
        self._is_over = True
        yield commands.CloseConnection(self.context.client)

    def _refuse(self, refused: Refused) -> CommandGenerator[None]:
        self._lane.refused(refused)
        yield commands.SendData(self.context.client, refusal_bytes(refused))
        yield from self._end()

    def _fail(self) -> CommandGenerator[None]:
        if self._is_over:
            return
        yield commands.SendData(self.context.client, answer_bytes(answers.UNKNOWN, is_head=False, closes=True))
        yield from self._end()

    def _end(self) -> CommandGenerator[None]:
        """Closes once the client has read all; until then what it still sends is thrown away."""
        if not self._is_over:
            self._is_over = True
            self._wait = _Wait.NOTHING
            self._wait_for(_Wait.END, self._lane.clock())
            yield commands.CloseTcpConnection(self.context.client, half_close=True)

    def _hand_over(self) -> CommandGenerator[None]:
        self._http = http = HttpLayer(self.context, HTTPMode.transparent)
        # As mitmproxy does with layers that have found their successor.
        self.context.layers.remove(self)
        rest = self._parser.rest()
        self._wait_for(_Wait.NOTHING, 0)
        yield from http.handle_event(events.Start())
        if rest:
            yield from self._guarded(http, events.DataReceived(self.context.client, rest))

    def _guarded(self, http: HttpLayer, event: events.Event) -> CommandGenerator[None]:
        """Limits what mitmproxy does not: the size of a head, and the time that it takes to come."""
        client = self.context.client
        if isinstance(event, Expired):
            if self._wait is _Wait.HEAD:
                self._lane.refused(_TIMEOUT)
                yield commands.SendData(client, refusal_bytes(_TIMEOUT))
            if self._wait is not _Wait.NOTHING:
                yield commands.CloseConnection(client)
            return
        yield from http.handle_event(event)
        connection = http.connections.get(client)
        if not isinstance(connection, Http1Server):
            return
        if connection.state != connection.read_headers:
            self._wait, self._place.expires_at = _Wait.NOTHING, NEVER
            return
        waiting = len(connection.buf)
        if waiting > self._lane.limits.header_bytes:
            self._lane.refused(_HEAD_TOO_LARGE)
            yield commands.SendData(client, refusal_bytes(_HEAD_TOO_LARGE))
            yield commands.CloseConnection(client)
            return
        self._wait_for(_Wait.HEAD if waiting else _Wait.NEXT, self._lane.clock())

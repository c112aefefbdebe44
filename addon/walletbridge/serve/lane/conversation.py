"""
What is said on one connection while it brings callbacks: in order, within limits, and whatever goes wrong, with an
answer. Knows no sockets: bytes come in by calls, and what follows of them goes to a Wire.
"""

from collections.abc import Callable
from enum import Enum

from walletbridge.gateway.gateway import Request
from walletbridge.observe.trace import Trace
from walletbridge.protocol import answers
from walletbridge.serve.lane.deadlines import NEVER, Place
from walletbridge.serve.lane.heads import Head
from walletbridge.serve.lane.parser import Body, Parser
from walletbridge.serve.lane.port import Exchange, Lane, Wire
from walletbridge.serve.lane.refusals import Refused
from walletbridge.serve.lane.responses import CONTINUE, answer_bytes, refusal_bytes

LINGER_SECONDS = 2.0
"""How long a client that was turned away may go on sending: a reset would take the answer from it unread."""
HELD_SECONDS = 1.0
"""
How long who sends too many wrong tokens waits to be told so. Told at once, he would come again at once, and to let
somebody in costs more than to answer him.
"""
SKIPPED_LIMITS = 4
"""How many times the limit a body may be to be read over rather than to end the connection."""
TIMEOUT = Refused(408, "the request did not come in time")
TOO_MANY_WRONG = Refused(429, "too many wrong tokens")


class _Wait(Enum):
    """What the client is waited for."""

    NOTHING = 0
    HEAD = 1
    BODY = 2
    NEXT = 3
    """To begin with another request."""
    END = 4
    """To close, after it was told everything."""
    HELD = 5
    """For nothing: it is the client who waits."""


_NOTHING, _HEAD, _BODY, _NEXT, _END, _HELD = _Wait


class Conversation:
    """
    One connection, as plain text.

    Its methods may be called in any order and raise nothing. Once it has ended, nothing is sent, nothing is asked, and
    the end of its time closes the connection.
    """

    def __init__(self, lane: Lane, place: Place, wire: Wire) -> None:
        """The time for the first head runs already."""
        self._lane = lane
        self._place = place
        self._wire = wire
        self._parser = Parser(lane.is_callback, lane.bounds)
        self._waits_for = _HEAD
        self._answering: Exchange | None = None
        self._head: Head | None = None
        """Of the request whose body is still to come."""
        self._is_over = False
        """Nothing more is read, nor sent."""
        self._is_all = False
        """The client has closed its sending side: no more bytes come."""
        self._unconfirmed: list[Exchange] = []
        """Answered since then. Whether the client is still there to hear it is not known yet."""

    def received(self, data: bytes) -> None:
        """Bytes have come."""
        if self._is_over or self._is_all or self._waits_for is _HELD:
            return
        now = self._lane.clock()
        self._parser.receive(data, now)
        if self._answering is None:
            self._guarded(self._advance, now)

    def answered(self) -> None:
        """What was asked last has its answer, or will never have one."""
        self._guarded(self._answered)

    def finished(self) -> None:
        """
        The client has closed its sending side. It may still be there for the answers to what it has asked, or it may
        have gone: only its system's receipt of an answer tells.
        """
        if not self._is_all:
            self._is_all = True
            if self._answering is None:
                self.left()

    def left(self) -> None:
        """The client has gone: it is not sent anything more."""
        self._over()
        self._place.expires_at = NEVER
        self._close(half=False)
        self.confirmed(is_received=False)

    def confirmed(self, *, is_received: bool) -> None:
        """Whether the client's system has received the last answers."""
        exchanges, self._unconfirmed = self._unconfirmed, []
        for exchange in exchanges:
            self._lane.delivered(exchange, sent=is_received)

    def expired(self) -> None:
        """The time is up for what the client was to do."""
        if self._is_over:
            self.left()
        elif self._waits_for is _HELD:
            self._turn_away(TOO_MANY_WRONG)
        elif self._waits_for is _NOTHING:
            return
        elif (self._waits_for is _HEAD and not self._parser.is_between) or self._head is not None:
            self.refuse(TIMEOUT)
        else:
            self.left()

    def refuse(self, refused: Refused) -> None:
        """Turns the client away."""
        if not self._is_over:
            self._lane.refused(refused)
            self._turn_away(refused)

    def has_room(self) -> bool:
        """Whether more may be read from the client now. What it sends ahead of its answers is bounded."""
        bounds = self._lane.bounds
        return self._answering is None or self._parser.waiting_bytes <= bounds.header_bytes + bounds.body_bytes

    def _guarded[**P](self, step: Callable[P, None], *args: P.args, **kwargs: P.kwargs) -> None:
        try:
            step(*args, **kwargs)
        except Refused as refused:
            self.refuse(refused)
        except Exception as error:  # noqa: BLE001 - whoever waits gets an answer; the log gets the error
            self._lane.failed(error)
            self._last(answer_bytes(answers.UNKNOWN, is_head=False, closes=True))

    def _advance(self, now: float) -> None:
        """Goes on until there is something to be answered, or more has to come."""
        parser = self._parser
        while True:
            event = parser.next_event()
            if event is None:
                self._wait_for_more(now)
                return
            if isinstance(event, Head):
                self._head = event
                if not self._is_early(event):
                    self._waits_for = _HEAD
                    continue
            elif isinstance(event, Body):
                self._ask(has_token=True, body=event.content, is_early=event.content is None)
            else:
                rest = parser.rest()
                self._over()
                self._place.expires_at = NEVER
                self._wire.hand_over(rest)
            return

    def _is_early(self, head: Head) -> bool:
        """Has answered at the head what can be: a wrong token, a body that is too large."""
        bridge, address = self._lane.bridge, self._place.address
        # Before there is a gateway nobody can say whether the token is right. It answers as unknown.
        if bridge is not None and not bridge.admits(address, head.tokens, head.forwarded):
            if not self._lane.forgives(address, head.forwarded):
                self._lane.refused(TOO_MANY_WRONG)
                self._wait_for(_HELD, self._lane.clock() + HELD_SECONDS)
                return True
            self._ask(has_token=False, body=b"", is_early=True)
            return True
        if bridge is not None and not self._place.is_proven:
            self._lane.prove(self._place)
        if head.length is not None and head.length > self._lane.bounds.body_bytes:
            self._ask(has_token=True, body=None, is_early=True)
            return True
        return False

    def _ask(self, *, has_token: bool, body: bytes | None, is_early: bool) -> None:
        head, self._head = self._head, None
        if head is None:
            raise RuntimeError("a body without a head")
        request = Request(head.method, has_token, body, self._parser.received_at, head.is_encoded)
        trace = Trace(client=self._place.address, forwarded=head.forwarded)
        exchange = Exchange(head, request, is_early, trace)
        self._answering = exchange
        self._waits_for = _NOTHING
        self._place.expires_at = NEVER
        self._wire.ask(exchange)

    def _answered(self) -> None:
        exchange, self._answering = self._answering, None
        if exchange is None:
            return
        lane, head = self._lane, exchange.head
        if self._is_over:
            lane.delivered(exchange, sent=False)
            return
        closes = lane.is_draining or not head.keep_alive or (exchange.is_early and not self._skips(head))
        sent = self._wire.send(
            answer_bytes(
                exchange.answer or answers.UNKNOWN,
                is_head=head.method == "HEAD",
                closes=closes,
                says_keep_alive=head.says_keep_alive,
            )
        )
        if sent and self._is_all:
            self._unconfirmed.append(exchange)
        else:
            lane.delivered(exchange, sent=sent)
        if closes or (self._is_all and self._parser.is_between):
            self._end()
        elif self._parser.is_between:
            # The usual case: there is nothing yet to be read.
            self._waits_for = _NEXT
            self._place.expires_at = lane.clock() + lane.limits.idle_seconds
        else:
            self._advance(lane.clock())

    def _skips(self, head: Head) -> bool:
        """
        Whether the body of a request that was answered at its head is cheap to read over. A client that asked to
        continue may send it or not, and nobody could tell.
        """
        bytes_max = SKIPPED_LIMITS * self._lane.bounds.body_bytes
        if head.length is None or head.length > bytes_max or head.expects_continue:
            return False
        self._parser.skip_body()
        return True

    def _wait_for_more(self, now: float) -> None:
        parser, limits = self._parser, self._lane.limits
        if self._is_all:
            self._end()
        elif parser.is_in_body:
            if self._waits_for is not _BODY:
                self._wait_for(_BODY, now + limits.body_seconds)
                if self._head is not None and self._head.expects_continue and not parser.waiting_bytes:
                    self._wire.send(CONTINUE)
        elif not parser.is_between:
            if self._waits_for is not _HEAD:
                self._wait_for(_HEAD, now + limits.header_seconds)
        elif self._waits_for not in {_HEAD, _NEXT}:
            self._wait_for(_NEXT, now + limits.idle_seconds)

    def _wait_for(self, what: _Wait, until: float) -> None:
        self._waits_for = what
        self._place.expires_at = until

    def _turn_away(self, refused: Refused) -> None:
        self._last(refusal_bytes(refused))

    def _last(self, data: bytes) -> None:
        """Sends this, and nothing behind it."""
        if not self._is_over:
            try:
                self._wire.send(data)
            except Exception as error:  # noqa: BLE001 - a connection that fails here is closed all the same
                self._lane.failed(error)
            self._end()

    def _end(self) -> None:
        """Closes once the client has read all; until then what it still sends is thrown away."""
        if self._is_over:
            return
        self._over()
        self._wait_for(_END, self._lane.clock() + LINGER_SECONDS)
        self._close(half=True)
        if self._unconfirmed:
            self._wire.confirm()

    def _close(self, *, half: bool) -> None:
        try:
            self._wire.close(half=half)
        except Exception as error:  # noqa: BLE001 - the sweep cuts what cannot be closed
            self._lane.failed(error)

    def _over(self) -> None:
        self._is_over = True
        self._head = None

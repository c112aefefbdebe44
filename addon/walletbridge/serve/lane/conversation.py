"""
Reads callbacks from one connection and answers each: in order, within limits, whatever fails. Knows no sockets: bytes
come in by calls, and results go to a Wire.
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
"""Seconds for which a refused client may go on sending: a reset would destroy the answer that it has not read."""
HELD_SECONDS = 1.0
"""
Seconds to wait before sending 429. An immediate refusal would invite an immediate reconnect, which costs more than an
answer.
"""
SKIPPED_LIMITS = 4
"""Bodies up to this many times the limit are read and discarded; larger ones close the connection."""
TIMEOUT = Refused(408, "the request did not come in time")
TOO_MANY_WRONG = Refused(429, "too many wrong tokens")


class _Wait(Enum):
    """The client's next step, for which the conversation waits."""

    NOTHING = 0
    HEAD = 1
    BODY = 2
    NEXT = 3
    """Another request begins."""
    END = 4
    """The client closes, after the last answer."""
    HELD = 5
    """Nothing: the client waits for its refusal."""


_NOTHING, _HEAD, _BODY, _NEXT, _END, _HELD = _Wait


class Conversation:
    """
    One connection, as plain text.

    Its methods may be called in any order and raise nothing. After the end, the conversation sends nothing and asks
    nothing, and the deadline closes the connection.
    """

    def __init__(self, lane: Lane, place: Place, wire: Wire) -> None:
        """The caller sets the deadline for the first head."""
        self._lane = lane
        self._place = place
        self._wire = wire
        self._parser = Parser(lane.is_callback, lane.bounds)
        self._waits_for = _HEAD
        self._answering: Exchange | None = None
        self._head: Head | None = None
        """The head of a request whose body has not ended."""
        self._is_over = False
        """Whether reading and sending have ended."""
        self._is_all = False
        """Whether the client has closed its sending side."""
        self._unconfirmed: list[Exchange] = []
        """Exchanges that were answered after that; receipt of their answers is not known yet."""

    def received(self, data: bytes) -> None:
        """Takes bytes from the client."""
        if self._is_over or self._is_all or self._waits_for is _HELD:
            return
        now = self._lane.clock()
        self._parser.receive(data, now)
        if self._answering is None:
            self._guarded(self._advance, now)

    def answered(self) -> None:
        """The last exchange passed to `Wire.ask` has its answer, or will never have one."""
        self._guarded(self._answered)

    def finished(self) -> None:
        """
        The client has closed its sending side. It may be waiting for answers, or it may have gone: only its system's
        receipt of an answer shows which.
        """
        if not self._is_all:
            self._is_all = True
            if self._answering is None:
                self.left()

    def left(self) -> None:
        """The client has gone: sends nothing more."""
        self._over()
        self._place.expires_at = NEVER
        self._close(half=False)
        self.confirmed(is_received=False)

    def confirmed(self, *, is_received: bool) -> None:
        """Records whether the client's system has received the last answers."""
        exchanges, self._unconfirmed = self._unconfirmed, []
        for exchange in exchanges:
            self._lane.delivered(exchange, sent=is_received)

    def expired(self) -> None:
        """Handles the passed deadline."""
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
        """Refuses the client."""
        if not self._is_over:
            self._lane.refused(refused)
            self._turn_away(refused)

    def has_room(self) -> bool:
        """Whether more may be read from the client now: bytes sent ahead of an answer are limited."""
        bounds = self._lane.bounds
        return self._answering is None or self._parser.waiting_bytes <= bounds.header_bytes + bounds.body_bytes

    def _guarded[**P](self, step: Callable[P, None], *args: P.args, **kwargs: P.kwargs) -> None:
        try:
            step(*args, **kwargs)
        except Refused as refused:
            self.refuse(refused)
        except Exception as error:  # noqa: BLE001 - the client gets an answer; the log gets the error
            self._lane.failed(error)
            self._last(answer_bytes(answers.UNKNOWN, is_head=False, closes=True))

    def _advance(self, now: float) -> None:
        """Parses until a request can be answered, or more bytes are needed."""
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
        """Answers a wrong token and a too large body from the head. Returns whether the head was enough."""
        bridge, address = self._lane.bridge, self._place.address
        # Without a gateway the token cannot be checked, and the outcome is unknown.
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
            # The usual case: no bytes are left to be read.
            self._waits_for = _NEXT
            self._place.expires_at = lane.clock() + lane.limits.idle_seconds
        else:
            self._advance(lane.clock())

    def _skips(self, head: Head) -> bool:
        """
        Discards the body of a request that was answered from its head, and returns True, if that is cheap. After
        `Expect: 100-continue` it is unknown whether the client sends the body.
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
        """Sends the last bytes, and ends."""
        if not self._is_over:
            try:
                self._wire.send(data)
            except Exception as error:  # noqa: BLE001 - a connection that fails here is closed all the same
                self._lane.failed(error)
            self._end()

    def _end(self) -> None:
        """Closes our sending side. Discards received bytes until the client closes or LINGER_SECONDS have passed."""
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
        except Exception as error:  # noqa: BLE001 - the sweep cuts a connection that cannot be closed
            self._lane.failed(error)

    def _over(self) -> None:
        self._is_over = True
        self._head = None

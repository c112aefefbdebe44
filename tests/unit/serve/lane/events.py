"""
All that can happen to a connection of the lane, as data, and what must hold whatever happens in whatever order.
"""

import asyncio
from typing import Any, NamedTuple, cast

from tests.unit.serve.lane.fakes import TOKEN, FakeLane, FakeWire, request

from walletbridge.protocol.answers import UNKNOWN
from walletbridge.serve.lane.conversation import Conversation
from walletbridge.serve.lane.deadlines import CarriedPlace, Places
from walletbridge.serve.lane.gate import Gate
from walletbridge.serve.lane.plain_connection import PlainConnection
from walletbridge.serve.lane.port import Exchange
from walletbridge.serve.lane.refusals import Refused
from walletbridge.settings import Limits

WRONG = request(token=b"wrong")
CHUNKED = b"POST /callback HTTP/1.1\r\nCallback-Token: %b\r\nTransfer-Encoding: chunked\r\n\r\n" % TOKEN
NAMED = {
    "right": request(),
    "wrong": WRONG,
    "three at once": request(b"one") + WRONG + request(b"three"),
    "half head": request()[:30],
    "rest of the head": request()[30:],
    "half body": WRONG[:-2],
    "endless body": request(b"x" * 900)[:-900] + b"x" * 50,
    "too large": request(b"x" * 3000)[:-3000],
    "far too large": request(b"x" * 90_000)[:-90_000],
    "chunks": CHUNKED + b"4\r\nbody\r\n0\r\n\r\n",
    "endless chunks": CHUNKED + b"5\r\nbody",
    "bad chunk size": CHUNKED + b"nonsense\r\n",
    "expects": request(fields=b"Expect: 100-continue\r\n")[:-4],
    "closes": request(fields=b"Connection: close\r\n"),
    "noise": b"noise\n",
    "elsewhere": b"GET /other HTTP/1.1\r\nHost: x\r\n\r\n",
    "broken token": request(token=b"broken"),
    "broken path": b"POST /broken HTTP/1.1\r\n\r\n",
    "bytes": b"x" * 700,
}
PIECES = list(NAMED.values())
EVENTS = (
    "received",
    "received",
    "received",
    "answered",
    "finished",
    "left",
    "tick",
    "refuse",
    "fails",
    "confirmed",
    "full",
)
SECONDS = (0.0, 0.5, 1.0, 2.0, 9.0, 11.0, 130.0)
LIMITS: dict[str, Any] = {"body_bytes": 1000, "header_bytes": 1024, "wrong_tokens_per_second": 3}
FOR_EVER = 100_000.0


class Event(NamedTuple):
    """One thing that happens. What `number` means depends on what it is."""

    name: str
    number: int = 0


class StrictWire(FakeWire):
    """A wire that takes nothing behind its end, and may fail."""

    def __init__(self) -> None:
        super().__init__()
        self.fails = False

    def send(self, data: bytes) -> bool:
        assert not self.closed, "something was sent behind the end"
        if self.fails:
            raise RuntimeError("the wire fails")
        return super().send(data)

    def ask(self, exchange: Exchange) -> None:
        assert not self.closed, "something was asked behind the end"
        super().ask(exchange)

    def close(self, *, half: bool) -> None:
        super().close(half=half)
        if self.fails:
            raise RuntimeError("the wire fails")


class StrictTransport:
    """A transport that acts as asyncio's: what comes behind the end of a side is an error of who sends it."""

    def __init__(self) -> None:
        self.is_ended = self.is_lost = self.is_shut = False
        self.fails = False
        self.unsent = 0
        self.protocol: asyncio.BaseProtocol | None = None

    def get_extra_info(self, name: str) -> object:
        return ("192.0.2.1", 4711) if name == "peername" else None

    def write(self, data: bytes) -> None:
        del data
        assert not self.is_ended, "asyncio raises where something is written behind write_eof"
        if self.fails:
            # A reset that is noticed now.
            self.is_shut = True

    def write_eof(self) -> None:
        if self.fails:
            raise OSError("not connected")
        self.is_ended = True

    def close(self) -> None:
        self.is_shut = True

    def abort(self) -> None:
        self.is_shut = True

    def is_closing(self) -> bool:
        return self.is_shut

    def get_write_buffer_size(self) -> int:
        return self.unsent

    def pause_reading(self) -> None:
        """Nothing is read by itself here."""

    def resume_reading(self) -> None:
        """See `pause_reading`."""

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self.protocol = protocol


class Course:
    """A connection to which things happen."""

    def __init__(self) -> None:
        self.lane = FakeLane(**LIMITS)
        self.lane.forgiven = LIMITS["wrong_tokens_per_second"]
        self.places = Places(on_fault=self.lane.failed)

    @classmethod
    def of_conversation(cls) -> "Course":
        """A conversation alone, on a wire."""
        return _ConversationCourse()

    @classmethod
    def of_connection(cls) -> "Course":
        """A connection in plain text, on a transport."""
        return _ConnectionCourse()

    def run(self, events: list[Event]) -> None:
        """Lets the events happen, and then time for ever. Raises AssertionError where a rule is broken."""
        for event in events:
            getattr(self, f"_{event.name}")(event.number)
            self._check()
        for _ in range(6):
            self._answered(0)
            self._pass(FOR_EVER)
            self._check()
        self._check_end()
        for late in EVENTS:
            getattr(self, f"_{late}")(0)
        self._check()

    def _check(self) -> None:
        # A token that breaks, or a path, is a fault of what is asked; it is noted, and the connection ends.
        unexpected = [fault for fault in self.lane.faults if type(fault).__name__ not in {"Broken", "RuntimeError"}]
        assert unexpected == []

    def _check_end(self) -> None:
        raise NotImplementedError

    def _answered(self, number: int) -> None:
        raise NotImplementedError

    def _pass(self, seconds: float) -> None:
        self.lane.clock.tick(seconds)
        while self.places.sweep(self.lane.clock()):
            pass

    def _tick(self, number: int) -> None:
        self._pass(SECONDS[number % len(SECONDS)])


class _ConversationCourse(Course):
    def __init__(self) -> None:
        super().__init__()
        self.wire = StrictWire()
        self.is_cut = False
        self.place = CarriedPlace(
            "192.0.2.1", self.lane.clock() + 10, cut=self._cut, tell=self._expired, is_closing=bool
        )
        self.place.is_read = True
        self.places.add(self.place)
        self.conversation = Conversation(self.lane, self.place, self.wire)
        self.count = 0

    def _cut(self) -> None:
        self.is_cut = True

    def _expired(self) -> None:
        self.conversation.expired()

    def _received(self, number: int) -> None:
        self.conversation.received(PIECES[number])

    def _answered(self, number: int) -> None:
        while self.count < len(self.wire.asked):
            self.wire.asked[self.count].answer = UNKNOWN if number % 2 else None
            self.count += 1
            self.conversation.answered()

    def _finished(self, _: int) -> None:
        self.conversation.finished()

    def _left(self, _: int) -> None:
        self.conversation.left()

    def _refuse(self, _: int) -> None:
        self.conversation.refuse(Refused(400, "refused"))

    def _confirmed(self, number: int) -> None:
        self.conversation.confirmed(is_received=bool(number % 2))

    def _fails(self, _: int) -> None:
        self.wire.fails = True

    def _full(self, _: int) -> None:
        self.wire.is_closing = True

    def _check_end(self) -> None:
        assert self.is_cut or self.wire.closed or self.wire.rest is not None, "the connection stays for ever"
        # Each answer was accounted for once, but for those that broke on their way.
        assert len(self.lane.deliveries) <= len(self.wire.asked)


class _SharedLane(FakeLane):
    """With what a connection needs of the lane beside its conversation."""

    def __init__(self, **limits: Any) -> None:
        super().__init__(**limits)
        self.gate = Gate(Limits(**limits), clock=self.clock)
        self.places = Places(on_fault=self.failed)
        self.has_tls = False
        self.waiting: list[tuple[Exchange, Any]] = []

    def begin(self, exchange: Exchange, answered: Any) -> None:
        # Some are answered before this returns.
        if exchange.request.body == b"one":
            exchange.answer = UNKNOWN
            answered()
        else:
            self.waiting.append((exchange, answered))


class _Connection(PlainConnection):
    """Whether an answer was received is an event of its own here; no system tells."""

    __slots__ = ()

    def confirm(self) -> None:
        """See `Wire`."""


class _ConnectionCourse(Course):
    def __init__(self) -> None:
        super().__init__()
        self.shared = _SharedLane(**LIMITS)
        self.lane, self.places = self.shared, self.shared.places
        self.lane.forgiven = LIMITS["wrong_tokens_per_second"]
        self.transport = StrictTransport()
        self.connection = _Connection(cast("Any", self.shared), cast("Any", lambda _, __, writer: writer.close()))
        self.connection.connection_made(cast("Any", self.transport))

    @property
    def _is_ours(self) -> bool:
        return not self.transport.is_lost and self.transport.protocol is None

    def _received(self, number: int) -> None:
        if self._is_ours and not self.transport.is_shut and not self.transport.is_ended:
            self.connection.data_received(PIECES[number])
            self._lose()

    def _answered(self, number: int) -> None:
        # Its answer brings the next one of those that came at once.
        while self.shared.waiting:
            exchange, answered = self.shared.waiting.pop(0)
            exchange.answer = UNKNOWN if number % 2 else None
            answered()
        self._lose()

    def _finished(self, _: int) -> None:
        if self._is_ours and not self.transport.is_shut:
            if not self.connection.eof_received():
                self.transport.close()
            self._lose()

    def _left(self, _: int) -> None:
        self.transport.is_shut = True
        self._lose()

    def _refuse(self, _: int) -> None:
        """Cut for a newer connection."""
        self.connection.cut()
        self._lose()

    def _confirmed(self, number: int) -> None:
        if self.connection._conversation is not None:
            self.connection._confirmed(self.connection._conversation, bool(number % 2))
            self._lose()

    def _fails(self, _: int) -> None:
        self.transport.fails = True

    def _full(self, number: int) -> None:
        (self.connection.pause_writing if number % 2 else self.connection.resume_writing)()
        self.transport.unsent = number % 2

    def _tick(self, number: int) -> None:
        super()._tick(number)
        self._lose()

    def _lose(self) -> None:
        """What asyncio does soon after a transport was closed and all of it is out."""
        if self.transport.is_shut and self._is_ours and not self.transport.unsent:
            self.transport.is_lost = True
            self.connection.connection_lost(None)

    def _check_end(self) -> None:
        self._lose()
        assert self.transport.is_shut or self.transport.protocol is not None, "the connection stays for ever"
        if self.transport.protocol is None and not self.transport.unsent:
            assert (self.shared.gate.connections, len(self.shared.places)) == (0, 0), "its place is kept"
        self.transport.close()

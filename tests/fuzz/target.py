"""
What is fuzzed: bytes of one connection, through the lane and the gateway, up to a wallet that counts. No sockets, no
tasks and no clock, so that the same bytes always do the same.
"""

import json
import re
from collections.abc import Coroutine
from typing import Any, NamedTuple, cast
from zlib import crc32

from tests.support.clock import FakeClock
from tests.unit.serve.lane.fakes import TOKEN, FakeWire

from walletbridge.gateway.gateway import Gateway
from walletbridge.gateway.running_gateway import Bridge  # noqa: TC001 - costs nothing here
from walletbridge.gateway.tokens import Tokens
from walletbridge.observe.metrics.counts import Counts
from walletbridge.observe.metrics.part import Part
from walletbridge.observe.trace import Trace
from walletbridge.protocol.answers import Answer
from walletbridge.protocol.callbacks import Callback
from walletbridge.protocol.outcomes import Outcome, Result, TransactionState
from walletbridge.serve.lane import heads
from walletbridge.serve.lane.conversation import Conversation
from walletbridge.serve.lane.deadlines import CarriedPlace
from walletbridge.serve.lane.lane import Lane
from walletbridge.settings import Callback as CallbackSettings
from walletbridge.settings import Limits, Settings, Wallet

SETTINGS = Settings(
    wallet=Wallet(target="127.0.0.1:1"),
    callback=CallbackSettings(allow_from=()),
    # So small that short inputs reach them.
    limits=Limits(header_bytes=1024, body_bytes=1000, wrong_tokens_per_second=3),
)
RIGHT_TOKEN = re.compile(rb"callback-token:[ \t]*" + TOKEN + rb"[ \t]*\r\n", re.IGNORECASE)
STATUS = re.compile(rb"HTTP/1.1 ([1-5][0-9][0-9]) ")
RESULTS = frozenset(Result)
REFUSALS = {b"400", b"431", b"505"}
_COUNTS = Counts(Part(), {})
"""Nobody looks at them, and to make them takes longer than all the rest."""
_OK = Outcome(Result.OK, 400000, TransactionState.OK)


class Said(NamedTuple):
    """All that followed of some bytes."""

    asked: list[tuple[bool, bytes | None]]
    """For each request whether it had the token, and its body."""
    wallet_calls: list[Callback]
    statuses: list[str]
    """What the client was answered, in order."""
    closed: list[str]
    is_handed_over: bool


class House:
    """The gateway, as the lane knows it, with a wallet to which all is well. Raises what goes wrong anywhere."""

    def __init__(self) -> None:
        self.wallet_calls: list[Callback] = []
        self.is_draining = False
        self.bridge = cast("Bridge", self)
        self.log = self
        self.counts = _COUNTS
        self.faults: list[BaseException] = []
        self._tokens = Tokens([TOKEN])
        clock = FakeClock()
        self._gateway = Gateway(self, self, currency_decimals=2, body_bytes_max=SETTINGS.limits.body_bytes, clock=clock)
        self.lane = Lane(self, SETTINGS, clock=clock)

    def is_callback(self, target: str) -> bool:
        return target.partition("?")[0] == SETTINGS.callback.path

    def admits(self, peer: str, tokens: tuple[bytes, ...], forwarded: tuple[bytes, ...] = ()) -> bool:
        del peer, forwarded
        return self._tokens.accept(tokens)

    async def answer(self, request: Any, trace: Trace) -> Answer:
        return await self._gateway.answer(request, trace)

    async def outcome(self, callback: Callback, *, received_at: float, trace: Trace) -> Outcome:
        """The wallet call."""
        del received_at, trace
        self.wallet_calls.append(callback)
        return _OK

    def delivered(self, trace: Trace, answer: Answer, *, sent: bool) -> None:
        del trace
        assert sent
        answered = json.loads(answer.body)
        assert answered["result"] in RESULTS, answered
        assert answer.http_status < 500, "a fault of ours"

    def answered(self, trace: Trace, answer: Answer, seconds: float) -> None:
        """The line of the log."""

    def failed(self, error: BaseException) -> None:
        """What the lane and the gateway do not let out."""
        self.faults.append(error)


def said(*pieces: bytes) -> Said:
    """What follows of bytes that come piece by piece; each question is answered before the next piece comes."""
    house, wire = House(), FakeWire()
    place = CarriedPlace(
        "192.0.2.1", house.lane.clock() + 10, cut=_never, tell=_never, is_closing=lambda: bool(wire.closed)
    )
    conversation = Conversation(house.lane, place, wire)
    answered = 0
    for piece in pieces:
        conversation.received(piece)
        while answered < len(wire.asked):
            _at_once(house.lane.answer(wire.asked[answered]))
            answered += 1
            conversation.answered()
    if house.faults:
        raise house.faults[0]
    return Said(
        [(exchange.request.has_token, exchange.request.body) for exchange in wire.asked],
        house.wallet_calls,
        # Of bytes that are wrong in several ways, which one is told may depend on which came first.
        ["refused" if status in REFUSALS else status.decode() for status in STATUS.findall(wire.sent)],
        wire.closed,
        wire.rest is not None,
    )


def check(data: bytes) -> Said:
    """What follows of the bytes. Raises AssertionError, or whatever was raised, where a rule is broken."""
    # What was read before must not matter.
    heads._remembered.cache_clear()
    whole = said(data)
    with_token = sum(has_token for has_token, _ in whole.asked)
    assert with_token <= len(RIGHT_TOKEN.findall(data)), "more was asked with the token than it stands there"
    assert len(whole.wallet_calls) <= with_token, "the wallet was called without the token"
    assert len(whole.asked) <= data.count(b"/callback"), "more was asked than there are requests"
    # The place follows from the bytes, so a finding is the bytes alone.
    place = crc32(data) % (len(data) + 1)
    pieces = said(data[:place], data[place:]) if data[:place] and data[place:] else whole
    if b"expect" not in data.lower():  # whoever waits for its answer may be closed where one who does not is read on
        assert whole == pieces, f"other things follow where it is split at {place}"
    return whole


def _at_once(coroutine: Coroutine[Any, Any, None]) -> None:
    """Runs what waits for nothing."""
    try:
        coroutine.send(None)
    except StopIteration:
        return
    raise AssertionError("waits for something")


def _never() -> None:
    raise AssertionError("no time passes")

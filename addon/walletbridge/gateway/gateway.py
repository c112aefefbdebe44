"""
One HTTP request in, one HTTP answer out: token, method, size, body, outcome, answer, and a line in the log.

Knows nothing of mitmproxy: the caller makes a Request and sends the Answer.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple, Protocol

from walletbridge.observe.trace import Trace
from walletbridge.protocol import answers
from walletbridge.protocol.answers import Answer
from walletbridge.protocol.callbacks import BadCallback, Callback, decode
from walletbridge.protocol.claims import claimed
from walletbridge.protocol.errors import OutcomeUnknown
from walletbridge.protocol.outcomes import Outcome


class Request(NamedTuple):
    """A request on the callback path."""

    method: str
    has_token: bool
    """Whether it has an accepted token."""
    body: bytes | None
    """None if it exceeds the limit."""
    received_at: float
    """On the gateway's clock, in seconds: the provider's limit runs from here."""
    is_encoded: bool = False
    """Whether its body is compressed, or declared to be."""


class Outcomes(Protocol):
    """Brings back the outcome of a callback."""

    async def outcome(self, callback: Callback, *, received_at: float, trace: Trace) -> Outcome:
        """See `Dispatch.outcome`. Raises OutcomeUnknown."""
        ...


class CallbackLog(Protocol):
    """Writes one line for each request that was answered."""

    def answered(self, trace: Trace, answer: Answer, seconds: float) -> None:
        """Logs an answered request, `seconds` after its arrival."""
        ...

    def failed(self, error: BaseException) -> None:
        """Logs a fault of the gateway. The request was answered as unknown."""
        ...


class Gateway:
    """Answers callbacks. Every request gets an answer, after any fault."""

    def __init__(
        self,
        dispatch: Outcomes,
        log: CallbackLog,
        *,
        currency_decimals: int,
        body_bytes_max: int,
        clock: Callable[[], float],
    ) -> None:
        self._dispatch = dispatch
        self._log = log
        self._currency_decimals = currency_decimals
        self._body_bytes_max = body_bytes_max
        self._clock = clock

    async def answer(self, request: Request, trace: Trace) -> Answer:
        """
        Answers `request`, and fills in `trace` on the way.

        Raises nothing: a fault of the gateway or a cancelled task is an unknown outcome.
        """
        try:
            answer = await self._answer(request, trace)
        except OutcomeUnknown as unknown:
            trace.reason = unknown.reason
            answer = answers.UNKNOWN
        except asyncio.CancelledError:
            trace.reason = "the gateway was stopped"
            answer = answers.UNKNOWN
        except Exception as error:  # noqa: BLE001 - the provider must get its answer; the log gets the error
            trace.reason = "a fault of the gateway"
            answer = answers.UNKNOWN
            with suppress(Exception):
                self._log.failed(error)
        # The wallet may have moved money by now: the answer matters more than its log line.
        try:  # noqa: SIM105 - `suppress` costs as much as the line
            self._log.answered(trace, answer, self._clock() - request.received_at)
        except Exception:  # noqa: BLE001,S110 - the log itself has failed
            pass
        return answer

    async def _answer(self, request: Request, trace: Trace) -> Answer:
        """Follows the table of answers from the top: token, method, size, body, outcome."""
        if not request.has_token:
            return answers.WRONG_TOKEN
        if request.method != "POST":
            return answers.of_method(request.method)
        if request.is_encoded:
            trace.reason = "the body is compressed"
            return answers.ENCODED
        if request.body is None or len(request.body) > self._body_bytes_max:
            return answers.of_body_size(self._body_bytes_max)
        try:
            callback = decode(request.body, currency_decimals=self._currency_decimals)
        except BadCallback as error:
            trace.reason, trace.place = str(error), error.path
            trace.claimed = claimed(request.body)
            return answers.of_bad_callback(error)
        trace.callback = callback
        outcome = await self._dispatch.outcome(callback, received_at=request.received_at, trace=trace)
        trace.outcome = outcome
        return answers.of_outcome(callback, outcome, currency_decimals=self._currency_decimals)

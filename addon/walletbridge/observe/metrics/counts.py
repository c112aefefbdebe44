"""
Counts the work of one worker: each answered callback, each ended wallet call.

The hot path is a few additions in memory; names and labels are looked up once.
"""

from bisect import bisect_left
from collections.abc import Callable, Mapping
from typing import Protocol

from walletbridge.observe.metrics import names
from walletbridge.observe.metrics.names import Refusal
from walletbridge.observe.metrics.part import Part
from walletbridge.observe.trace import CacheUse, Trace
from walletbridge.protocol.answers import Answer
from walletbridge.protocol.callbacks import Callback, Command
from walletbridge.protocol.errors import OutcomeUnknown, Overloaded
from walletbridge.protocol.outcomes import Outcome, Result

NO_COMMAND = "none"
AGAIN = "UNAVAILABLE"
"""The only gRPC status after which a read is sent again."""
_MICROSECONDS = 1_000_000
_BOUNDS = tuple(names.BOUNDS)
_REFUSALS = {405: Refusal.METHOD, 413: Refusal.BODY_SIZE, 400: Refusal.BAD_CALLBACK}


class CallbackLog(Protocol):
    """A log of answered requests and faults, as `gateway.CallbackLog`."""

    def answered(self, trace: Trace, answer: Answer, seconds: float) -> None:
        """A request was answered, `seconds` after its arrival."""
        ...

    def failed(self, error: BaseException) -> None:
        """The gateway itself failed."""
        ...


class Wallet(Protocol):
    """A wallet, as `wallet.port.Wallet`."""

    async def call(self, callback: Callback, *, deadline: float, trace: Trace) -> Outcome:
        """Makes the wallet call of `callback`."""
        ...


class Histogram:
    """A histogram of durations, in one part."""

    def __init__(self, part: Part, name: str, **labels: str) -> None:
        self._cells = part.cells
        bounds = [*(f"{bound:g}" for bound in _BOUNDS), "+Inf"]
        self._buckets = [part.series(f"{name}_bucket", **labels, le=bound) for bound in bounds]
        self._sum = part.series(f"{name}_sum", **labels)

    def observe(self, seconds: float) -> None:
        """Adds a duration to the first bucket that holds it."""
        cells = self._cells
        cells[self._buckets[bisect_left(_BOUNDS, seconds)]] += 1
        # A cell takes no negative number, and a clock never runs backwards.
        cells[self._sum] += max(0, int(seconds * _MICROSECONDS))


class Counts:
    """The numbers of one worker."""

    def __init__(self, part: Part, budgets: Mapping[Command, float]) -> None:
        """`budgets`: seconds after which the answer to a command is over its budget."""
        self.part = part
        self._cells = part.cells
        self._budgets = budgets
        self._callbacks: dict[tuple[str, Result, int], int] = {}
        self._callback_seconds = {
            command: Histogram(part, names.CALLBACK_SECONDS, command=command) for command in (*Command, NO_COMMAND)
        }
        self._over_budget = {command: part.series(names.OVER_BUDGET, command=command) for command in Command}
        self._refused = {reason: part.series(names.REFUSED, reason=reason) for reason in Refusal}
        self._faults = part.series(names.FAULTS)
        self._cache_uses = {use: part.series(names.CACHE_USES, use=use) for use in CacheUse}
        self._not_sent = {command: part.series(names.NOT_SENT, command=command) for command in Command}
        self._wallet_calls: dict[tuple[str, str], int] = {}
        self._wallet_call_seconds: dict[str, Histogram] = {}
        self.wallet_calls_in_flight = part.series(names.WALLET_CALLS_IN_FLIGHT)
        self._wallet_stuck = {command: part.series(names.WALLET_STUCK, command=command) for command in Command}
        self._journal_failing = part.series(names.JOURNAL_FAILING)
        self._journal_failures = part.series(names.JOURNAL_FAILURES)
        self._not_delivered = part.series(names.NOT_DELIVERED)

    def answered(self, trace: Trace, answer: Answer, seconds: float) -> None:
        """A request on the callback path was answered."""
        cells = self._cells
        callback = trace.callback
        command = NO_COMMAND if callback is None else callback.command
        key = (command, answer.result, answer.http_status)
        place = self._callbacks.get(key)
        if place is None:
            place = self._callbacks[key] = self._place_of(*key)
        cells[place] += 1
        self._callback_seconds[command].observe(seconds)
        if callback is None:
            reason = _REFUSALS.get(answer.http_status)
            if reason is not None:
                cells[self._refused[reason]] += 1
            return
        if seconds > self._budgets[callback.command]:
            cells[self._over_budget[callback.command]] += 1
        if trace.cache is not None:
            cells[self._cache_uses[trace.cache]] += 1

    def refused(self, reason: Refusal) -> None:
        """A request was refused for a reason that its answer does not show."""
        self._cells[self._refused[reason]] += 1

    def failed(self) -> None:
        """The gateway itself failed."""
        self._cells[self._faults] += 1

    def not_delivered(self) -> None:
        """The client of an answer had left."""
        self._cells[self._not_delivered] += 1

    def not_sent(self, command: Command) -> None:
        """A wallet call ended before it was sent."""
        self._cells[self._not_sent[command]] += 1

    def shed(self, command: Command, unknown: OutcomeUnknown) -> None:
        """A wallet call was refused before it was sent: all places are taken, or the wallet is down."""
        self.refused(Refusal.OVERLOAD if isinstance(unknown, Overloaded) else Refusal.WALLET_DOWN)
        self.not_sent(command)

    def called(self, method: str, status: str, seconds: float, *, again: int) -> None:
        """A wallet call ended with `status`, after `again` failed tries."""
        self._cells[self._place_of_call(method, status)] += 1
        if again:
            self._cells[self._place_of_call(method, AGAIN)] += again
        histogram = self._wallet_call_seconds.get(method)
        if histogram is None:
            histogram = Histogram(self.part, names.WALLET_CALL_SECONDS, method=_bare(method))
            self._wallet_call_seconds[method] = histogram
        histogram.observe(seconds)

    def wallet_connected(self, *, is_connected: bool) -> None:
        """The connection to the wallet was made or lost."""
        self.part.set(names.WALLET_CONNECTED, int(is_connected))

    def wallet_stuck(self, command: Command, *, is_stuck: bool) -> None:
        """The wallet stopped answering this one command, or answers it again."""
        self._cells[self._wallet_stuck[command]] = int(is_stuck)

    def journal_failing(self, *, is_failing: bool) -> None:
        """The journal started to fail, or works again."""
        self._cells[self._journal_failing] = int(is_failing)
        self._cells[self._journal_failures] += is_failing

    def _place_of(self, command: str, result: Result, http_status: int) -> int:
        return self.part.series(names.CALLBACKS, command=command, result=str(int(result)), http_status=str(http_status))

    def _place_of_call(self, method: str, status: str) -> int:
        key = (method, status)
        place = self._wallet_calls.get(key)
        if place is None:
            place = self._wallet_calls[key] = self.part.series(names.WALLET_CALLS, method=_bare(method), status=status)
        return place


def _bare(method: str) -> str:
    """A gRPC method's name without its service's."""
    return method.rpartition("/")[2]


class CountingLog:
    """A log that also counts."""

    def __init__(self, log: CallbackLog, counts: Counts) -> None:
        self._log = log
        self._counts = counts

    def answered(self, trace: Trace, answer: Answer, seconds: float) -> None:
        """Counts and logs an answered request."""
        # Count first: a failing log must not stop the counting.
        self._counts.answered(trace, answer, seconds)
        self._log.answered(trace, answer, seconds)

    def failed(self, error: BaseException) -> None:
        """Counts and logs a fault of the gateway."""
        self._counts.failed()
        self._log.failed(error)


class CountingWallet:
    """A wallet that counts all its calls."""

    def __init__(self, wallet: Wallet, counts: Counts, *, clock: Callable[[], float]) -> None:
        self._wallet = wallet
        self._counts = counts
        self._clock = clock

    async def call(self, callback: Callback, *, deadline: float, trace: Trace) -> Outcome:
        """Makes and counts the wallet call of `callback`."""
        counts = self._counts
        cells, in_flight = counts.part.cells, counts.wallet_calls_in_flight
        tries = trace.tries
        started = self._clock()
        cells[in_flight] += 1
        try:
            return await self._wallet.call(callback, deadline=deadline, trace=trace)
        finally:
            cells[in_flight] -= 1
            sent = trace.tries - tries
            if sent:
                counts.called(trace.wallet_method, trace.grpc_status, self._clock() - started, again=sent - 1)
            else:
                counts.not_sent(callback.command)

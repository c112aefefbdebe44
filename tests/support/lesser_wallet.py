"""A wallet that promises as little as it is told to, keeps true books, and does to a call what is scripted."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum

from tests.support.clock import FakeClock

from walletbridge.observe.trace import Trace
from walletbridge.protocol.callbacks import Bet, Callback, Cancel, Command, Status, Undo, Win
from walletbridge.protocol.errors import OutcomeUnknown
from walletbridge.protocol.outcomes import Outcome, Result, TransactionState
from walletbridge.rules.promises import Promises, Repeats

CALL_SECONDS = 0.05
START_BALANCE = 100


class Crash(BaseException):
    """The gateway's process dies, with the call under way."""


class Fate(Enum):
    """What becomes of a call that moves money."""

    GIVEN = "it is made and answered"
    NO_BALANCE = "it is made and answered, and its balance cannot be read"
    LOST = "it is made, and the answer is lost"
    LATE = "it is made some time after nobody waits for it any more"
    DROPPED = "it is not made, and not answered"
    NOT_SENT = "there is no connection"
    CRASH_BEFORE = "the gateway dies, and it is not made"
    CRASH_AFTER = "the gateway dies, and it is made"


@dataclass(slots=True)
class LesserWallet:
    """A `Wallet` for one player. What it does not promise it does wrong; what it has not must not be asked for."""

    promises: Promises
    clock: FakeClock
    late_seconds: float = 6.0
    balance: int = START_BALANCE
    moves: list[tuple[str, str, int]] = field(default_factory=list)
    """Transaction, `made` or `undone`, and what it added to the balance."""
    fates: list[Fate] = field(default_factory=list)
    """Of the next calls that move money; after them everything goes well."""
    is_mute: bool = False
    """It answers no question."""
    refuses_player: int = 0
    """21 or 22."""
    calls: list[Callback] = field(default_factory=list)
    late: list[tuple[float, Callable[[], object]]] = field(default_factory=list)
    _barred: set[str] = field(default_factory=set)

    def count(self, trans_id: str, what: str) -> int:
        """How often a transaction was made or undone."""
        return sum(move[:2] == (trans_id, what) for move in self.moves)

    def net(self, trans_id: str) -> int:
        """What a transaction has added to the balance in the end."""
        return sum(amount for moved, _, amount in self.moves if moved == trans_id)

    def land(self) -> None:
        """What is late by now comes to pass."""
        due = [do for at, do in self.late if at <= self.clock()]
        self.late = [(at, do) for at, do in self.late if at > self.clock()]
        for do in due:
            do()

    async def call(self, callback: Callback, *, deadline: float, trace: Trace) -> Outcome:
        """See `Wallet.call`."""
        trace.tries += 1
        self.calls.append(callback)
        self.land()
        if not isinstance(callback, Bet | Win | Cancel):
            self.clock.tick(5 * CALL_SECONDS)
            if self.is_mute:
                raise OutcomeUnknown("no answer", sent=True)
            return self._read(callback)
        fate = self.fates.pop(0) if self.fates else Fate.GIVEN
        if fate is Fate.NOT_SENT:
            raise OutcomeUnknown("no connection", sent=False)
        self.clock.tick(CALL_SECONDS)
        if fate is Fate.LATE:
            ends_at = max(deadline, self.clock())
            self.late.append((ends_at + self.late_seconds, lambda: self._execute(callback)))
        elif fate not in {Fate.DROPPED, Fate.CRASH_BEFORE}:
            outcome = self._execute(callback)
            if fate is Fate.GIVEN:
                return outcome
            if fate is Fate.NO_BALANCE:
                return Outcome(outcome.result, None)
        if fate in {Fate.CRASH_BEFORE, Fate.CRASH_AFTER}:
            raise Crash
        self.clock.tick(max(0.0, deadline - self.clock()))
        raise OutcomeUnknown("no answer", sent=True)

    def _execute(self, callback: Bet | Win | Cancel) -> Outcome:
        if self.refuses_player and self.refuses_player in self.promises.checks & set(callback.checks):
            return Outcome(Result(self.refuses_player))
        if isinstance(callback, Undo):
            assert not self.promises.has_cancel
            amount = callback.amount if callback.undone is Command.BET else -callback.amount
            return self._move(callback.trans_key, "undone", amount)
        if isinstance(callback, Cancel):
            assert self.promises.has_cancel
            return self._cancel(callback.trans_key)
        amount = callback.amount if isinstance(callback, Win) else -callback.amount
        return self._move(callback.trans_key, "made", amount)

    def _move(self, key: str, what: str, amount: int) -> Outcome:
        if what == "made" and key in self._barred:
            return self._outcome(Result.FAILED)
        is_covered = 31 not in self.promises.checks or amount >= 0 or self.balance + amount >= 0
        if self.promises.checks_balance_first and not is_covered:
            return self._outcome(Result.BALANCE_INSUFFICIENT)
        if self.count(key, what) and self.promises.repeats is not Repeats.UNPROTECTED:
            is_told = self.promises.repeats is Repeats.REPORTED
            return self._outcome(Result.ALREADY_PROCESSED if is_told else Result.OK)
        if not is_covered:
            return self._outcome(Result.BALANCE_INSUFFICIENT)
        self.balance += amount
        self.moves.append((key, what, amount))
        return self._outcome(Result.OK)

    def _cancel(self, key: str) -> Outcome:
        if not self.count(key, "made"):
            if self.promises.late_bets_refused:
                self._barred.add(key)
            return self._outcome(Result.TRANSACTION_NOT_FOUND if 42 in self.promises.checks else Result.OK)
        is_safe = self.promises.cancels_repeat_safely and self.promises.repeats is not Repeats.UNPROTECTED
        if not (self.count(key, "undone") and is_safe):
            amount = -next(amount for moved, what, amount in self.moves if (moved, what) == (key, "made"))
            self.balance += amount
            self.moves.append((key, "undone", amount))
        return self._outcome(Result.OK)

    def _read(self, callback: Callback) -> Outcome:
        if self.refuses_player in callback.checks:
            return Outcome(Result(self.refuses_player))
        if not isinstance(callback, Status):
            return self._outcome(Result.OK)
        assert self.promises.has_status
        if not self.count(callback.trans_key, "made"):
            return self._outcome(Result.TRANSACTION_NOT_FOUND)
        is_cancelled = self.promises.has_cancel and self.count(callback.trans_key, "undone") > 0
        # Its balance means nothing: no answer is made with it.
        return Outcome(Result.OK, -1, TransactionState.CANCELED if is_cancelled else TransactionState.OK)

    def _outcome(self, result: Result) -> Outcome:
        return Outcome(result, self.balance)

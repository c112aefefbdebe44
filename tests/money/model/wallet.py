"""A wallet that does what it is told to do wrong, one call after the other, and keeps true books."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum

from msgspec.structs import replace
from tests.money.model.books import Books, Kindness, Stand, execute

from walletbridge.observe.trace import Trace
from walletbridge.protocol.callbacks import Bet, Callback, Cancel, Status, Win
from walletbridge.protocol.errors import OutcomeUnknown
from walletbridge.protocol.outcomes import Outcome, Result, TransactionState
from walletbridge.rules.row import Kind

PROMPT_SECONDS = 0.01
START_BALANCE = 100_000
OLD_SECONDS = 60.0
"""The age from which it refuses a call for it."""


class Way(Enum):
    """What becomes of a call."""

    GIVEN = "it is made and answered"
    LOST = "it is made, and the answer is lost"
    REFUSED = "it is refused"
    DROPPED = "it is not made, and not answered"


@dataclass(frozen=True, slots=True)
class Fate:
    """What a call comes to, so many seconds after it was sent, whether somebody still waits for it or not."""

    way: Way = Way.GIVEN
    seconds: float = PROMPT_SECONDS


@dataclass(slots=True)
class ModelWallet:
    """A `Wallet` on the running loop's time."""

    kindness: Kindness
    clock: Callable[[], float]
    books: dict[str, Books] = field(default_factory=dict)
    amounts: dict[str, int] = field(default_factory=dict)
    """By transaction: what it adds to the balance, negative for a bet."""
    fates: dict[str, list[Fate]] = field(default_factory=dict)
    """Of a transaction's next calls; after them everything goes well."""
    is_away: bool = False
    is_warming: bool = False
    """It refuses everything."""
    lag_seconds: float = 0.0
    """How old what a `status` sees is."""
    history: dict[str, list[tuple[float, Stand]]] = field(default_factory=dict)
    calls: list[Callback] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    @property
    def balance(self) -> int:
        standing = [key for key, books in self.books.items() if books.stand is Stand.MADE]
        return START_BALANCE + sum(self.amounts[key] for key in standing)

    async def call(self, callback: Callback, *, deadline: float, trace: Trace) -> Outcome:
        """See `Wallet.call`."""
        if self.is_away:
            raise OutcomeUnknown("there is no connection to the wallet", sent=False)
        trace.tries += 1
        self.calls.append(callback)
        if not isinstance(callback, Bet | Win | Cancel):
            await asyncio.sleep(PROMPT_SECONDS)
            return self._read(callback)
        fates = self.fates.get(callback.trans_key)
        fate = fates.pop(0) if fates else Fate()
        outcome = self._at(fate, callback)
        left = max(0.0, deadline - self.clock())
        await asyncio.wait({outcome}, timeout=left)
        if fate.way in {Way.LOST, Way.DROPPED} or not outcome.done():
            raise OutcomeUnknown("the wallet did not answer", sent=True)
        return outcome.result()

    def _at(self, fate: Fate, callback: Bet | Win | Cancel) -> asyncio.Future[Outcome]:
        loop = asyncio.get_running_loop()
        outcome: asyncio.Future[Outcome] = loop.create_future()

        def come() -> None:
            came = self._execute(fate, callback)
            if not outcome.done():
                outcome.set_result(came)

        loop.call_later(fate.seconds, come)
        return outcome

    def _execute(self, fate: Fate, callback: Bet | Win | Cancel) -> Outcome:
        if fate.way is Way.REFUSED or self.is_warming or self._is_old(callback):
            return Outcome(Result.FAILED, self.balance)
        if fate.way is Way.DROPPED:
            return Outcome(Result.FAILED)
        key = callback.trans_key
        if not isinstance(callback, Cancel):
            amount = callback.amount if isinstance(callback, Win) else -callback.amount
            if self.amounts.setdefault(key, amount) != amount:
                self.wrong.append(f"another callback with the id {key} was sent")
        kindness = self.kindness
        if isinstance(callback, Win):
            # Nothing keeps a wallet that does not know repeats from paying a late win once more, after its cancel.
            kindness = replace(kindness, reports_repeats=True)
        kind = Kind(callback.command.value)
        self.books[key], result = execute(self.books.get(key, Books()), kind, kindness)
        self.history.setdefault(key, []).append((self.clock(), self.books[key].stand))
        return Outcome(result, self.balance)

    def _is_old(self, callback: Bet | Win | Cancel) -> bool:
        """wallet.v1 may refuse what is long past, and is not to refuse what is sent again."""
        is_redelivered = not isinstance(callback, Bet) and callback.redelivered
        return not is_redelivered and self.clock() - (callback.requested_at or 0) > OLD_SECONDS

    def _read(self, callback: Callback) -> Outcome:
        if not isinstance(callback, Status):
            return Outcome(Result.OK, self.balance)
        seen_at = self.clock() - self.lag_seconds
        stands = [stand for at, stand in self.history.get(callback.trans_key, []) if at <= seen_at]
        stand = stands[-1] if stands else Stand.UNKNOWN
        if stand is Stand.UNKNOWN:
            return Outcome(Result.TRANSACTION_NOT_FOUND, self.balance)
        state = TransactionState.OK if stand is Stand.MADE else TransactionState.CANCELED
        return Outcome(Result.OK, self.balance, state)

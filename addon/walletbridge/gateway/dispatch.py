"""
Takes each callback to the wallet within its budget.
"""

from collections.abc import Callable, Mapping

from walletbridge.observe.trace import Trace
from walletbridge.protocol.callbacks import Authenticate, Balance, Bet, Callback, Cancel, Command, Status, Win
from walletbridge.protocol.errors import OutcomeUnknown
from walletbridge.protocol.outcomes import Outcome
from walletbridge.transactions.questions import ask
from walletbridge.transactions.status_cache import StatusCache
from walletbridge.transactions.transactions import Transactions
from walletbridge.wallet.port import Wallet


class Dispatch:
    """Takes a callback to the wallet. Returns a definite outcome or raises OutcomeUnknown."""

    def __init__(  # noqa: PLR0913 - all parts that answer a callback
        self,
        wallet: Wallet,
        transactions: Transactions,
        status_cache: StatusCache,
        *,
        budgets: Mapping[Command, float],
        clock: Callable[[], float],
        for_cancels: Transactions | None = None,
    ) -> None:
        """
        `budgets`: seconds from the request's arrival to the end of the wallet call. PROTOCOL: Time limits.
        `for_cancels` takes cancels to the wallet; None: `transactions` does.
        """
        self._wallet = wallet
        self._transactions = transactions
        self._for_cancels = for_cancels or transactions
        self._status_cache = status_cache
        self._budgets = budgets
        self._clock = clock

    async def outcome(self, callback: Callback, *, received_at: float, trace: Trace) -> Outcome:
        """
        Makes the callback's one wallet call, or answers from the cache or the journal.

        Raises OutcomeUnknown if the outcome is not known when the budget has passed.
        """
        trace.budget = self._budgets[callback.command]
        deadline = received_at + trace.budget
        match callback:
            case Bet() | Win():
                return await self._transactions.move(callback, deadline=deadline, trace=trace)
            case Cancel():
                return await self._for_cancels.cancel(callback, deadline=deadline, trace=trace)
            case Status():
                return await self._status(callback, deadline, trace)
            case Authenticate() | Balance():
                self._expect_budget(deadline)
                return await ask(self._wallet, callback, deadline=deadline, trace=trace, clock=self._clock)

    async def _status(self, callback: Status, deadline: float, trace: Trace) -> Outcome:
        self._expect_budget(deadline)

        async def load() -> Outcome:
            return await self._transactions.status(callback, deadline=deadline, trace=trace)

        outcome, trace.cache = await self._status_cache.ask(callback, load, deadline=deadline)
        return outcome

    def _expect_budget(self, deadline: float) -> None:
        """
        Raises OutcomeUnknown if no budget is left. Not for movements and cancels: each of them must have its row in the
        journal.
        """
        if self._clock() >= deadline:
            raise OutcomeUnknown("the budget was used up before the callback was read", sent=False)

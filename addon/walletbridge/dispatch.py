"""
What a callback does: its budget, the status cache, one call to the wallet.
"""

from collections.abc import Callable, Mapping
from contextlib import nullcontext

from walletbridge.callbacks import Callback, Cancel, Command, Status
from walletbridge.errors import OutcomeUnknown
from walletbridge.outcomes import Outcome
from walletbridge.status_cache import StatusCache
from walletbridge.trace import Trace
from walletbridge.wallet.port import Wallet


class Dispatch:
    """Takes a callback to the wallet and brings back a definite outcome, or OutcomeUnknown."""

    def __init__(
        self,
        wallet: Wallet,
        status_cache: StatusCache,
        *,
        budgets: Mapping[Command, float],
        clock: Callable[[], float],
    ) -> None:
        """`budgets`: seconds from the request's arrival to the end of the wallet call. PROTOCOL: Time limits."""
        self._wallet = wallet
        self._status_cache = status_cache
        self._budgets = budgets
        self._clock = clock

    async def outcome(self, callback: Callback, *, received_at: float, trace: Trace) -> Outcome:
        """
        Makes the callback's one wallet call, or answers a status from the cache.

        Raises OutcomeUnknown where the outcome is not known when the budget has passed.
        """
        deadline = received_at + self._budgets[callback.command]
        if self._clock() >= deadline:
            raise OutcomeUnknown("the budget was used up before the callback was read", sent=False)
        if isinstance(callback, Status):

            async def load() -> Outcome:
                return await self._wallet.call(callback, deadline=deadline, trace=trace)

            outcome, trace.cache = await self._status_cache.ask(callback, load, deadline=deadline)
            return outcome
        with self._status_cache.canceling(callback) if isinstance(callback, Cancel) else nullcontext():
            return await self._wallet.call(callback, deadline=deadline, trace=trace)

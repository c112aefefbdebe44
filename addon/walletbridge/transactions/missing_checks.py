"""
Makes the checks that a wallet lacks, by questions right before a movement or cancel. PROTOCOL: Checks.

A question is not part of the movement, so its answer may no longer hold when the movement is made. One balance may pass
two concurrent bets of which it covers one. These checks are as good as the wallet's promises permit, and do not protect
against such a race.
"""

from dataclasses import dataclass

from walletbridge.observe.trace import Trace
from walletbridge.protocol.callbacks import Bet, Callback, Cancel, Status, Win
from walletbridge.protocol.checks import OF_PLAYER, Check
from walletbridge.protocol.outcomes import Outcome, Result
from walletbridge.rules.promises import Promises, Repeats
from walletbridge.transactions.questions import ask_player, checks_of_player, is_known
from walletbridge.wallet.port import Wallet


def checked(wallet: Wallet, promises: Promises) -> Wallet:
    """Returns `wallet` if it makes all checks in the right order, else a wallet that asks questions first."""
    makes_all = promises.checks >= OF_PLAYER | {Check.BALANCE_SUFFICIENT}
    if makes_all and not promises.checks_balance_first and promises.repeats is not Repeats.UNPROTECTED:
        return wallet
    return CheckedWallet(wallet, promises)


class CheckedWallet:
    """
    A `Wallet` that adds checks. A failed check is the outcome, as if the wallet had made it. A question without an
    answer raises OutcomeUnknown with `sent=False`: the callback was not sent, or was refused with 31.
    """

    def __init__(self, wallet: Wallet, promises: Promises) -> None:
        self._wallet = wallet
        self._promises = promises
        self._looks_up = promises.repeats is Repeats.UNPROTECTED and promises.has_status

    async def call(self, callback: Callback, *, deadline: float, trace: Trace) -> Outcome:
        """See `Wallet.call`."""
        if not isinstance(callback, Bet | Win | Cancel | Status):
            return await self._wallet.call(callback, deadline=deadline, trace=trace)
        asking = _Asking(self._wallet, callback, deadline, trace)
        failed = await self._first_failed(asking)
        if failed is not None:
            return failed
        outcome = await self._wallet.call(callback, deadline=deadline, trace=trace)
        is_early = self._promises.checks_balance_first and outcome.result is Result.BALANCE_INSUFFICIENT
        return await self._in_order(asking, outcome) if is_early else outcome

    async def _first_failed(self, asking: "_Asking") -> Outcome | None:
        """The outcome of the first check, in the provider's order, that the gateway makes and that fails."""
        callback, made_by_wallet = asking.callback, self._promises.checks
        if isinstance(callback, Bet | Win) and self._looks_up and await asking.is_known():
            # A movement that the journal lacks may still have been made: before the journal began, or before it was
            # lost.
            return await asking.repeated()
        if isinstance(callback, Bet) and Check.BALANCE_SUFFICIENT in set(callback.checks) - made_by_wallet:
            player = await asking.player(checks_of_player(callback))
            if player.result is not Result.OK:
                return player
            if (player.balance or 0) < callback.amount:
                return await self._in_order(asking, Outcome(Result.BALANCE_INSUFFICIENT, player.balance))
            return None
        missing = checks_of_player(callback)
        if set(missing) <= made_by_wallet:
            return None
        player = await asking.player(missing)
        return None if player.result is Result.OK else player

    async def _in_order(self, asking: "_Asking", insufficient: Outcome) -> Outcome:
        """Answers a 31 found without a check for a repeat. The provider may expect 41 first, so check now."""
        checks = asking.callback.checks
        if (
            Check.BALANCE_SUFFICIENT not in checks
            or Check.NOT_PROCESSED not in checks[: checks.index(Check.BALANCE_SUFFICIENT)]
        ):
            return insufficient
        if not self._promises.has_status or not await asking.is_known():
            return insufficient
        return Outcome(Result.ALREADY_PROCESSED, insufficient.balance)


@dataclass(slots=True)
class _Asking:
    """The questions for one callback, each asked at most once."""

    wallet: Wallet
    callback: Bet | Win | Cancel | Status
    deadline: float
    trace: Trace
    _known: bool | None = None

    async def is_known(self) -> bool:
        if self._known is None:
            trans_id = self.callback.trans_id
            self._known = await is_known(self.wallet, self.callback, trans_id, deadline=self.deadline, trace=self.trace)
        return self._known

    async def player(self, checks: tuple[int, ...]) -> Outcome:
        return await ask_player(self.wallet, self.callback, checks, deadline=self.deadline, trace=self.trace)

    async def repeated(self) -> Outcome:
        """41, or the first failing check of the player that precedes it."""
        player = await self.player(checks_of_player(self.callback, before=Check.NOT_PROCESSED))
        return player if player.result is not Result.OK else Outcome(Result.ALREADY_PROCESSED, player.balance)

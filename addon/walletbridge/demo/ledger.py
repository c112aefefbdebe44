"""
The demo wallet's money: applies each call of wallet.v1 to the books.

Each operation is one `BEGIN IMMEDIATE` transaction. It makes the checks, moves the money and keeps the record, or
changes nothing. `protos/wallet/v1/wallet_service.proto` states what each operation promises.
"""

import time
from collections.abc import Callable, Iterable
from pathlib import Path

from walletbridge.demo.books import Books, Player, Transaction
from walletbridge.demo.first_refusal import first_refusal, refusal_of_read
from walletbridge.protocol.checks import Check
from walletbridge.protocol.fields import TRANS_ID_CHARACTERS_MAX
from walletbridge.protocol.money import INT64_MAX
from walletbridge.protocol.outcomes import Outcome, Result, TransactionState

_STATES = {False: TransactionState.OK, True: TransactionState.CANCELED}


class Ledger(Books):
    """
    The six operations on the books in the file at `path`. Thread-safe.

    With `remembers_cancels=False` the wallet promises less: it forgets a cancel of an unknown transaction. A bet or win
    that was requested more than `late_after_seconds` before `clock()` (Unix seconds) is refused.
    """

    def __init__(
        self,
        path: Path | str,
        *,
        remembers_cancels: bool = True,
        late_after_seconds: int | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(path, clock=clock)
        self._remembers_cancels = remembers_cancels
        self._late_after_seconds = late_after_seconds

    # Each operation appends the checks that its promises need, even if the request does not list them.

    def authenticate(self, account: str, checks: Iterable[int]) -> Outcome:
        """Checks whether the player may open a game; returns the balance. Raises UnknownCheck."""
        return self.get_balance(account, checks)

    def get_balance(self, account: str, checks: Iterable[int]) -> Outcome:
        """Returns the player's balance. Raises UnknownCheck."""
        with self.step():
            player = self.player(account)
            refusal = refusal_of_read(checks, _of_player(player))
            return Outcome(refusal or Result.OK, player.balance)

    def place_bet(
        self, account: str, checks: Iterable[int], trans_id: str, amount: int, requested_at: int | None = None
    ) -> Outcome:
        """Subtracts a stake of `amount` minor units from the balance. `requested_at` is in Unix seconds."""
        checks = (*checks, Check.NOT_PROCESSED, Check.BALANCE_SUFFICIENT)
        return self._process(Transaction(trans_id, account, "bet", amount), checks, requested_at)

    def settle_win(
        self, account: str, checks: Iterable[int], trans_id: str, amount: int, requested_at: int | None = None
    ) -> Outcome:
        """Adds a win of `amount` minor units to the balance. `requested_at` is in Unix seconds."""
        checks = (*checks, Check.NOT_PROCESSED)
        return self._process(Transaction(trans_id, account, "win", amount), checks, requested_at)

    def cancel_transaction(self, account: str, checks: Iterable[int], trans_id: str) -> Outcome:
        """Reverses the account's bet or win. Remembers the cancel if no account has the transaction."""
        with self.step():
            player, known = self.player(account), self.transaction(trans_id)
            holds = _of_player(player) | {Check.TRANSACTION_EXISTS: _is_of(known, account)}
            refusal = first_refusal((*checks, Check.TRANSACTION_EXISTS), holds)
            if refusal is Result.TRANSACTION_NOT_FOUND and known is None and self._remembers_cancels:
                self.remember_cancel(trans_id, account)
            if refusal or known is None:
                return Outcome(refusal or Result.TRANSACTION_NOT_FOUND, player.balance)
            if known.canceled:
                return Outcome(Result.OK, player.balance)
            if not _fits(player.balance - known.delta):
                return Outcome(Result.FAILED, player.balance)
            self.mark_canceled(trans_id)
            return self.move(trans_id, "cancel", player, -known.delta)

    def get_transaction_status(self, account: str, checks: Iterable[int], trans_id: str) -> Outcome:
        """Returns whether the account's transaction stands or was cancelled. Raises UnknownCheck."""
        with self.step():
            player, known = self.player(account), self.transaction(trans_id)
            holds = _of_player(player) | {Check.TRANSACTION_EXISTS: _is_of(known, account)}
            refusal = refusal_of_read((*checks, Check.TRANSACTION_EXISTS), holds)
            if refusal or known is None:
                return Outcome(refusal or Result.TRANSACTION_NOT_FOUND, player.balance)
            return Outcome(Result.OK, player.balance, _STATES[known.canceled])

    def _process(self, new: Transaction, checks: Iterable[int], requested_at: int | None) -> Outcome:
        """
        Makes a bet or win. A `trans_id` is unique across accounts: if another account has used it, the outcome is
        ALREADY_PROCESSED, with the balance of the requesting account.
        """
        with self.step():
            player = self.player(new.account)
            holds = _of_player(player) | {Check.NOT_PROCESSED: self.transaction(new.trans_id) is None}
            if new.kind == "bet":
                holds[Check.BALANCE_SUFFICIENT] = player.balance >= new.amount
            refusal = first_refusal(checks, holds)
            if refusal is None and not self._may_process(new, player, requested_at):
                refusal = Result.FAILED
            if refusal:
                return Outcome(refusal, player.balance)
            self.add(new)
            return self.move(new.trans_id, new.kind, player, new.delta)

    def _may_process(self, new: Transaction, player: Player, requested_at: int | None) -> bool:
        """Whether a movement that has passed its checks may be made."""
        return (
            1 <= len(new.trans_id) <= TRANS_ID_CHARACTERS_MAX
            and new.amount >= 0
            and _fits(player.balance + new.delta)
            and not self._is_late(requested_at)
            and not self.has_early_cancel(new.trans_id)
        )

    def _is_late(self, requested_at: int | None) -> bool:
        if requested_at is None or self._late_after_seconds is None:
            return False
        return self._clock() - requested_at > self._late_after_seconds


def _of_player(player: Player) -> dict[int, bool]:
    return {Check.PLAYER_EXISTS: player.exists, Check.PLAYER_ACTIVE: player.active}


def _is_of(transaction: Transaction | None, account: str) -> bool:
    return transaction is not None and transaction.account == account


def _fits(balance: int) -> bool:
    return -INT64_MAX - 1 <= balance <= INT64_MAX

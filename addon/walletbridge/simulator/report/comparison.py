"""
The final comparison: what the provider's book comes to, and whether the wallet's balance agrees.
"""

from collections.abc import Container, Iterable
from decimal import Decimal

from walletbridge.protocol.callbacks import Command
from walletbridge.protocol.outcomes import TransactionState
from walletbridge.simulator.books.transactions import Belief, Transaction
from walletbridge.simulator.report.report import AccountLine
from walletbridge.simulator.wire.calls import text

_SUMS_MAX = 4096


def compare(
    account: str, start: int, transactions: Iterable[Transaction], balance: int | None, *, faults_expected: bool
) -> AccountLine:
    """
    Compares the wallet's `balance` with what `transactions` make of `start`, all in units of 10**-8.

    `status` must have been asked before `balance` for what is unsettled.
    """
    book = list(transactions)
    expected = start + sum(_believed(transaction) for transaction in book)
    return AccountLine(
        account=account,
        started_with=_decimal(start),
        expected=_decimal(expected),
        balance=None if balance is None else _decimal(balance),
        difference=None if balance is None else _decimal(balance - expected),
        agrees=None if balance is None else balance in _balances(start, book, faults_expected=faults_expected),
    )


def _decimal(units: int) -> Decimal:
    return Decimal(text(units))


def _balances(start: int, book: Iterable[Transaction], *, faults_expected: bool) -> Container[int]:
    """The balances that the book allows: each sum of what may have been made, or, if they are too many, their range."""
    sums, low, high = {start}, start, start
    for transaction in book:
        possible = _possible(transaction, faults_expected=faults_expected)
        low, high = low + min(possible), high + max(possible)
        if len(sums) <= _SUMS_MAX:
            sums = {total + delta for total in sums for delta in possible}
    return sums if len(sums) <= _SUMS_MAX else range(low, high + 1)


def _believed(transaction: Transaction) -> int:
    owed = transaction.belief is Belief.GIVEN_UP and transaction.call.command is Command.WIN
    return transaction.delta if owed or transaction.belief is Belief.APPLIED else 0


def _possible(transaction: Transaction, *, faults_expected: bool) -> set[int]:
    """
    What the transaction may have done to the balance.

    What nobody answered may be made at any time, so only a status that cannot change any more tells: a win that is OK,
    a transaction that is CANCELED. A cancel that nobody answered counts all the same, for the provider goes on as if
    it were made: the money must be back, unless faults make it late.
    """
    if transaction.settled:
        return {_believed(transaction)}
    if transaction.wallet_says == TransactionState.CANCELED:
        return {0}
    if transaction.belief is Belief.CANCELLED:
        return {0, transaction.delta} if faults_expected else {0}
    certain = transaction.call.command is Command.WIN and not transaction.cancel_sent
    if certain and transaction.wallet_says == TransactionState.OK:
        return {transaction.delta}
    return {0, transaction.delta}

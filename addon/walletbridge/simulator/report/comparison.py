"""
The final comparison: computes the balance of the provider's book, and checks the wallet's balance against it.
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
    Compares the wallet's `balance` with `start` plus `transactions`, all in units of 10**-8.

    Ask for the `status` of unsettled transactions before `balance`.
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
    """Returns the balances that the book allows: every possible sum or, if there are too many, their range."""
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
    Returns the possible changes of the balance by the transaction.

    The wallet may make an unanswered call at any time, so only a final status decides: a win that is OK, or a
    transaction that is CANCELED. An unanswered cancel counts as made, because the provider acts as if it were: the
    money must be back, unless faults delay it.
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

"""The final comparison of the provider's book with the wallet's balance."""

from decimal import Decimal
from typing import Any

import pytest

from walletbridge.protocol.callbacks import Command
from walletbridge.simulator.books.transactions import Belief, Transaction
from walletbridge.simulator.report.comparison import compare
from walletbridge.simulator.report.report import AccountLine
from walletbridge.simulator.wire.calls import Call

UNIT = 10**8


def transaction(kind: str, amount: int, belief: Belief, **fields: Any) -> Transaction:
    """A settled transaction, unless `fields` say otherwise."""
    call = Call(command=Command(kind), account="test1234", trans_id=1, amount=amount * UNIT)
    return Transaction(call, belief, **{"settled": True} | fields)


def line(balance: int | None, *book: Transaction, faults_expected: bool = False) -> AccountLine:
    """The comparison of a book that started with 100."""
    units = None if balance is None else balance * UNIT
    return compare("test1234", 100 * UNIT, book, units, faults_expected=faults_expected)


def test_the_book_comes_to_what_was_made() -> None:
    book = [
        transaction("bet", 30, Belief.APPLIED),
        transaction("win", 50, Belief.APPLIED),
        transaction("bet", 7, Belief.CANCELLED),
        transaction("bet", 900, Belief.REFUSED),
    ]

    assert line(120, *book) == AccountLine(
        account="test1234",
        started_with=Decimal(100),
        expected=Decimal(120),
        balance=Decimal(120),
        difference=Decimal(0),
        agrees=True,
    )
    assert (line(121, *book).difference, line(121, *book).agrees) == (Decimal(1), False)
    assert (line(None, *book).difference, line(None, *book).agrees) == (None, None)


@pytest.mark.parametrize(
    ("says", "agreed"),
    [(None, {100, 150}), ("UNKNOWN", {100, 150}), ("OK", {150}), ("CANCELED", {100})],
)
def test_a_win_that_was_given_up_is_owed(says: str | None, agreed: set[int]) -> None:
    """It is expected, and may still come; once it is there it is there."""
    win = transaction("win", 50, Belief.GIVEN_UP, settled=False, wallet_says=says)

    assert line(100, win).expected == Decimal(150)
    assert {balance for balance in (99, 100, 150) if line(balance, win).agrees} == agreed


@pytest.mark.parametrize(("faults_expected", "agreed"), [(False, {100}), (True, {100, 70})])
def test_a_cancel_that_nobody_answered_counts(faults_expected: bool, agreed: set[int]) -> None:  # noqa: FBT001 - a table
    """Where faults are the matter of the run, the stake may come back later."""
    bet = transaction("bet", 30, Belief.CANCELLED, settled=False, wallet_says="OK", cancel_sent=True)

    assert line(100, bet).expected == Decimal(100)
    assert {balance for balance in (70, 100) if line(balance, bet, faults_expected=faults_expected).agrees} == agreed


def test_a_cancel_that_was_cut_off_may_come_to_either() -> None:
    win = transaction("win", 50, Belief.GIVEN_UP, settled=False, wallet_says="OK", cancel_sent=True)

    assert line(100, win).agrees
    assert line(150, win).agrees


def test_many_unsettled_transactions_leave_a_range() -> None:
    """All sums of 30 different wins would be a thousand million."""
    wins = [transaction("win", 2**power, Belief.GIVEN_UP, settled=False) for power in range(30)]

    assert line(100 + 2**30 - 1, *wins).agrees
    assert line(100, *wins).agrees
    assert line(99, *wins).agrees is False
    assert line(100 + 2**30, *wins).agrees is False

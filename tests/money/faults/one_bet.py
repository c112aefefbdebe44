"""
For tests, one transaction on which books are compared: a bet of 1.00, and what each side may have of it.
"""

from dataclasses import replace
from typing import Any

from msgspec import structs
from tests.money.faults.beliefs import Belief, Hearing, Transaction
from tests.money.faults.books import Books, Entry, Verdict, compare

from walletbridge.rules.row import CancelState, Kind, Movement, Row, Told

BET = Transaction(1, "test1234", "bet", 100, "r", Belief.APPLIED)
MADE = Entry("test1234", "bet", 100, cancelled=False, moved={"bet": (-100, 50.0)})
CANCELLED = Entry("test1234", "bet", 100, cancelled=True, moved={"bet": (-100, 50.0), "cancel": (100, 60.0)})
CONFIRMED = Row(account="test1234", trans_id="1", kind=Kind.BET, amount=100, movement=Movement.CONFIRMED, told=Told.YES)
UNDONE = structs.replace(CONFIRMED, cancel=CancelState.DONE)
ABSENT = structs.replace(CONFIRMED, movement=Movement.NONE, cancel=CancelState.NOT_FOUND, told=Told.NOTHING)
OPEN = structs.replace(CONFIRMED, cancel=CancelState.OWED)
LISTED = structs.replace(CONFIRMED, for_human="for a reason")


def of(belief: Belief, **changes: Any) -> Transaction:
    """The bet, as the provider believes."""
    return replace(BET, belief=belief, heard=[Hearing("bet", 40.0, 39.9)], **changes)


def judge(transaction: Transaction, entry: Entry | None, row: Row | None, **more: Any) -> Verdict:
    """Compares the three; `more` are fields of the books."""
    return compare(
        Books(
            transactions={transaction.key: transaction},
            entries={} if entry is None else {transaction.key: entry},
            rows={transaction.key: row},
            heard=more.pop("heard", {}),
            **more,
        )
    )

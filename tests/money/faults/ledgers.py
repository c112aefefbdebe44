"""
The wallet's ledger of a run, whichever wallet it is: how it begins, and what stands in it at the end.
"""

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

from tests.examples import audit
from tests.examples.books import Books
from tests.examples.catalog import WALLETS
from tests.money.faults import books
from tests.money.faults.books import Entry
from tests.money.faults.plan import Plan
from tests.money.faults.players import ACCOUNTS

from walletbridge.demo.ledger import Ledger
from walletbridge.rules.row import CancelState, Row

WALLET = "wallet.db"


def seed(plan: Plan, folder: Path) -> None:
    """Gives the players their first balances."""
    with _opened(plan, folder) as ledger:
        for account, (balance, active) in ACCOUNTS.items():
            ledger.add_player(account, balance, active=active)


def read(plan: Plan, folder: Path) -> tuple[dict[str, Entry], list[tuple[str, str]]]:
    """The wallet's transactions, and what is wrong with them whatever anybody else says."""
    with _opened(plan, folder) as ledger:
        if isinstance(ledger, Ledger):
            dump = ledger.dump()
            return books.entries_of(dump), list(books.sums(dump))
        wallet, booked = WALLETS[plan.example](ledger), ledger.entries()
        entries, wrong = audit.entries_of((wallet.movement(entry), entry) for entry in booked)
        return entries, [*wrong, *audit.sums(ledger.balances(), booked)]


def note_empty_cancels(plan: Plan, entries: Mapping[str, Entry], rows: Mapping[str, Row | None]) -> None:
    """A wallet without a cancel has none of what moved nothing: the journal alone knows of it, and is believed."""
    if not plan.example or WALLETS[plan.example].has_cancel:
        return
    for key, row in rows.items():
        entry = entries.get(key)
        if entry and not entry.amount and row and row.cancel is CancelState.DONE:
            entry.cancelled = True
            entry.moved["cancel"] = (0, 0.0)


@contextmanager
def _opened(plan: Plan, folder: Path) -> Iterator[Ledger | Books]:
    path = folder / WALLET
    with closing(Books(path) if plan.example else Ledger(path)) as ledger:
        yield ledger

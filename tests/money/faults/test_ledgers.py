"""The wallet's ledger of a run, whichever wallet it is."""

from contextlib import closing
from pathlib import Path

import pytest
from tests.examples.books import Books
from tests.money.faults import ledgers
from tests.money.faults.books import Entry
from tests.money.faults.plan import Plan
from tests.money.faults.players import ACCOUNTS

from walletbridge.demo.ledger import Ledger
from walletbridge.rules.row import CancelState, Kind, Row

EXAMPLE = Plan(seed=1, example="debit-credit")
DEMO = Plan(seed=1)


def cancelled(amount: int) -> Row:
    return Row(account="player1", trans_id="1", created_at=0, kind=Kind.WIN, amount=amount, cancel=CancelState.DONE)


@pytest.mark.parametrize("plan", [EXAMPLE, DEMO], ids=["example", "demo"])
def test_it_begins_with_the_players_and_without_transactions(tmp_path: Path, plan: Plan) -> None:
    ledgers.seed(plan, tmp_path)

    assert ledgers.read(plan, tmp_path) == ({}, [])


def test_the_demo_wallet_names_transactions_as_the_provider_does(tmp_path: Path) -> None:
    ledgers.seed(DEMO, tmp_path)
    with closing(Ledger(tmp_path / ledgers.WALLET)) as ledger:
        ledger.place_bet("player1", (), "7", 10)

    entries, wrong = ledgers.read(DEMO, tmp_path)
    assert (entries["7"].kind, entries["7"].amount, wrong) == ("bet", 10, [])


def test_an_example_s_entries_are_read_by_the_provider_s_names(tmp_path: Path) -> None:
    ledgers.seed(EXAMPLE, tmp_path)
    with closing(Books(tmp_path / ledgers.WALLET)) as books, books.step():
        for reference, delta in (("bet:7", -10), ("cancel:7", 10), ("win:8", 5), ("win:8", 5)):
            player = books.player("player1")
            assert player is not None
            books.post(player, reference, "any", delta)

    entries, wrong = ledgers.read(EXAMPLE, tmp_path)
    assert entries["7"].cancelled
    assert set(entries["7"].moved) == {"bet", "cancel"}
    assert wrong == [("8", "it moved money twice, as win and as win")]
    assert ACCOUNTS["player1"][0] == 1_000_000


@pytest.mark.parametrize(
    ("plan", "amount", "is_cancelled"), [(EXAMPLE, 0, True), (EXAMPLE, 1, False), (DEMO, 0, False)]
)
def test_the_journal_is_believed_where_nothing_could_move_back(plan: Plan, amount: int, *, is_cancelled: bool) -> None:
    entry = Entry("player1", "win", amount, cancelled=False, moved={"win": (amount, 1.0)})
    ledgers.note_empty_cancels(plan, {"1": entry}, {"1": cancelled(amount), "2": cancelled(0), "3": None})

    assert entry.cancelled is is_cancelled

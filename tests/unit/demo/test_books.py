"""The demo wallet's file: players, seeds, and what a crash may not break."""

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from walletbridge.demo.books import DEMO_PLAYERS
from walletbridge.demo.ledger import Ledger
from walletbridge.protocol.outcomes import Outcome, Result

OF_BALANCE = (21, 22)
OF_BET = (21, 22, 41, 31)
OF_CANCEL = (21, 22, 42)


def test_a_player_who_is_set_anew_keeps_a_sound_record(ledger: Ledger) -> None:
    ledger.place_bet("ann", OF_BET, "b1", 30)
    ledger.add_player("ann", 1000, active=False)

    assert ledger.dump()["players"][0] == {
        "account": "ann",
        "seed_minor": 1030,
        "balance_minor": 1000,
        "active": 0,
    }
    assert [row["delta_minor"] for row in ledger.dump()["movements"]] == [-30]


def test_a_player_is_switched_off_and_on(ledger: Ledger) -> None:
    ledger.set_active("ann", active=False)
    assert ledger.get_balance("ann", OF_BALANCE).result is Result.PLAYER_INACTIVE

    ledger.set_active("ann", active=True)
    assert ledger.get_balance("ann", OF_BALANCE) == Outcome(Result.OK, 100)
    with pytest.raises(KeyError, match="eve"):
        ledger.set_active("eve", active=True)


def test_the_demo_players_keep_what_they_have(ledger: Ledger) -> None:
    ledger.clear()
    ledger.seed_demo_players()
    assert ledger.get_balance("test1234", OF_BALANCE) == Outcome(Result.OK, 500_000)
    assert ledger.get_balance("inactive1", OF_BALANCE).result is Result.PLAYER_INACTIVE

    ledger.place_bet("test1234", OF_BET, "b1", 1000)
    ledger.seed_demo_players()

    assert ledger.get_balance("test1234", ()).balance == 499_000
    assert {row["account"] for row in ledger.dump()["players"]} == DEMO_PLAYERS.keys()


def test_the_demo_players_are_ones_that_the_provider_takes() -> None:
    """PROTOCOL: Request body."""
    assert {account: 4 <= len(account) <= 15 for account in DEMO_PLAYERS} == dict.fromkeys(DEMO_PLAYERS, True)


def test_clear_leaves_nothing(ledger: Ledger) -> None:
    ledger.place_bet("ann", OF_BET, "b1", 30)
    ledger.cancel_transaction("ann", OF_CANCEL, "b2")
    ledger.clear()

    assert ledger.dump() == {"players": [], "transactions": [], "early_cancels": [], "movements": []}


@pytest.mark.parametrize(
    "row",
    [("t1", "ann", "bet", 10), ("t2", "eve", "bet", 10), ("t2", "ann", "loss", 10), ("t2", "ann", "bet", -1)],
)
def test_a_seeded_transaction_must_be_a_possible_one(ledger: Ledger, row: tuple[str, str, str, int]) -> None:
    ledger.add_transaction("t1", "ann", "win", 10)
    before = ledger.dump()

    with pytest.raises(sqlite3.IntegrityError):
        ledger.add_transaction(*row)

    assert ledger.dump() == before


# The file


def test_a_ledger_outlives_its_process(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "wallet.db")
    ledger.add_player("ann", 100)
    ledger.place_bet("ann", OF_BET, "b1", 30)
    ledger.cancel_transaction("ann", OF_CANCEL, "b2")
    before = ledger.dump()
    ledger.close()

    ledger = Ledger(str(tmp_path / "wallet.db"))
    assert ledger.dump() == before
    assert ledger.place_bet("ann", OF_BET, "b1", 30) == Outcome(Result.ALREADY_PROCESSED, 70)
    assert ledger.place_bet("ann", OF_BET, "b2", 30) == Outcome(Result.FAILED, 70)
    ledger.close()


def test_a_step_that_breaks_leaves_nothing_half_done(ledger: Ledger, tmp_path: Path) -> None:
    """The record of the movement cannot be written: the bet and the new balance must go with it."""
    other = sqlite3.connect(tmp_path / "wallet.db")
    other.execute("CREATE TRIGGER broken BEFORE INSERT ON movements BEGIN SELECT RAISE(ABORT, 'no room'); END")
    other.commit()
    before = ledger.dump()

    with pytest.raises(sqlite3.IntegrityError, match="no room"):
        ledger.place_bet("ann", OF_BET, "b1", 30)
    assert ledger.dump() == before

    other.execute("DROP TRIGGER broken")
    other.commit()
    other.close()
    assert ledger.place_bet("ann", OF_BET, "b1", 30) == Outcome(Result.OK, 70)


def test_the_file_is_written_safely(ledger: Ledger, tmp_path: Path) -> None:
    def pragma(name: str) -> Any:
        return ledger._db.execute(f"PRAGMA {name}").fetchone()[0]

    assert (pragma("journal_mode"), pragma("synchronous"), pragma("foreign_keys")) == ("wal", 2, 1)
    assert pragma("user_version") == 1
    assert (tmp_path / "wallet.db-wal").exists()


def test_two_ledgers_on_one_file_move_money_once(ledger: Ledger, tmp_path: Path) -> None:
    other = Ledger(tmp_path / "wallet.db")

    assert ledger.place_bet("ann", OF_BET, "b1", 30) == Outcome(Result.OK, 70)
    assert other.place_bet("ann", OF_BET, "b1", 30) == Outcome(Result.ALREADY_PROCESSED, 70)
    other.close()


def test_a_file_of_another_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "wallet.db"
    db = sqlite3.connect(path)
    db.execute("PRAGMA user_version = 2")
    db.close()

    with pytest.raises(ValueError, match="expected a demo wallet of version 1, found 2"):
        Ledger(path)


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "wallet.db"
    path.write_text("players: ann, bob" * 100)

    with pytest.raises(sqlite3.DatabaseError, match="not a database"):
        Ledger(path)

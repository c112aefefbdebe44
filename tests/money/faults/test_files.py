"""The journal's file in the hands of an operator, and what is lost by it."""

import sqlite3
from contextlib import closing
from pathlib import Path

import apsw
import pytest
from tests.money.faults import files, people, suffering
from tests.money.faults.files import Losses, back_up, connected, remove_logs, replace, restore, rows_of

from walletbridge.rules.row import Row, Told


def _file(path: Path, *numbers: int) -> Path:
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("CREATE TABLE IF NOT EXISTS numbers (number INTEGER)")
        db.executemany("INSERT INTO numbers VALUES (?)", [(number,) for number in numbers])
        db.commit()
    return path


def _numbers(path: Path) -> list[int]:
    with closing(sqlite3.connect(path)) as db:
        return [number for (number,) in db.execute("SELECT number FROM numbers")]


def test_a_backup_holds_what_is_still_in_the_log(tmp_path: Path) -> None:
    path = _file(tmp_path / "journal.db", 1)
    with closing(sqlite3.connect(path)) as db:
        db.execute("INSERT INTO numbers VALUES (2)")
        db.commit()
        back_up(path, tmp_path / "backup.db")

    assert _numbers(tmp_path / "backup.db") == [1, 2]


def test_a_backup_is_restored_without_the_logs_of_the_old_file(tmp_path: Path) -> None:
    path, backup = _file(tmp_path / "journal.db", 1, 2), _file(tmp_path / "backup.db", 1)
    (tmp_path / "journal.db-wal").write_bytes(b"of another file")

    restore(backup, path)

    assert not (tmp_path / "journal.db-wal").exists()
    assert _numbers(path) == [1]


def test_a_file_is_replaced_by_another(tmp_path: Path) -> None:
    path, backup = _file(tmp_path / "journal.db", 1, 2), _file(tmp_path / "backup.db", 1)
    before = path.stat().st_ino

    replace(backup, path)

    assert path.stat().st_ino != before
    assert _numbers(path) == [1]
    assert backup.exists()


def test_logs_that_are_not_there_can_be_removed(tmp_path: Path) -> None:
    remove_logs(tmp_path / "journal.db")


def test_a_file_that_has_lost_its_tables_has_no_rows(tmp_path: Path) -> None:
    (tmp_path / "journal.db").touch()

    assert rows_of(tmp_path / "journal.db") == {}


def test_what_is_missing_or_older_is_lost() -> None:
    losses = Losses()
    same, newer, gone = (Row(account="a", trans_id=key, told=Told.YES) for key in "123")
    older = Row(account="a", trans_id="2")

    losses.note({"1": same, "2": newer, "3": gone}, {"1": same, "2": older}, at=7.0)

    assert losses.before == {"2": newer, "3": gone}
    assert losses.kept == {"2": older, "3": None}
    assert losses.restored_at == 7.0


def test_a_look_makes_no_file_in_the_place_of_one_that_was_removed(tmp_path: Path) -> None:
    with pytest.raises(apsw.CantOpenError), connected(tmp_path / "journal.db"):
        pass

    assert list(tmp_path.iterdir()) == []


def test_the_file_is_read_with_the_sqlite_of_the_gateways() -> None:
    """Two kinds of SQLite beside each other may corrupt a file; and in one process the one ends the other's locks."""
    used = {module.__name__ for module in (files, people, suffering) if hasattr(module, "sqlite3")}

    assert used == set()

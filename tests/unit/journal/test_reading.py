"""The journal's file is read beside the gateway that writes it."""

from pathlib import Path

import apsw
import pytest
from msgspec.structs import replace
from tests.support.money import NOT_SENT, house
from tests.unit.journal.stores import OPEN, OpenStore, count, put, take

from walletbridge.journal import reading


async def test_rows_are_found_while_they_are_written(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    async with house(path) as inside:
        await inside.send("bet", trans_id=7)
        await inside.send("bet", trans_id=8, round_id="")
        await inside.send("bet", account="somebody", trans_id=9)

        assert [one.row.account for one in reading.of_transaction(path, "9")] == ["somebody"]
        assert reading.of_transaction(path, "10") == []
        assert [one.row.trans_id for one in reading.of_account(path, "test1234")] == ["8", "7"]
        assert reading.unsettled(path) == []

        inside.script(NOT_SENT)
        await inside.send("win", trans_id=11)
        assert [one.row.trans_id for one in reading.unsettled(path)] == ["11"]


async def test_no_more_rows_come_than_people_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "ROWS_MAX", 2)
    path = tmp_path / "journal.db"
    async with house(path) as inside:
        for number in range(4):
            await inside.send("bet", trans_id=number)

        assert [one.row.trans_id for one in reading.of_account(path, "test1234")] == ["3", "2"]


async def test_a_search_that_takes_too_long_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "STEPS_MAX", 1)
    monkeypatch.setattr(reading, "_STEP_OPERATIONS", 1)
    path = tmp_path / "journal.db"
    async with house(path) as inside:
        await inside.send("bet")
        with pytest.raises(apsw.InterruptError, match="interrupt"):
            reading.of_account(path, "test1234")


def test_no_file_is_made(tmp_path: Path) -> None:
    with pytest.raises(apsw.CantOpenError):
        reading.unsettled(tmp_path / "none.db")
    assert list(tmp_path.iterdir()) == []


def test_looking_changes_nothing(path: Path, open_store: OpenStore) -> None:
    """Neither the turns of what is at work nor the files, whatever boot the one who looks was started in."""
    store = open_store()
    put(store, *(replace(OPEN, trans_id=str(number)) for number in range(3)))
    assert take(store)
    files = {file.name: file.stat().st_size for file in path.parent.iterdir()}

    rows, total = reading.listed(path, limit=2)

    assert ([one.row.trans_id for one in rows], total) == (["0", "1"], 3)
    found = reading.by_number(path, rows[0].number)
    assert found == rows[0]
    assert reading.by_number(path, 99) is None
    assert count(store, "turns") == 1
    assert {file.name: file.stat().st_size for file in path.parent.iterdir()} == files

    store.close()
    before = {file.name for file in path.parent.iterdir()}
    assert reading.listed(path, limit=9)[1] == 3
    assert {file.name for file in path.parent.iterdir()} == before

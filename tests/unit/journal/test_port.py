"""SQLite's journal is a journal, by its types and by its signatures."""

import inspect
from pathlib import Path

import pytest

from walletbridge.journal.port import Journal
from walletbridge.journal.sqlite import SqliteJournal

METHODS = sorted(name for name, value in vars(Journal).items() if inspect.isfunction(value) and name[0] != "_")


async def test_sqlite_satisfies_the_protocol(tmp_path: Path) -> None:
    journal: Journal = SqliteJournal(tmp_path / "journal.db", keep_days=1, waiting_max=1, on_problem=print)

    await journal.close()


@pytest.mark.parametrize("name", METHODS)
def test_every_method_takes_what_the_protocol_says(name: str) -> None:
    promised, kept = getattr(Journal, name), getattr(SqliteJournal, name)

    assert list(map(str, inspect.signature(kept).parameters.values())) == list(
        map(str, inspect.signature(promised).parameters.values())
    )
    assert inspect.iscoroutinefunction(kept) is inspect.iscoroutinefunction(promised)


def test_nothing_is_left_out() -> None:
    assert METHODS == ["close", "end", "look", "note", "note_soon", "now", "prune", "to_look_at"]

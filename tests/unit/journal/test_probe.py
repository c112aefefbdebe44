"""What is seen of a journal from outside: whether it can be written, and how much is open in it."""

import asyncio
import os
from collections.abc import Iterator
from contextlib import closing
from itertools import product
from pathlib import Path

import apsw
import pytest
from msgspec.structs import replace
from tests.support.clock import FakeClock

from walletbridge.journal.clock import JournalClock
from walletbridge.journal.port import Change
from walletbridge.journal.probe import FRESH_SECONDS, JournalProbe, Probed, probe
from walletbridge.journal.store import Store
from walletbridge.journal.turn_owner import worker_name
from walletbridge.rules.row import CancelState, Kind, Movement, Row, Told

EPOCH = "boot 1"
OPEN = Row(account="test1234", trans_id="1", kind=Kind.BET, movement_unresolved_since=950.0, created_at=900.0)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(1000.0)


@pytest.fixture
def store(path: Path, clock: FakeClock) -> Iterator[Store]:
    store = Store(path, worker_name(), JournalClock(EPOCH, clock))
    yield store
    store.close()


def write(store: Store, *rows: Row) -> None:
    with store.transaction():
        for row in rows:
            store.note(row.account, row.trans_id, lambda _, row=row: Change(row, takes_turn=False, value=None))  # type: ignore[misc]


def look(path: Path, clock: FakeClock, *, epoch: str = EPOCH) -> Probed:
    return probe(path, JournalClock(epoch, clock))


def test_an_empty_journal_can_be_written(path: Path, clock: FakeClock, store: Store) -> None:
    del store
    assert look(path, clock) == Probed(open_rows=0, for_human=0)


def test_what_is_open_is_counted_and_the_oldest_told(path: Path, clock: FakeClock, store: Store) -> None:
    write(
        store,
        OPEN,
        replace(OPEN, trans_id="2", created_at=990.0),
        replace(OPEN, trans_id="3", movement_unresolved_since=None, for_human="why", created_at=1.0),
        replace(OPEN, trans_id="4", movement_unresolved_since=None, created_at=1.0),
    )

    assert look(path, clock) == Probed(open_rows=2, for_human=1, oldest_seconds=100.0)


def test_open_is_what_a_row_calls_open(path: Path, clock: FakeClock, store: Store) -> None:
    """The rule stands in Python and in SQL: both say the same of every row."""
    rows = [
        Row(
            account="test1234",
            trans_id=str(number),
            kind=kind,
            movement=movement,
            cancel=cancel,
            told=told,
            movement_unresolved_since=since,
            round_cancelled=round_cancelled,
            word=word,
        )
        for number, (kind, movement, cancel, told, since, round_cancelled, word) in enumerate(
            product(
                (Kind.BET, Kind.WIN, None), Movement, CancelState, Told, (None, 1.0), (None, False, True), ("", "{}")
            )
        )
    ]
    write(store, *rows)

    assert look(path, clock).open_rows == sum(row.is_open for row in rows)


def test_ages_of_another_boot_mean_nothing(path: Path, clock: FakeClock, store: Store) -> None:
    write(store, OPEN)

    assert look(path, clock, epoch="boot 2") == Probed(open_rows=1, for_human=0)


def test_a_journal_that_is_not_there_is_not_made(path: Path, clock: FakeClock) -> None:
    assert "unable to open" in look(path, clock).problem
    assert not path.exists()


def test_a_file_that_is_no_journal_is_a_problem(path: Path, clock: FakeClock) -> None:
    path.write_bytes(b"not a database" * 100)

    assert "not a database" in look(path, clock).problem


def test_who_cannot_write_still_counts(
    path: Path, clock: FakeClock, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("walletbridge.journal.probe.BUSY_SECONDS", 0.01)
    write(store, OPEN)
    with closing(apsw.Connection(str(path))) as other:
        other.execute("BEGIN IMMEDIATE")
        found = look(path, clock)

    assert found == Probed(
        f"database is locked: process {os.getpid()} holds its write lock",
        open_rows=1,
        for_human=0,
        oldest_seconds=100.0,
        held=found.held,
    )


def test_the_look_writes(path: Path, clock: FakeClock, store: Store) -> None:
    """A disk that takes nothing more must be noticed by nobody's callback."""
    del store
    before = path.with_name("journal.db-wal").stat().st_size
    look(path, clock)

    assert path.with_name("journal.db-wal").stat().st_size > before


async def test_many_who_ask_share_a_look(path: Path, store: Store) -> None:
    times = FakeClock()
    journal = JournalProbe(path, clock=times)
    first = await asyncio.gather(journal.look(), journal.look())
    write(store, OPEN)
    assert [found.open_rows for found in [*first, await journal.look()]] == [0, 0, 0]

    times.tick(FRESH_SECONDS)
    assert (await journal.look()).open_rows == 1

"""Who reads the journal and stays is noticed by the log that grows, and named; once the reader is gone it is cut."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import apsw
import pytest
from msgspec.structs import replace
from tests.support.clock import FakeClock
from tests.support.foreign_reader import foreign_reader
from tests.unit.journal.stores import OPEN, REST, OpenStore, numbers, put

from walletbridge.journal import reading, store, wal
from walletbridge.journal.clock import JournalClock
from walletbridge.journal.port import Change
from walletbridge.journal.probe import JournalProbe, probe
from walletbridge.journal.sqlite import SqliteJournal
from walletbridge.journal.store import Store
from walletbridge.journal.wal import LOOKS, WalWatch, bytes_of, readers

BOUND = 1_000_000


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "CHECKPOINT_PAGES", 50)
    monkeypatch.setattr(wal, "LOOK_SECONDS", 0.01)


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
async def journal(path: Path, said: list[str]) -> AsyncIterator[SqliteJournal]:
    journal = SqliteJournal(
        path, keep_days=30, waiting_max=10_000, on_problem=pytest.fail, wal_bytes=BOUND, on_wal=said.append
    )
    yield journal
    await journal.close()


async def write(journal: SqliteJournal, first: int, rows: int) -> None:
    """Some at a time, as callbacks come."""
    for start in range(first, first + rows, 10):
        await asyncio.gather(*(write_one(journal, str(number)) for number in range(start, start + 10)))


async def write_one(journal: SqliteJournal, trans_id: str) -> None:
    row = replace(REST, trans_id=trans_id, round_id=f"round {trans_id}")
    await journal.note(row.account, trans_id, lambda _: Change(row, takes_turn=False, value=None))


async def test_a_reader_that_stays_is_named_and_the_log_cut_once_it_is_gone(
    path: Path, journal: SqliteJournal, said: list[str]
) -> None:
    await write(journal, 0, 100)
    watched = JournalProbe(path)
    with foreign_reader(path) as pid:
        await write(journal, 100, 2000)
        assert (watched.wal_bytes() or 0) > BOUND
        # Bets go on meanwhile, and it is said once.
        assert len(said) == 1
        assert f"process {pid} " in said[0]

    # No bet comes: the resolver looks for what is open.
    await asyncio.sleep(0.02)
    await journal.to_look_at(after=0, limit=1)
    await asyncio.sleep(0)
    await asyncio.sleep(0.05)

    assert said[1:] == [""]
    assert watched.wal_bytes() == 0
    await write(journal, 4000, 10)
    with closing(apsw.Connection(str(path))) as db:
        assert db.execute("SELECT count(*) FROM transactions").get == 2110


async def test_without_a_reader_nothing_is_said(path: Path, journal: SqliteJournal, said: list[str]) -> None:
    await write(journal, 0, 1000)

    assert said == []
    assert bytes_of(path) is not None


async def test_one_that_comes_again_is_told_again(path: Path, journal: SqliteJournal, said: list[str]) -> None:
    for time in (0, 1):
        await write(journal, 5000 * time, 10)
        with foreign_reader(path):
            await write(journal, 5000 * time + 10, 600)
        await write(journal, 5000 * time + 4000, 100)

    assert [bool(text) for text in said] == [True, False, True, False]


def test_who_reads_for_a_moment_is_no_reader_that_stays(
    store: Store, path: Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch, said: list[str]
) -> None:
    """A process that is seen in one look and not in the next has ended its read meanwhile."""
    seen = iter([{7, 8}, {8, 9}, {8}])
    monkeypatch.setattr(wal, "readers", lambda _: next(seen))
    monkeypatch.setattr(WalWatch, "_cut", lambda *_: False)
    watch = WalWatch(path, bytes_max=1, on_wal=said.append, clock=clock)
    put(store, OPEN)
    for _ in range(LOOKS + 2):
        store.look_at_wal(watch)
        clock.tick(1.0)

    [text] = said
    assert "process 8 " in text


def test_a_gateway_at_work_is_not_blamed_for_another_s_read(
    store: Store, path: Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch, said: list[str]
) -> None:
    """Under load its short reads are seen in each look. Where nobody else reads it may be what stands still."""
    with foreign_reader(path) as pid:
        for found in ({os.getpid(), pid}, {os.getpid()}):
            monkeypatch.setattr(wal, "readers", lambda _, found=found: found)
            monkeypatch.setattr(WalWatch, "_cut", lambda *_: False)
            watch = WalWatch(path, bytes_max=1, on_wal=said.append, clock=clock)
            put(store, OPEN)
            for _ in range(LOOKS):
                store.look_at_wal(watch)
                clock.tick(1.0)

    first, second = said
    assert f"for process {pid} keeps" in first
    assert f"for process {os.getpid()} keeps" in second


def test_it_looks_once_in_a_while_at_most(
    store: Store, path: Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch, said: list[str]
) -> None:
    looks: list[Path] = []

    def bytes_of(path: Path) -> int:
        looks.append(path)
        return 0

    monkeypatch.setattr(wal, "bytes_of", bytes_of)
    watch = WalWatch(path, bytes_max=1, on_wal=said.append, clock=clock)
    for _ in range(100):
        store.look_at_wal(watch)

    assert looks == [path]


def test_a_reader_that_nobody_can_see_from_here_is_told_as_such(
    store: Store, path: Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch, said: list[str]
) -> None:
    monkeypatch.setattr(WalWatch, "_cut", lambda *_: False)
    watch = WalWatch(path, bytes_max=1, on_wal=said.append, clock=clock)
    put(store, OPEN)
    for _ in range(LOOKS):
        store.look_at_wal(watch)
        clock.tick(1.0)

    assert "a process that cannot be seen from here" in said[0]


def test_readers_are_other_processes_that_read(store: Store, path: Path) -> None:
    put(store, OPEN)
    with closing(apsw.Connection(str(path))) as own:
        own.execute("BEGIN")
        assert own.execute("SELECT count(*) FROM transactions").get == 1
        with foreign_reader(path) as pid:
            assert readers(path) == {pid}
    assert readers(path) == set()
    assert readers(path.with_name("nothing.db")) == set()


def test_our_own_looks_leave_no_read_open(open_store: OpenStore, path: Path, tmp_path: Path) -> None:
    """Each is short: what it has found is in memory before anybody is asked or anything printed."""
    store = open_store()
    put(store, *[replace(OPEN, trans_id=str(number)) for number in range(1, 6)])
    with store.transaction():
        assert numbers(store.rows_to_look_at(after=0, limit=2)) == [1, 2]
    assert store.numbered_row(1) is not None
    reading.listed(path, limit=2)
    # In the middle of its pages, as where somebody reads what was printed.
    listed = reading.all_listed(path, rows=2)
    assert len(next(listed)) == 2
    reading.by_number(path, 1)
    reading.unsettled(path)
    reading.back_up(path, tmp_path / "copy.db")
    probe(path, JournalClock("boot 1", FakeClock()))

    with closing(apsw.Connection(str(path))) as other:
        assert other.execute("SELECT count(*) FROM transactions").get == 5
        pages, moved = other.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
    assert (pages, moved, bytes_of(path)) == (0, 0, 0)

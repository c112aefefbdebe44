"""The journal's thread: one commit for all that wait, in their order; a failing disk is told, and got over."""

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager, closing
from pathlib import Path

import apsw
import pytest
from tests.support.waiting import until

from walletbridge.journal import store as store_module
from walletbridge.journal import writer as writer_module
from walletbridge.journal.clock import journal_clock
from walletbridge.journal.port import Change, Found, JournalUnavailable
from walletbridge.journal.store import Store
from walletbridge.journal.turn_owner import worker_name
from walletbridge.journal.writer import BATCH_MAX, CROWD, Job, Writer
from walletbridge.rules.row import Kind, Row

TIMEOUT = 20.0
NOT_A_DATABASE = b"this is no database, whatever its name says" * 100


class Disk:
    """Opens the file for a writer, and sees what is done to it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.openings = 0
        self.commits = 0
        self.problems: list[str] = []
        """What `on_problem` has heard."""

    def open(self) -> Store:
        self.openings += 1
        store = Store(self.path, worker_name(), journal_clock())
        store._db.exec_trace = self._see
        return store

    def _see(self, _: apsw.Cursor, statement: str, __: object) -> bool:
        self.commits += statement == "COMMIT"
        return True

    def ids(self) -> list[str]:
        """The transactions in the file, in the order in which they were written."""
        with closing(apsw.Connection(str(self.path))) as db:
            return [trans_id for (trans_id,) in db.execute("SELECT trans_id FROM transactions ORDER BY id")]


@asynccontextmanager
async def writing(disk: Disk, *, waiting_max: int = 10_000) -> AsyncIterator[Writer]:
    writer = Writer(disk.open, waiting_max=waiting_max, on_problem=disk.problems.append)
    try:
        async with asyncio.timeout(TIMEOUT):
            yield writer
    finally:
        await writer.close()


@pytest.fixture
def disk(tmp_path: Path) -> Disk:
    return Disk(tmp_path / "journal.db")


@pytest.fixture
async def writer(disk: Disk) -> AsyncIterator[Writer]:
    async with writing(disk) as writer:
        yield writer


@pytest.fixture(autouse=True)
def _nobody_looks_unasked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unless a test wants it."""
    monkeypatch.setattr(writer_module, "PULSE_SECONDS", 60.0)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """No pause between attempts to open the file, and next to none for a lock."""
    monkeypatch.setattr(writer_module, "REOPEN_SECONDS", 0.0)
    monkeypatch.setattr(store_module, "BUSY_SECONDS", 0.01)


def write(trans_id: str) -> Job:
    """Writes a row, and returns its ID."""

    def job(store: Store) -> str:
        row = Row(account="test1234", trans_id=trans_id, kind=Kind.BET)

        def step(_: Found) -> Change[str]:
            return Change(row, takes_turn=False, value=trans_id)

        return store.note("test1234", trans_id, step)

    return job


def read(store: Store) -> int:
    return len(store.numbered(limit=10))


def write_and_raise(store: Store) -> None:
    write("faulty")(store)
    raise ValueError("a fault of the step")


class Held:
    """A job that holds up the thread until it is let go."""

    def __init__(self) -> None:
        self._begun = threading.Event()
        self._go_on = threading.Event()

    def __call__(self, _: Store) -> None:
        self._begun.set()
        assert self._go_on.wait(TIMEOUT)

    async def begun(self) -> None:
        assert await asyncio.to_thread(self._begun.wait, TIMEOUT)

    def let_go(self) -> None:
        self._go_on.set()


@asynccontextmanager
async def held_up(writer: Writer) -> AsyncIterator[None]:
    """While inside, jobs only wait; after it, they have been done."""
    held = Held()
    task = asyncio.create_task(writer.run(held))
    await held.begun()
    try:
        yield
    finally:
        held.let_go()
    await task


async def started[T](*jobs: Awaitable[T]) -> list[asyncio.Future[T]]:
    """The jobs' futures, now that all of them wait in the writer."""
    futures: list[asyncio.Future[T]] = [asyncio.ensure_future(job) for job in jobs]
    await asyncio.sleep(0)
    return futures


async def works_again(writer: Writer) -> None:
    """The file may be opened or written again: so it must be."""
    assert await writer.run(write("again")) == "again"


# One commit for all that wait


async def test_all_that_wait_share_a_commit(disk: Disk, writer: Writer) -> None:
    async with held_up(writer):
        futures = await started(*(writer.run(write(str(number))) for number in range(200)))

    assert await asyncio.gather(*futures) == [str(number) for number in range(200)]
    assert disk.commits == 2
    assert disk.ids() == [str(number) for number in range(200)]


async def test_behind_a_crowd_a_commit_waits_for_others_to_share_it(
    disk: Disk, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with held_up(writer):
        crowd = await started(*(writer.run(read) for _ in range(CROWD)))
    await asyncio.gather(*crowd)
    monkeypatch.setattr(writer_module, "GATHER_SECONDS", 0.5)

    one = asyncio.ensure_future(writer.run(write("1")))
    await asyncio.sleep(0.01)
    assert not one.done()
    other = asyncio.ensure_future(writer.run(write("2")))

    assert [await one, await other] == ["1", "2"]
    assert disk.commits == 3


async def test_behind_a_few_nobody_waits(writer: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer_module, "GATHER_SECONDS", 2 * TIMEOUT)
    async with held_up(writer):
        few = await started(*(writer.run(read) for _ in range(CROWD - 1)))
    await asyncio.gather(*few)

    assert await writer.run(write("1")) == "1"


async def test_a_commit_has_a_greatest_size(disk: Disk, writer: Writer) -> None:
    async with held_up(writer):
        futures = await started(*(writer.run(read) for _ in range(2 * BATCH_MAX + 1)))

    await asyncio.gather(*futures)

    assert disk.commits == 1 + 3


async def test_what_run_returns_is_on_disk(disk: Disk, writer: Writer) -> None:
    await writer.run(write("1"))

    assert disk.ids() == ["1"]


async def test_jobs_run_in_the_order_in_which_they_came(writer: Writer) -> None:
    order: list[int] = []

    def note(number: int) -> Job:
        return lambda _: order.append(number)

    async with held_up(writer):
        futures = []
        for number in range(0, 40, 2):
            writer.run_soon(note(number))
            futures += await started(writer.run(note(number + 1)))
    await asyncio.gather(*futures)

    assert order == list(range(40))


async def test_what_may_wait_runs_before_what_comes_later_and_shares_its_commit(disk: Disk, writer: Writer) -> None:
    await writer.run(read)
    before = disk.commits

    writer.run_soon(write("soon"))
    await writer.run(write("later"))

    assert disk.ids() == ["soon", "later"]
    assert disk.commits == before + 1


async def test_what_may_wait_does_not_wait_forever(writer: Writer) -> None:
    done = threading.Event()

    writer.run_soon(lambda _: done.set())

    assert await asyncio.to_thread(done.wait, TIMEOUT)


async def test_who_does_not_wait_any_more_harms_nobody(disk: Disk, writer: Writer) -> None:
    async with held_up(writer):
        gone, stays = await started(writer.run(write("1")), writer.run(write("2")))
        gone.cancel()

    assert await stays == "2"
    assert disk.ids() == ["1", "2"]


# Faulty steps


async def test_a_step_that_raises_fails_alone_and_leaves_nothing(disk: Disk, writer: Writer) -> None:
    async with held_up(writer):
        jobs = [write("1"), write_and_raise, write("2"), write_and_raise, write("3")]
        futures = await started(*(writer.run(job) for job in jobs))

    results = await asyncio.gather(*futures, return_exceptions=True)

    assert [str(result) for result in results] == ["1", "a fault of the step", "2", "a fault of the step", "3"]
    assert isinstance(results[1], ValueError)
    assert disk.ids() == ["1", "2", "3"]
    assert disk.problems == []


async def test_nobody_hears_of_what_may_be_lost(disk: Disk, writer: Writer) -> None:
    writer.run_soon(write_and_raise)

    await writer.run(write("1"))

    assert (disk.ids(), disk.problems) == (["1"], [])


# Bounds and the end


async def test_only_so_many_may_wait(disk: Disk) -> None:
    async with writing(disk, waiting_max=3) as writer:
        async with held_up(writer):
            futures = await started(*(writer.run(write(str(number))) for number in range(3)))
            with pytest.raises(JournalUnavailable, match="3 steps wait for the disk"):
                await writer.run(write("too many"))
            writer.run_soon(write("too many"))
        assert await asyncio.gather(*futures) == ["0", "1", "2"]
        await writer.run(write("3"))

    assert disk.ids() == ["0", "1", "2", "3"]


async def test_closing_writes_what_waits(disk: Disk) -> None:
    async with writing(disk) as writer:
        writer.run_soon(write("0"))
        futures = await started(*(writer.run(write(str(number))) for number in range(1, 600)))
        writer.run_soon(write("600"))

        await writer.close()

        assert await asyncio.gather(*futures) == [str(number) for number in range(1, 600)]
    assert disk.ids() == [str(number) for number in range(601)]


async def test_a_closed_writer_takes_nothing_more(disk: Disk, writer: Writer) -> None:
    await writer.run(write("1"))
    await writer.close()

    with pytest.raises(JournalUnavailable, match="closed"):
        await writer.run(write("2"))
    writer.run_soon(write("3"))
    await writer.close()

    assert disk.ids() == ["1"]


async def test_a_writer_that_was_never_used_can_be_closed(disk: Disk, writer: Writer) -> None:
    await writer.close()

    assert disk.openings == 0


# Disks that fail


@pytest.mark.usefixtures("impatient")
async def test_a_missing_folder_is_told_once_and_got_over(tmp_path: Path) -> None:
    disk = Disk(tmp_path / "missing" / "journal.db")
    async with writing(disk) as writer:
        for _ in range(3):
            with pytest.raises(JournalUnavailable, match="unable to open database file"):
                await writer.run(read)
        assert disk.problems == ["unable to open database file"]

        disk.path.parent.mkdir()
        await works_again(writer)

    assert disk.problems == ["unable to open database file", ""]


async def test_a_file_that_does_not_open_is_not_tried_for_every_step(tmp_path: Path) -> None:
    disk = Disk(tmp_path / "missing" / "journal.db")
    async with writing(disk) as writer:
        async with asyncio.timeout(TIMEOUT):
            results = await asyncio.gather(*(writer.run(read) for _ in range(50)), return_exceptions=True)

    assert {str(result) for result in results} == {"unable to open database file"}
    assert all(isinstance(result, JournalUnavailable) for result in results)
    assert disk.openings <= 2
    assert disk.problems == ["unable to open database file"]


@pytest.mark.usefixtures("impatient")
async def test_a_file_that_is_no_database_is_left_alone_until_it_is_replaced(disk: Disk) -> None:
    disk.path.write_bytes(NOT_A_DATABASE)
    async with writing(disk) as writer:
        for _ in range(2):
            with pytest.raises(JournalUnavailable, match="file is not a database"):
                await writer.run(write("1"))
        assert disk.path.read_bytes() == NOT_A_DATABASE

        disk.path.write_bytes(b"")
        await works_again(writer)

    assert disk.problems == ["file is not a database", ""]


@pytest.mark.usefixtures("impatient")
async def test_a_file_of_a_later_version_is_unavailable(disk: Disk) -> None:
    with closing(apsw.Connection(str(disk.path))) as db:
        db.execute("PRAGMA user_version = 99")
    async with writing(disk) as writer:
        with pytest.raises(JournalUnavailable, match="the journal is of version 99"):
            await writer.run(read)


@pytest.mark.usefixtures("impatient")
async def test_a_file_that_turns_out_to_be_corrupt_is_opened_anew(disk: Disk, writer: Writer) -> None:
    def find_corruption(_: Store) -> None:
        raise apsw.CorruptError("database disk image is malformed")

    await writer.run(write("1"))

    with pytest.raises(JournalUnavailable, match="malformed"):
        await writer.run(find_corruption)
    await works_again(writer)

    assert (disk.openings, disk.ids()) == (2, ["1", "again"])
    assert disk.problems == ["database disk image is malformed", ""]


@pytest.mark.usefixtures("impatient")
async def test_a_file_that_somebody_else_has_locked_is_unavailable_until_it_is_let_go(
    disk: Disk, writer: Writer
) -> None:
    await writer.run(write("1"))
    with closing(apsw.Connection(str(disk.path))) as other:
        other.execute("BEGIN IMMEDIATE")
        for _ in range(2):
            with pytest.raises(JournalUnavailable, match="database is locked"):
                await writer.run(write("2"))
        problem = f"database is locked: process {os.getpid()} holds its write lock"
        assert disk.problems == [problem]
        other.execute("COMMIT")

    await works_again(writer)

    assert (disk.problems, disk.ids(), disk.openings) == ([problem, ""], ["1", "again"], 1)


async def test_a_lock_that_is_let_go_soon_is_waited_for(disk: Disk, writer: Writer) -> None:
    await writer.run(write("1"))
    with closing(apsw.Connection(str(disk.path))) as other:
        other.execute("BEGIN IMMEDIATE")
        (future,) = await started(writer.run(write("2")))
        await asyncio.sleep(0.05)
        assert not future.done()
        other.execute("COMMIT")

        assert await future == "2"

    assert disk.problems == []


@pytest.mark.usefixtures("impatient")
async def test_reading_alone_does_not_mean_that_the_disk_can_be_written_again(disk: Disk, writer: Writer) -> None:
    def fill(_: Store) -> None:
        raise apsw.FullError("database or disk is full")

    async with held_up(writer):
        futures = await started(*(writer.run(job) for job in (read, fill, read)))
    results = await asyncio.gather(*futures, return_exceptions=True)
    with pytest.raises(ValueError, match="a fault of the step"):
        await writer.run(write_and_raise)

    assert [str(result) for result in results] == ["0", "database or disk is full", "0"]
    assert disk.problems == ["database or disk is full"]
    await works_again(writer)
    assert disk.problems == ["database or disk is full", ""]


async def test_a_full_disk_of_the_mark_keeps_nobody_from_reading(disk: Disk, writer: Writer) -> None:
    """The file beside the journal fails with an error of the system, not of SQLite."""
    await writer.run(write("before"))
    store = writer._store
    assert store is not None
    mark, full = os.dup(store._mark._file), os.open("/dev/full", os.O_RDWR)
    os.dup2(full, store._mark._file)
    found = await asyncio.gather(
        *map(writer.run, [read, write("lost"), read, write("lost too")]), return_exceptions=True
    )
    os.dup2(mark, store._mark._file)
    await writer.run(write("after"))
    os.close(mark)
    os.close(full)

    assert found[::2] == [0, 0]
    assert [type(one) for one in found[1::2]] == [JournalUnavailable, JournalUnavailable]
    assert disk.problems == ["[Errno 28] No space left on device", ""]
    assert disk.ids() == ["before", "after"]


FULL_DISK = """
import asyncio, resource, sys
from pathlib import Path
from tests.unit.journal.test_writer import Disk, read, write, writing
from walletbridge.journal.port import JournalUnavailable

def limit(size):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

async def main():
    disk = Disk(Path(sys.argv[1]))
    async with writing(disk) as writer:
        await writer.run(write("before"))
        limit(disk.path.with_name(disk.path.name + "-wal").stat().st_size)
        jobs = [job for number in range(10) for job in (read, write(str(number)))]
        for _ in range(2):
            results = await asyncio.gather(*map(writer.run, jobs), return_exceptions=True)
            assert results[::2] == [0] * 10, results
            assert all(isinstance(result, JournalUnavailable) for result in results[1::2]), results
        (problem,) = disk.problems
        limit(resource.RLIM_INFINITY)
        await writer.run(write("after"))
        assert disk.problems == [problem, ""], disk.problems
    assert disk.ids() == ["before", "after"], disk.ids()
    print(problem)

asyncio.run(main())
"""


def test_a_full_disk_can_still_be_read_and_is_got_over(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, tmp_path / "journal.db"],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
        cwd=Path(__file__).parents[3],
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout in {"disk I/O error\n", "database or disk is full\n"}


# Where nobody writes


@pytest.fixture
def attentive(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looks at the file all the time."""
    monkeypatch.setattr(writer_module, "PULSE_SECONDS", 0.01)
    monkeypatch.setattr(store_module, "BUSY_SECONDS", 0.01)


@pytest.mark.usefixtures("attentive")
async def test_a_file_that_goes_is_told_of_before_anybody_writes(disk: Disk) -> None:
    async with writing(disk) as writer:
        await writer.run(write("1"))
        away = disk.path.with_name("away")
        disk.path.rename(away)
        await until(lambda: bool(disk.problems))
        assert "was removed while it was in use" in disk.problems[0]

        away.rename(disk.path)
        await until(lambda: not disk.problems[-1])
        assert await writer.run(write("2")) == "2"


@pytest.mark.usefixtures("attentive")
async def test_that_a_file_can_be_written_again_is_told_without_a_job(disk: Disk) -> None:
    async with writing(disk) as writer:
        await writer.run(write("1"))
        with closing(apsw.Connection(str(disk.path))) as db:
            db.execute("BEGIN IMMEDIATE")
            with pytest.raises(JournalUnavailable, match="locked"):
                await writer.run(write("2"))
            assert "locked" in disk.problems[-1]
            db.execute("ROLLBACK")

        await until(lambda: not disk.problems[-1])

"""The journal as the gateway uses it; workers that share a file share its rows and turns, in one process or in two."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, closing
from pathlib import Path

import apsw
import pytest
from msgspec.structs import replace
from tests.support.clock import FakeClock

from walletbridge.journal.clock import JournalClock
from walletbridge.journal.port import Busy, Change, Found, JournalUnavailable, Step
from walletbridge.journal.sqlite import PRUNE_ROWS, SqliteJournal
from walletbridge.rules.resolver_plan import Round
from walletbridge.rules.row import Kind, Row

ROOT = Path(__file__).parents[3]
TIMEOUT = 30.0
REST = Row(account="test1234", trans_id="1", kind=Kind.BET, amount=100, round_id="r")
OPEN = replace(REST, movement_unresolved_since=900.0)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@asynccontextmanager
async def opened(path: Path, clock: FakeClock) -> AsyncIterator[SqliteJournal]:
    problems: list[str] = []
    journal = SqliteJournal(
        path, keep_days=30, waiting_max=1000, on_problem=problems.append, clock=JournalClock("boot 1", clock)
    )
    try:
        async with asyncio.timeout(TIMEOUT):
            yield journal
    finally:
        await journal.close()
    assert problems == []


@pytest.fixture
async def journal(path: Path, clock: FakeClock) -> AsyncIterator[SqliteJournal]:
    async with opened(path, clock) as journal:
        yield journal


@pytest.fixture
async def other(path: Path, clock: FakeClock) -> AsyncIterator[SqliteJournal]:
    """Another worker on the same file."""
    async with opened(path, clock) as journal:
        yield journal


def writes(row: Row | None, *, takes_turn: bool = False) -> Step[Found]:
    """A step that writes `row`, and tells what it has found."""
    return lambda found: Change(row, takes_turn=takes_turn, value=found)


def notes(row: Row | None) -> Step[None]:
    return lambda _: Change(row, takes_turn=False, value=None)


async def take(journal: SqliteJournal, row: Row | None = None) -> Found | Busy:
    return await journal.look("test1234", "1", writes(row, takes_turn=True), seconds=5.0)


async def get(journal: SqliteJournal) -> Row | None:
    found: list[Row | None] = []

    def step(has: Found) -> Change[None]:
        found.append(has.row)
        return Change(None, takes_turn=False, value=None)

    await journal.note("test1234", "1", step)
    return found[-1]


async def test_a_look_and_an_end(journal: SqliteJournal, clock: FakeClock) -> None:
    assert await take(journal, OPEN) == Found(None, None, Round(), 1000.0)
    clock.tick(2.0)

    assert await journal.end("test1234", "1", writes(REST)) == Found(OPEN, None, Round(), 1002.0)

    assert await get(journal) == REST
    assert await journal.end("test1234", "1", writes(OPEN)) == Busy()


async def test_a_look_sees_the_round_only_if_asked_to(journal: SqliteJournal) -> None:
    await journal.note("test1234", "1", notes(REST))
    await journal.note("test1234", "2", notes(replace(REST, trans_id="2", kind=Kind.WIN)))

    found = [
        await journal.look("test1234", "1", writes(None), seconds=5.0, needs_round=needs) for needs in (False, True)
    ]

    assert found == [Found(REST, None, Round(), 1000.0), Found(REST, None, Round(has_win=True), 1000.0)]


async def test_what_nobody_waits_for_is_written_before_what_comes_later(journal: SqliteJournal) -> None:
    journal.note_soon("test1234", "1", notes(OPEN))

    assert await get(journal) == OPEN


async def test_now_is_the_journals_clock(journal: SqliteJournal, clock: FakeClock) -> None:
    clock.tick(1.5)

    assert journal.now() == 1001.5


async def test_a_journal_without_a_clock_has_the_machines(path: Path) -> None:
    journal = SqliteJournal(path, keep_days=30, waiting_max=1, on_problem=print)

    assert journal.now() == pytest.approx(time.clock_gettime(time.CLOCK_BOOTTIME), abs=5)
    await journal.close()


async def test_open_rows_are_looked_at_in_pages(journal: SqliteJournal) -> None:
    rows = [replace(OPEN, trans_id=str(number)) for number in range(1, 6)]
    for row in rows:
        await journal.note(row.account, row.trans_id, notes(row))

    assert await journal.to_look_at(after=0, limit=3) == [(1, rows[0]), (2, rows[1]), (3, rows[2])]
    assert await journal.to_look_at(after=3, limit=3) == [(4, rows[3]), (5, rows[4])]


async def test_pruning_goes_through_all_pages(journal: SqliteJournal, path: Path) -> None:
    await journal.note("test1234", "1", notes(REST))
    await journal.note("test1234", "2", notes(replace(OPEN, trans_id="2")))
    with closing(apsw.Connection(str(path))) as db, db:
        db.execute("UPDATE meta SET running = 31 * 86400")
        names = [
            name for _, name, *_ in db.execute("PRAGMA table_info(transactions)") if name not in {"id", "trans_id"}
        ]
        copied = ", ".join(names)
        db.execute(
            f"INSERT INTO transactions (trans_id, {copied})"  # noqa: S608 - names of ours
            f" WITH RECURSIVE n (i) AS (VALUES (3) UNION ALL SELECT i + 1 FROM n WHERE i < {2 * PRUNE_ROWS + 5})"
            f" SELECT i, {copied} FROM n, transactions WHERE trans_id = '1'"
        )

    await journal.prune()

    with closing(apsw.Connection(str(path))) as db:
        assert db.execute("SELECT trans_id FROM transactions").fetchall() == [("2",)]


async def test_rows_and_times_survive_a_restart(path: Path, clock: FakeClock) -> None:
    async with opened(path, clock) as journal:
        await journal.note("test1234", "1", notes(OPEN))

    async with opened(path, clock) as journal:
        assert await get(journal) == OPEN


async def test_a_journal_that_cannot_be_opened_is_no_error_until_it_is_used(tmp_path: Path) -> None:
    problems: list[str] = []
    path = tmp_path / "missing" / "journal.db"
    journal = SqliteJournal(path, keep_days=30, waiting_max=9, on_problem=problems.append)
    journal.note_soon("test1234", "1", notes(OPEN))
    for call in (take(journal), journal.end("test1234", "1", writes(None)), journal.to_look_at(after=0, limit=1)):
        with pytest.raises(JournalUnavailable):
            await call
    with pytest.raises(JournalUnavailable):
        await journal.prune()

    await journal.close()

    assert problems == ["unable to open database file"]


# Workers that share a file


async def test_two_workers_see_each_others_rows_and_turns(
    journal: SqliteJournal, other: SqliteJournal, clock: FakeClock
) -> None:
    await take(journal, OPEN)

    assert await get(other) == OPEN
    assert await take(other) == Busy()
    assert await other.to_look_at(after=0, limit=9) == []

    assert isinstance(await journal.end("test1234", "1", writes(REST)), Found)
    assert await take(other, OPEN) == Found(REST, None, Round(), 1000.0)

    clock.tick(60.0)
    assert isinstance(await take(journal), Found)
    assert await other.end("test1234", "1", writes(REST)) == Busy()
    assert await get(journal) == OPEN


async def test_workers_at_once_get_a_turn_one_at_a_time(journal: SqliteJournal, other: SqliteJournal) -> None:
    """And nobody is kept from it for ever: each comes to ten turns."""
    at_work = most = 0

    async def work(mine: SqliteJournal) -> None:
        nonlocal at_work, most
        turns = 0
        while turns < 10:
            if isinstance(await take(mine, OPEN), Busy):
                continue
            at_work += 1
            most = max(most, at_work)
            await asyncio.sleep(0)
            at_work -= 1
            turns += 1
            await mine.end("test1234", "1", writes(OPEN))

    await asyncio.gather(work(journal), work(other))

    assert most == 1


WORKER = """
import asyncio, sys
from msgspec.structs import replace
from pathlib import Path
from walletbridge.protocol.callbacks import Win
from walletbridge.journal import store
from walletbridge.rules import after_call, before_call, decisions
from walletbridge.journal.port import Busy, Change
from walletbridge.journal.sqlite import SqliteJournal
from walletbridge.protocol.outcomes import Outcome, Result
from walletbridge.rules.promises import Promises

store.BUSY_SECONDS = 20.0
PROMISES = Promises(late_bets_refused=True)

def win(trans_id):
    return Win(account="test1234", checks=(41,), requested_at=None, trans_id=trans_id, round_id="r", provider_id=1,
               game_code="", game_name="", game_type="", amount=1, call_id=0, type=2)

async def send(journal, folder, trans_id):
    def look(found):
        look = before_call.look_movement(found.row, found.other, win(trans_id), PROMISES, now=found.now, seconds=30.0)
        return Change(look.row, takes_turn=look.step is decisions.Step.SEND, value=look.step)

    def end(found):
        verdict = after_call.end_movement(found.row, Outcome(Result.OK, 1), now=found.now)
        return Change(verdict.row, takes_turn=False, value=verdict)

    step = await journal.look("test1234", str(trans_id), look, seconds=30.0)
    if isinstance(step, Busy):
        return 0
    assert step is decisions.Step.SEND, step
    call = folder / f"{trans_id} is at the wallet"
    call.touch(exist_ok=False)
    await asyncio.sleep(0)
    call.unlink()
    assert not isinstance(await journal.end("test1234", str(trans_id), end), Busy)
    return 1

async def main():
    path = Path(sys.argv[1])
    journal = SqliteJournal(path, keep_days=1, waiting_max=99, on_problem=lambda text: None)
    print("ready", flush=True)
    sys.stdin.readline()
    sends = 0
    while sends < 40:
        sends += await send(journal, path.parent, sends % 3)
    await journal.close()
    print(sends)

asyncio.run(main())
"""


@asynccontextmanager
async def worker_process(path: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", WORKER, path, stdin=pipe, stdout=pipe, stderr=pipe, cwd=ROOT
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def test_two_processes_never_send_for_a_transaction_at_the_same_time(journal: SqliteJournal, path: Path) -> None:
    await journal.close()
    async with asyncio.timeout(TIMEOUT), AsyncExitStack() as stack:
        processes = [await stack.enter_async_context(worker_process(path)) for _ in range(2)]
        for process in processes:
            assert process.stdout is not None
            assert await process.stdout.readline() == b"ready\n"
        ends = await asyncio.gather(*(process.communicate(b"\n") for process in processes))

    assert ends == [(b"40\n", b""), (b"40\n", b"")]
    with closing(apsw.Connection(str(path))) as db:
        rows = db.execute(
            "SELECT sum(sends), sum(call IS NOT NULL), count(movement_unresolved_since) FROM transactions"
        )
        assert rows.fetchone() == (80, 0, 0)
        assert db.execute("SELECT count(*) FROM turns").fetchone() == (0,)

"""A journal that is older than what was answered knows it by the mark beside it, and leaves what it must not act on."""

import os
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import apsw
import pytest
from msgspec.structs import replace
from tests.unit.journal.stores import OPEN, REST, OpenStore, get, put, take

from walletbridge.journal import reading
from walletbridge.journal.mark import SLOTS, Mark, mark_of
from walletbridge.journal.store import Store
from walletbridge.rules.decisions import RESTORED
from walletbridge.rules.row import CancelState, Row

LEFT = replace(OPEN, for_human=RESTORED)
OWED = replace(REST, trans_id="2", cancel=CancelState.OWED)


def copy_of(store: Store, path: Path) -> Path:
    """A copy of the file, with all that is in its log."""
    copy = path.with_name("copy.db")
    copy.unlink(missing_ok=True)
    store._db.execute("VACUUM INTO ?", (str(copy),))
    return copy


def restore(copy: Path, path: Path) -> None:
    for suffix in ("-wal", "-shm"):
        path.with_name(f"{path.name}{suffix}").unlink(missing_ok=True)
    shutil.copy(copy, path)


def other(number: int) -> Row:
    return replace(REST, trans_id=f"other {number}")


@pytest.mark.parametrize("later", [1, 2, SLOTS, SLOTS + 1, 3 * SLOTS])
def test_a_copy_that_lacks_what_was_written_since_is_known_for_one(
    store: Store, open_store: OpenStore, path: Path, later: int
) -> None:
    put(store, OPEN, OWED)
    copy = copy_of(store, path)
    put(store, *[other(number) for number in range(later)])
    store.close()
    restore(copy, path)

    again = open_store()

    assert again.recovered == 1
    assert (get(again), get(again, OWED)) == (LEFT, OWED)
    again.close()
    # It is told once: from here on this is the journal.
    assert open_store().recovered is None


def test_a_restored_journal_is_told_of_also_where_nobody_has_anything_to_do(
    store: Store, open_store: OpenStore, path: Path
) -> None:
    put(store, REST)
    copy = copy_of(store, path)
    put(store, other(1), other(2))
    store.close()
    restore(copy, path)

    assert open_store().recovered == 0


def test_who_only_looks_sees_that_a_journal_is_older(store: Store, open_store: OpenStore, path: Path) -> None:
    put(store, OPEN)
    copy = copy_of(store, path)
    assert not reading.is_older(path)
    put(store, other(1))
    assert not reading.is_older(path)
    store.close()
    restore(copy, path)

    assert reading.is_older(path)
    # To look has changed nothing: the next start knows it as well.
    assert open_store().recovered == 1
    assert not reading.is_older(path)


def test_a_copy_that_lacks_nothing_needs_nobody(store: Store, open_store: OpenStore, path: Path) -> None:
    put(store, OPEN)
    copy = copy_of(store, path)
    store.close()
    restore(copy, path)

    again = open_store()

    assert (again.recovered, get(again)) == (None, OPEN)


def test_a_journal_that_was_moved_with_all_its_files_needs_nobody(
    store: Store, tmp_path: Path, open_store: OpenStore
) -> None:
    put(store, OPEN)
    store.close()
    for file in tmp_path.glob("journal.db*"):
        file.rename(tmp_path / f"moved-{file.name}")
    for file in tmp_path.glob("moved-*"):
        file.rename(tmp_path / file.name.removeprefix("moved-"))

    assert open_store().recovered is None


@pytest.mark.parametrize("change", ["removed", "cut", "of another journal"])
def test_a_mark_that_does_not_tell_is_a_reason_for_doubt(
    store: Store, open_store: OpenStore, path: Path, change: str
) -> None:
    put(store, OPEN)
    store.close()
    match change:
        case "removed":
            mark_of(path).unlink()
        case "cut":
            os.truncate(mark_of(path), 3)
        case _:
            with mark_of(path).open("r+b") as file:
                file.write(b"x" * 16)

    again = open_store()

    assert (again.recovered, get(again)) == (1, LEFT)


def test_a_turn_of_the_time_before_is_nobody_s(store: Store, open_store: OpenStore, path: Path) -> None:
    put(store, OPEN)
    assert take(store)
    copy = copy_of(store, path)
    put(store, other(1))
    store.close()
    restore(copy, path)

    assert take(open_store())


def test_a_process_that_ended_before_its_commit_leaves_no_doubt(store: Store, open_store: OpenStore) -> None:
    put(store, OPEN)
    commits = store._db.execute("SELECT commits FROM meta").get
    store._mark.begin(commits + 1)
    store.close()

    assert open_store().recovered is None


def test_a_process_that_ended_right_behind_its_commit_leaves_no_doubt(store: Store, open_store: OpenStore) -> None:
    put(store, OPEN)
    commits = store._db.execute("SELECT commits FROM meta").get
    os.pwrite(store._mark._file, bytes(8 * SLOTS), 24)
    store.close()
    again = open_store()

    assert (again.recovered, again._db.execute("SELECT commits FROM meta").get) == (None, commits)


def test_a_mark_that_is_older_than_the_journal_leaves_no_doubt(store: Store, open_store: OpenStore, path: Path) -> None:
    """After a crash of the machine, which loses what was not synced."""
    put(store, OPEN)
    old = mark_of(path).read_bytes()
    put(store, other(1), other(2))
    store.close()
    mark_of(path).write_bytes(old)

    assert open_store().recovered is None


def test_several_processes_share_it(store: Store, open_store: OpenStore) -> None:
    second = open_store()
    for number in range(10):
        put((store, second)[number % 2], other(number))
    put(store, OPEN)
    store.close()
    second.close()

    assert open_store().recovered is None


def test_what_is_undone_is_not_done(store: Store, open_store: OpenStore) -> None:
    put(store, OPEN)

    def fail() -> None:
        with store.transaction():
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    store.close()

    assert open_store().recovered is None


def make_earlier(store: Store, path: Path) -> None:
    """The journal as a version without marks has left it, with a row that is open."""
    put(store, OPEN)
    store._db.execute("ALTER TABLE meta DROP COLUMN incarnation")
    store._db.execute("ALTER TABLE meta DROP COLUMN commits")
    store._db.execute("PRAGMA user_version = 3")
    store.close()
    mark_of(path).unlink()


def test_an_earlier_journal_gets_one_and_is_believed(store: Store, open_store: OpenStore, path: Path) -> None:
    make_earlier(store, path)

    assert open_store().recovered is None


def die_between(path: Path) -> None:
    """A process that opens the journal, and is killed between the start of a mark and its COMMIT."""
    done = subprocess.run([sys.executable, "-c", DIE, path], check=False, cwd=Path(__file__).parents[3])
    assert done.returncode == -signal.SIGKILL


DIE = """
import os, signal, sys
from pathlib import Path
from walletbridge.journal.clock import JournalClock
from walletbridge.journal.mark import Mark
from walletbridge.journal.store import Store

start = Mark.start

def start_and_die(*args, **named):
    start(*args, **named)
    os.kill(os.getpid(), signal.SIGKILL)

Mark.start = start_and_die
Store(Path(sys.argv[1]), "worker", JournalClock("boot 1", lambda: 1000.0))
"""


@pytest.mark.parametrize("deaths", [1, 2])
def test_an_earlier_journal_is_believed_also_after_a_first_start_that_was_killed(
    store: Store, open_store: OpenStore, path: Path, deaths: int
) -> None:
    make_earlier(store, path)
    for _ in range(deaths):
        die_between(path)

    again = open_store()

    assert (again.recovered, get(again)) == (None, OPEN)


def test_an_earlier_journal_is_believed_also_after_a_first_start_that_had_to_wait(
    store: Store, open_store: OpenStore, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_earlier(store, path)
    monkeypatch.setattr("walletbridge.journal.store.BUSY_SECONDS", 0.01)
    with closing(apsw.Connection(str(path))) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(apsw.BusyError):
            open_store()

    again = open_store()

    assert (again.recovered, get(again)) == (None, OPEN)


def test_an_earlier_copy_is_known_for_one_also_after_a_start_that_was_killed(
    store: Store, open_store: OpenStore, path: Path, tmp_path: Path
) -> None:
    make_earlier(store, path)
    earlier = tmp_path / "earlier.db"
    shutil.copy(path, earlier)
    later = open_store()
    put(later, other(1))
    later.close()
    restore(earlier, path)
    die_between(path)

    again = open_store()

    assert (again.recovered, get(again)) == (1, LEFT)


def test_a_copy_is_known_for_one_also_after_a_start_that_was_killed(
    store: Store, open_store: OpenStore, path: Path
) -> None:
    put(store, OPEN)
    copy = copy_of(store, path)
    put(store, other(1), other(2))
    store.close()
    restore(copy, path)
    die_between(path)

    again = open_store()

    assert (again.recovered, get(again)) == (1, LEFT)
    again.close()
    assert open_store().recovered is None


@contextmanager
def full_behind_the_next_commit(store: Store) -> Iterator[None]:
    """The mark's disk takes nothing from there on, to the end of the context."""
    mark = store._mark._file
    full, real = os.open("/dev/full", os.O_RDWR), os.dup(mark)
    # SQLite calls this between the mark of what is begun and that of what is done; a transaction goes on upon False.
    store._db.set_commit_hook(lambda: os.dup2(full, mark) < 0)
    try:
        yield
    finally:
        store._db.set_commit_hook(None)
        os.dup2(real, mark)
        os.close(full)
        os.close(real)


def test_what_is_on_disk_counts_though_the_mark_could_not_be_written_any_more(
    store: Store, open_store: OpenStore
) -> None:
    put(store, REST)
    with full_behind_the_next_commit(store):
        put(store, OPEN)
        assert get(store) == OPEN
        # From here on nothing is written that could not be marked.
        with pytest.raises(OSError, match="No space left"):
            put(store, OWED)
        assert get(store, OWED) is None
    put(store, OWED)
    store.close()

    again = open_store()
    assert (again.recovered, get(again), get(again, OWED)) == (None, OPEN, OWED)


@pytest.mark.parametrize("more", [0, 1])
def test_a_mark_that_ended_behind_a_commit_leaves_no_doubt(store: Store, open_store: OpenStore, more: int) -> None:
    """Neither at the next start nor after what follows."""
    with full_behind_the_next_commit(store):
        put(store, OPEN)
    put(store, *[other(number) for number in range(more)])
    store.close()

    again = open_store()
    assert (again.recovered, get(again)) == (None, OPEN)


def test_no_journal_is_begun_where_a_mark_says_that_there_was_one(
    store: Store, open_store: OpenStore, path: Path
) -> None:
    store.close()
    for file in (path, path.with_name("journal.db-queue")):
        file.unlink()

    with pytest.raises(OSError, match=r"there was a journal at .*journal\.db, and it is gone"):
        open_store()


def test_it_is_its_owner_s_alone(store: Store, path: Path) -> None:
    put(store, OPEN)

    assert stat.S_IMODE(mark_of(path).stat().st_mode) == 0o600


def test_it_may_be_closed_twice(path: Path) -> None:
    path.touch()
    mark = Mark(path)
    mark.close()
    mark.close()


def test_a_snapshot_that_brings_its_mark_back_is_known_only_once_the_mark_is_removed(
    open_store: OpenStore, path: Path, tmp_path: Path
) -> None:
    store = open_store()
    put(store, OPEN)
    store.close()
    mark = path.with_name(f"{path.name}-mark")
    snapshot = tmp_path / "snapshot"
    snapshot.mkdir()
    for file in (path, mark):
        shutil.copy(file, snapshot / file.name)
    later = open_store()
    put(later, REST)
    later.close()
    for file in (path, mark):
        shutil.copy(snapshot / file.name, file)
    unknown = open_store()
    assert unknown.recovered is None
    unknown.close()

    mark.unlink()

    assert open_store().recovered == 1

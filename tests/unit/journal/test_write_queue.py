"""Who writes to a file that others write to all the time gets its turn."""

import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import apsw
import pytest

from walletbridge.journal.write_queue import SUFFIX, Queue

GREEDY = """
import apsw, sys, time
from pathlib import Path
from walletbridge.journal.write_queue import Queue
path = Path(sys.argv[1])
db, queue = apsw.Connection(str(path)), Queue(path)
print("begun", flush=True)
while True:
    queue.begin(db, seconds=60)
    time.sleep(0.005)
    db.execute("COMMIT")
"""


def connect(path: Path) -> apsw.Connection:
    return apsw.Connection(str(path))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "journal.db"
    with closing(connect(path)) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("CREATE TABLE t (x)")
    return path


def test_who_writes_alone_need_not_wait(path: Path) -> None:
    with closing(connect(path)) as db, closing(Queue(path)) as queue:
        for _ in range(3):
            queue.begin(db, seconds=0)
            db.execute("INSERT INTO t VALUES (1)")
            db.execute("COMMIT")

    assert path.with_name(path.name + SUFFIX).read_bytes() == b""


def test_the_lock_is_waited_for_within_bounds(path: Path) -> None:
    with (
        closing(connect(path)) as db,
        closing(connect(path)) as other,
        closing(Queue(path)) as queue,
        closing(Queue(path)) as others,
    ):
        others.begin(other, seconds=0)
        started = time.monotonic()
        with pytest.raises(apsw.BusyError, match="database is locked"):
            queue.begin(db, seconds=0.05)
        assert time.monotonic() - started >= 0.05

        other.execute("COMMIT")
        queue.begin(db, seconds=0)


def test_other_errors_are_told_at_once(path: Path) -> None:
    with closing(connect(path)) as db, closing(Queue(path)) as queue:
        queue.begin(db, seconds=0)
        with pytest.raises(apsw.SQLError, match="within a transaction"):
            queue.begin(db, seconds=3600)


def test_who_is_stopped_while_it_is_next_does_not_stop_the_others(path: Path) -> None:
    with closing(connect(path)) as db, closing(Queue(path)) as queue, closing(Queue(path)) as stopped:
        assert stopped._try()
        queue.begin(db, seconds=0.1)

        assert db.in_transaction


def test_who_comes_again_and_again_does_not_starve_the_others(path: Path) -> None:
    """Two that have the file all the time, and a third that wants it as well: it waits for about one of each."""
    greedy = [
        subprocess.Popen([sys.executable, "-c", GREEDY, str(path)], stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]
    try:
        for process in greedy:
            assert process.stdout is not None
            assert process.stdout.readline() == "begun\n"
        with closing(connect(path)) as db, closing(Queue(path)) as queue:
            for _ in range(50):
                queue.begin(db, seconds=10)
                db.execute("COMMIT")
    finally:
        for process in greedy:
            process.kill()
            process.communicate()

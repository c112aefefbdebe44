"""Who keeps all others from writing is named, above all where it stands still."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import apsw
import pytest

from walletbridge.journal.clock import journal_clock
from walletbridge.journal.holder import held_by, holder
from walletbridge.journal.probe import probe
from walletbridge.journal.queue import Queue
from walletbridge.journal.store import Store

HOLD = """
import apsw, sys
db = apsw.Connection(sys.argv[1])
db.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def path(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "journal.db"
    with closing(Store(path, "worker", journal_clock())):
        yield path


@pytest.fixture
def stopped(path: Path) -> Iterator[int]:
    """A process that holds the write lock and stands still."""
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        os.kill(process.pid, signal.SIGSTOP)
        os.waitid(os.P_PID, process.pid, os.WSTOPPED)
        yield process.pid
        process.kill()


def test_nobody_holds_what_is_free(path: Path) -> None:
    assert holder(path) is None
    assert held_by(path) == ""


def test_where_there_is_no_journal_nobody_holds_it(tmp_path: Path) -> None:
    assert holder(tmp_path / "journal.db") is None


def test_the_holder_is_known(path: Path, stopped: int) -> None:
    assert holder(path) == stopped


def test_who_waits_in_vain_hears_for_whom(path: Path, stopped: int) -> None:
    with (
        closing(apsw.Connection(str(path))) as db,
        closing(Queue(path)) as queue,
        pytest.raises(apsw.BusyError, match=f"locked: process {stopped} holds its write lock, and is stopped"),
    ):
        queue.begin(db, seconds=0.01)


def test_whoever_watches_over_the_gateway_is_told(path: Path, stopped: int) -> None:
    assert f"process {stopped} holds its write lock, and is stopped" in probe(path, journal_clock()).problem

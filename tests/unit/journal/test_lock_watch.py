"""Since when a process keeps all others from writing is seen, and not mistaken for writing often."""

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import apsw
import pytest
from tests.support.holding import WRITE_LOCK, holding

from walletbridge.journal.clock import journal_clock
from walletbridge.journal.lock_watch import LockWatch
from walletbridge.journal.probe import probe
from walletbridge.journal.store import Store


@pytest.fixture
def path(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "journal.db"
    with closing(Store(path, "worker", journal_clock())):
        yield path


def test_since_when_is_told_from_one_look_to_the_next(path: Path) -> None:
    times = iter([100.0, 103.5])
    locks = LockWatch(path, clock=lambda: next(times))

    with holding(WRITE_LOCK, path) as pid:
        first, second = probe(path, journal_clock(), locks), probe(path, journal_clock(), locks)

    assert [[(held.hold.pid, held.seconds) for held in found.held] for found in (first, second)] == [
        [(pid, 0.0)],
        [(pid, 3.5)],
    ]
    assert str(second.held[0]).startswith(f"process {pid} holds its write lock, since 20")
    assert str(second.held[0]).endswith("(4 s)")


def test_a_lock_that_was_free_meanwhile_is_another_hold(path: Path) -> None:
    times = iter([100.0, 103.5, 104.0])
    locks = LockWatch(path, clock=lambda: next(times))
    with closing(apsw.Connection(str(path))) as db:
        db.execute("BEGIN IMMEDIATE")
        assert [held.seconds for held in locks.look()] == [0.0]
        db.execute("UPDATE meta SET epoch = epoch || '.'")
        db.execute("COMMIT")
        db.execute("BEGIN IMMEDIATE")
        assert [(held.hold.pid, held.seconds) for held in locks.look()] == [(os.getpid(), 0.0)]
        assert [held.seconds for held in locks.look()] == [0.5]

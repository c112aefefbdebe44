"""Who keeps all others from writing is named, above all where it stands still."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import apsw
import pytest
from tests.support.holding import QUEUE, WRITE_LOCK, holding, stop

from walletbridge.journal.clock import journal_clock
from walletbridge.journal.holder import Hold, Lock, held_by, holds
from walletbridge.journal.probe import probe
from walletbridge.journal.store import Store
from walletbridge.journal.write_queue import Queue


@pytest.fixture
def path(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "journal.db"
    with closing(Store(path, "worker", journal_clock())):
        yield path


@pytest.fixture
def stopped(path: Path) -> Iterator[int]:
    """A process that holds the write lock and stands still."""
    with holding(WRITE_LOCK, path) as pid:
        stop(pid)
        yield pid


@pytest.fixture
def stopped_in_queue(path: Path) -> Iterator[int]:
    """A process that is next to write and stands still."""
    with holding(QUEUE, path) as pid:
        stop(pid)
        yield pid


def test_nobody_holds_what_is_free(path: Path) -> None:
    assert holds(path) == []
    assert held_by(path) == ""


def test_where_there_is_no_journal_nobody_holds_it(tmp_path: Path) -> None:
    assert holds(tmp_path / "journal.db") == []


def test_the_holder_is_known(path: Path, stopped: int) -> None:
    assert holds(path) == [Hold(stopped, Lock.WRITE, is_stopped=True)]


def test_who_waits_in_vain_hears_for_whom(path: Path, stopped: int) -> None:
    with (
        closing(apsw.Connection(str(path))) as db,
        closing(Queue(path)) as queue,
        pytest.raises(apsw.BusyError, match=f"locked: process {stopped} holds its write lock, and is stopped"),
    ):
        queue.begin(db, seconds=0.01)


def test_whoever_watches_over_the_gateway_is_told(path: Path, stopped: int) -> None:
    assert f"process {stopped} holds its write lock, and is stopped" in probe(path, journal_clock()).problem


def test_who_is_next_is_known(path: Path, stopped_in_queue: int) -> None:
    assert holds(path) == [Hold(stopped_in_queue, Lock.QUEUE, is_stopped=True)]


def test_who_is_next_while_another_writes_only_waits_itself(path: Path, stopped: int) -> None:
    with holding(QUEUE, path) as waiting:
        assert holds(path) == [Hold(stopped, Lock.WRITE, is_stopped=True)]
        stop(waiting)
        assert held_by(path) == (
            f": process {stopped} holds its write lock, and is stopped; "
            f"process {waiting} holds its queue, and is stopped"
        )


def test_a_queue_that_stands_still_is_told_though_all_is_written(path: Path, stopped_in_queue: int) -> None:
    found = probe(path, journal_clock())

    assert found.problem == ""
    assert [held.hold for held in found.held] == [Hold(stopped_in_queue, Lock.QUEUE, is_stopped=True)]

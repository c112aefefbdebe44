"""Rows grow old by the time in which somebody had the journal open, and by no other."""

import time

import pytest
from tests.support.clock import FakeClock
from tests.unit.journal.stores import DAY, REST, OpenStore, get, put

from walletbridge.journal.running import EVERY_SECONDS, STEP_SECONDS_MAX
from walletbridge.journal.store import Store

HOUR = 3600.0


def prune(store: Store, *, keep_days: int = 1) -> None:
    with store.transaction():
        store.prune(keep_days=keep_days, after=0, limit=100)


def seconds(store: Store) -> float:
    """How long the journal has been at work, as it is on disk."""
    return float(store._db.execute("SELECT running FROM meta").get)


def work(store: Store, clock: FakeClock, *, hours: int) -> None:
    for _ in range(hours):
        clock.tick(HOUR)
        prune(store)


def test_a_settled_row_is_deleted_after_its_days_of_work(store: Store, clock: FakeClock) -> None:
    put(store, REST)
    work(store, clock, hours=24)
    assert get(store) == REST

    clock.tick(1.0)
    prune(store)

    assert get(store) is None


@pytest.mark.parametrize("wall", [0.0, 4e9])
def test_a_wrong_wall_clock_deletes_nothing(store: Store, wall: float, monkeypatch: pytest.MonkeyPatch) -> None:
    put(store, REST)
    monkeypatch.setattr(time, "time", lambda: wall)
    put(store, REST)
    monkeypatch.undo()

    prune(store)

    assert get(store) == REST


def test_time_in_which_nobody_had_the_journal_open_does_not_count(
    store: Store, open_store: OpenStore, clock: FakeClock
) -> None:
    put(store, REST)
    work(store, clock, hours=1)
    store.close()
    clock.tick(400 * DAY)

    again = open_store()
    prune(again)

    assert (seconds(again), get(again)) == (HOUR, REST)


def test_what_was_counted_survives_another_boot(store: Store, open_store: OpenStore, clock: FakeClock) -> None:
    work(store, clock, hours=3)
    store.close()
    clock.tick(-3 * HOUR)

    again = open_store(epoch="boot 2")
    work(again, clock, hours=2)

    assert seconds(again) == 5 * HOUR


def test_a_machine_that_slept_counts_little_of_it(store: Store, clock: FakeClock) -> None:
    put(store, REST)
    clock.tick(400 * DAY)

    prune(store)

    assert (seconds(store), get(store)) == (STEP_SECONDS_MAX, REST)


def test_two_processes_count_the_same_time_once(store: Store, open_store: OpenStore, clock: FakeClock) -> None:
    other = open_store()
    for _ in range(3):
        clock.tick(HOUR)
        prune(store)
        prune(other)

    assert seconds(store) == 3 * HOUR


def test_a_journal_that_is_written_counts_every_minute(store: Store, clock: FakeClock) -> None:
    clock.tick(EVERY_SECONDS - 1)
    put(store, REST)
    assert seconds(store) == 0.0

    clock.tick(1.0)
    put(store, REST)

    assert seconds(store) == EVERY_SECONDS


def test_looking_counts_nothing(store: Store, clock: FakeClock) -> None:
    clock.tick(HOUR)
    before = store.changes

    get(store)

    assert store.changes == before

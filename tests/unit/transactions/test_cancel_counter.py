"""The counter of cancels: one worker's, several workers'."""

from itertools import count

import pytest

from walletbridge.transactions.cancel_counter import SLOTS, Changes, buffer_bytes

KEY = ("test1234", "1676358190")


def key_beside(key: tuple[str, str], *, same_slot: bool) -> tuple[str, str]:
    """Another key that shares the slot of `key`, or does not: known by what it does to a reading."""
    for number in count():
        changes = Changes()
        other = ("alice", str(number))
        changes.begin(other)
        if (changes.reading(key) is None) is same_slot:
            return other
    raise AssertionError


def test_a_reading_stays_while_nothing_is_cancelled() -> None:
    changes = Changes()

    assert changes.reading(KEY) == changes.reading(KEY) is not None


def test_there_is_no_reading_while_a_cancel_is_under_way() -> None:
    changes = Changes()
    changes.begin(KEY)

    assert changes.reading(KEY) is None


def test_every_cancel_gives_a_reading_that_never_was() -> None:
    changes = Changes()
    readings = [changes.reading(KEY)]
    for _ in range(100):
        changes.begin(KEY)
        changes.end(KEY)
        readings.append(changes.reading(KEY))

    assert len(set(readings)) == 101
    assert None not in readings


def test_two_cancels_at_once_must_both_end() -> None:
    changes = Changes()
    changes.begin(KEY)
    changes.begin(KEY)
    changes.end(KEY)
    assert changes.reading(KEY) is None

    changes.end(KEY)
    assert changes.reading(KEY) is not None


def test_a_cancel_leaves_other_slots_alone() -> None:
    changes = Changes()
    before = changes.reading(KEY)
    changes.begin(key_beside(KEY, same_slot=False))

    assert changes.reading(KEY) == before


def test_a_collision_costs_a_question_and_hides_no_cancel() -> None:
    changes = Changes()
    before = changes.reading(KEY)
    other = key_beside(KEY, same_slot=True)
    changes.begin(other)
    assert changes.reading(KEY) is None

    changes.end(other)
    assert changes.reading(KEY) not in {None, before}


@pytest.mark.parametrize(("canceling", "reading"), [(0, 1), (1, 0), (2, 2)])
def test_a_cancel_in_one_worker_is_seen_by_every_worker(canceling: int, reading: int) -> None:
    buffer = bytearray(buffer_bytes(3))
    workers = [Changes(buffer, worker=worker, workers=3) for worker in range(3)]
    before = workers[reading].reading(KEY)

    workers[canceling].begin(KEY)
    assert workers[reading].reading(KEY) is None

    workers[canceling].end(KEY)
    assert workers[reading].reading(KEY) not in {None, before}


def test_cancels_in_two_workers_at_once_must_both_end() -> None:
    buffer = bytearray(buffer_bytes(2))
    one, other = (Changes(buffer, worker=worker, workers=2) for worker in range(2))
    one.begin(KEY)
    other.begin(KEY)
    one.end(KEY)

    assert one.reading(KEY) is other.reading(KEY) is None
    other.end(KEY)
    assert one.reading(KEY) == other.reading(KEY) is not None


def test_workers_write_apart() -> None:
    """No write of one may be lost to another's."""
    buffer = bytearray(buffer_bytes(2))
    half = len(buffer) // 2
    Changes(buffer, worker=1, workers=2).begin(KEY)

    assert not any(buffer[:half])
    assert any(buffer[half:])


def test_the_buffer_has_two_cells_a_slot_for_each_worker() -> None:
    assert buffer_bytes(1) == 2 * 8 * SLOTS
    assert buffer_bytes(4) == 4 * buffer_bytes(1)


def test_a_worker_without_a_buffer_is_alone() -> None:
    one, other = Changes(), Changes()
    one.begin(KEY)

    assert other.reading(KEY) is not None


def test_the_cancels_of_a_dead_worker_end_with_it() -> None:
    """What was known before them is worthless all the same."""
    buffer = bytearray(buffer_bytes(2))
    dead, alive = Changes(buffer, worker=0, workers=2), Changes(buffer, worker=1, workers=2)
    before = alive.reading(KEY)
    dead.begin(KEY)
    dead.begin(KEY)
    dead.end(KEY)
    dead.end_all()

    assert alive.reading(KEY) not in {None, before}

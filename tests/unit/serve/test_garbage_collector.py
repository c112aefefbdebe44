"""The garbage collector goes through everything rarely, and yet does."""

import gc
from collections.abc import Iterator

import pytest

from walletbridge.serve.garbage_collector import FULL_AFTER, be_patient


@pytest.fixture(autouse=True)
def _thresholds() -> Iterator[None]:
    before = gc.get_threshold()
    gc.collect()
    be_patient()
    yield
    gc.set_threshold(*before)


def full_collections() -> int:
    return int(gc.get_stats()[2]["collections"])


def stay(rounds: float) -> list[list[int]]:
    """So much that stays as makes the collector go so many rounds through what came lately."""
    young, middle, _ = gc.get_threshold()
    return [[] for _ in range(int(young * middle * rounds))]


def test_a_crowd_that_comes_does_not_make_it_go_through_everything() -> None:
    before = full_collections()
    crowd = stay(FULL_AFTER * 0.5)

    assert full_collections() == before
    del crowd


def test_what_comes_without_end_does() -> None:
    """Or the garbage of long-lived connections would never be found."""
    before = full_collections()
    crowd = stay(FULL_AFTER * 1.5)

    assert full_collections() > before
    del crowd

"""Stores on one file, with a clock that stands still."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.clock import FakeClock
from tests.unit.journal.stores import OpenStore

from walletbridge.journal.clock import JournalClock
from walletbridge.journal.store import Store
from walletbridge.journal.turn_owner import worker_name


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


@pytest.fixture
def open_store(path: Path, clock: FakeClock) -> Iterator[OpenStore]:
    """Opens the file, every time as another worker."""
    stores: list[Store] = []

    def open_(worker: str = "", *, epoch: str = "boot 1") -> Store:
        stores.append(Store(path, worker or worker_name(), JournalClock(epoch, clock)))
        return stores[-1]

    yield open_
    for store in stores:
        store.close()


@pytest.fixture
def store(open_store: OpenStore) -> Store:
    return open_store()

"""What is written to a file that the path no longer names does not count."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.journal.stores import OPEN, REST, OpenStore, get, put

from walletbridge.journal.port import JournalUnavailable
from walletbridge.journal.store import Store


def remove(path: Path) -> None:
    path.unlink()


def replace(path: Path) -> None:
    copy = path.with_name("copy")
    shutil.copy(path, copy)
    copy.replace(path)


def remove_log(path: Path) -> None:
    path.with_name(f"{path.name}-wal").unlink()


def remove_index(path: Path) -> None:
    path.with_name(f"{path.name}-shm").unlink()


@pytest.mark.parametrize("damage", [remove, replace, remove_log, remove_index])
def test_nothing_is_written_to_a_file_that_is_gone_and_reads_go_on(
    store: Store, path: Path, damage: Callable[[Path], None]
) -> None:
    put(store, REST)
    damage(path)

    for _ in range(2):
        with pytest.raises(JournalUnavailable, match="while it was in use"):
            put(store, OPEN)
    assert get(store) == REST


def test_a_file_that_goes_during_the_commit_does_not_count(store: Store, path: Path) -> None:
    put(store, REST)

    def see(_: object, statement: str, __: object) -> bool:
        if statement == "COMMIT":
            path.unlink()
        return True

    store._db.exec_trace = see
    with pytest.raises(JournalUnavailable, match="was removed"):
        put(store, OPEN)


def test_no_journal_is_begun_in_the_place_of_one_that_is_gone(store: Store, open_store: OpenStore, path: Path) -> None:
    put(store, REST)
    store.close()
    path.unlink()

    with pytest.raises(OSError, match="there was a journal at"):
        open_store()
    assert not path.exists()

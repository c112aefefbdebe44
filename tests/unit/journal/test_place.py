"""What is written to a file that the path no longer names does not count."""

import os
import shutil
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import apsw
import pytest
from tests.support.clock import FakeClock
from tests.unit.journal.stores import OPEN, REST, OpenStore, get, put

from walletbridge.journal.clock import JournalClock
from walletbridge.journal.port import JournalUnavailable
from walletbridge.journal.store import Store
from walletbridge.journal.turn_owner import worker_name


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


def cut(path: Path) -> None:
    os.truncate(path, 0)


@pytest.mark.parametrize("damage", [remove, replace, remove_log, remove_index, cut])
def test_nothing_is_written_to_a_file_that_is_gone_and_reads_go_on(
    store: Store, path: Path, damage: Callable[[Path], None]
) -> None:
    put(store, REST)
    damage(path)

    for _ in range(2):
        with pytest.raises(JournalUnavailable, match="while it was in use"):
            put(store, OPEN)
    assert get(store) == REST


def test_nothing_is_written_to_a_file_whose_folder_was_replaced(tmp_path: Path, clock: FakeClock) -> None:
    path = tmp_path / "folder" / "journal.db"
    path.parent.mkdir()
    with closing(Store(path, worker_name(), JournalClock("boot 1", clock))) as store:
        put(store, REST)
        path.parent.rename(tmp_path / "moved")
        path.parent.mkdir()

        with pytest.raises(JournalUnavailable, match="was removed while it was in use"):
            put(store, OPEN)
        assert get(store) == REST


def test_nothing_is_written_where_a_link_in_the_path_leads_elsewhere_by_now(tmp_path: Path, clock: FakeClock) -> None:
    path, link = tmp_path / "journal.db", tmp_path / "link.db"
    link.symlink_to(path)
    with closing(Store(link, worker_name(), JournalClock("boot 1", clock))) as store:
        put(store, REST)
        shutil.copy(path, tmp_path / "other.db")
        link.unlink()
        link.symlink_to(tmp_path / "other.db")

        with pytest.raises(JournalUnavailable, match="was replaced while it was in use"):
            put(store, OPEN)
        assert get(store) == REST


def test_what_is_in_a_log_that_was_cut_does_not_count(store: Store, path: Path) -> None:
    put(store, REST)
    os.truncate(path.with_name(f"{path.name}-wal"), 0)

    for _ in range(2):
        with pytest.raises(JournalUnavailable, match="-wal was cut while it was in use"):
            put(store, OPEN)


def test_a_log_that_sqlite_cuts_itself_is_no_other(store: Store) -> None:
    put(store, REST)
    store._db.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)

    store.expect_in_place()
    # Another worker may do so right behind a commit of this one.
    store._place.expect_committed()
    put(store, OPEN)
    assert get(store) == OPEN


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

    with pytest.raises(OSError, match=r"there was a journal at .* gone; put it or a backup"):
        open_store()
    assert not path.exists()


def test_an_empty_file_in_the_place_of_a_journal_is_none(store: Store, open_store: OpenStore, path: Path) -> None:
    put(store, REST)
    store.close()
    path.write_bytes(b"")

    with pytest.raises(OSError, match=r"there was a journal at .*, and nothing is in it any more"):
        open_store()
    assert path.read_bytes() == b""


def test_an_empty_file_without_a_mark_is_a_first_start_that_was_cut_short(open_store: OpenStore, path: Path) -> None:
    for suffix in ("", "-queue", "-mark"):
        path.with_name(path.name + suffix).touch()

    put(open_store(), REST)

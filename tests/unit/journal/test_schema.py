"""A file becomes one of today, whoever made it, and when."""

from contextlib import closing
from pathlib import Path
from threading import Timer

import apsw
import pytest
from msgspec.structs import replace
from tests.support.clock import FakeClock
from tests.unit.journal.stores import OPEN, REST, OpenStore, get, pragma, put, take

from walletbridge.journal.clock import JournalClock
from walletbridge.journal.store import Store
from walletbridge.journal.turn_owner import worker_name

VERSION = 4


def test_a_new_file_is_of_the_last_version_and_loses_nothing_that_was_committed(store: Store) -> None:
    assert pragma(store, "user_version") == VERSION
    assert pragma(store, "journal_mode") == "wal"
    assert pragma(store, "synchronous") == 2


def test_another_opening_finds_the_rows_and_is_as_safe(store: Store, open_store: OpenStore) -> None:
    put(store, REST, OPEN)
    store.close()

    again = open_store()

    assert get(again) == OPEN
    assert (pragma(again, "journal_mode"), pragma(again, "synchronous")) == ("wal", 2)


def test_a_file_of_a_later_version_is_refused_and_left_as_it_is(
    store: Store, open_store: OpenStore, path: Path
) -> None:
    put(store, REST)
    store._db.execute(f"PRAGMA user_version = {VERSION + 1}")
    store.close()
    before = path.read_bytes()

    with pytest.raises(ValueError, match=f"the journal is of version {VERSION + 1}; this program knows {VERSION}"):
        open_store()

    assert path.read_bytes() == before


def test_a_file_that_cannot_be_opened_says_so(tmp_path: Path, clock: FakeClock) -> None:
    with pytest.raises(apsw.CantOpenError):
        Store(tmp_path / "missing" / "journal.db", worker_name(), JournalClock("boot 1", clock))


def test_a_new_file_that_another_process_is_making_is_waited_for(open_store: OpenStore, path: Path) -> None:
    with closing(apsw.Connection(str(path))) as other:
        other.execute("BEGIN IMMEDIATE")
        release = Timer(0.05, other.execute, ["COMMIT"])
        release.start()

        assert pragma(open_store(), "journal_mode") == "wal"
        release.join()


# Another boot


def test_another_boot_counts_ages_from_now_and_frees_turns(
    store: Store, open_store: OpenStore, clock: FakeClock
) -> None:
    put(store, replace(OPEN, call_ends_at=990.0, next_try_at=950.0, created_at=800.0))
    put(store, replace(REST, trans_id="2", created_at=800.0))
    assert take(store)
    clock.tick(-990.0)

    again = open_store(epoch="boot 2")

    row = get(again)
    assert row == replace(
        OPEN, movement_unresolved_since=10.0, call_ends_at=10.0, told_at=None, next_try_at=10.0, created_at=10.0
    )
    assert get(again, replace(REST, trans_id="2")) == replace(REST, trans_id="2", created_at=800.0)
    assert take(again)


def test_the_same_boot_keeps_times_and_turns(store: Store, open_store: OpenStore) -> None:
    put(store, OPEN)
    assert take(store)

    again = open_store()

    assert get(again) == OPEN
    assert not take(again)


def test_the_first_opening_after_a_boot_alone_counts_anew(open_store: OpenStore, clock: FakeClock) -> None:
    put(open_store(), OPEN)
    open_store(epoch="boot 2")
    clock.tick(50.0)

    assert get(open_store(epoch="boot 2")) == replace(
        OPEN, movement_unresolved_since=1000.0, call_ends_at=1000.0, created_at=1000.0
    )


# Earlier versions


def test_settled_rows_of_an_earlier_version_are_as_young_as_can_be(store: Store, open_store: OpenStore) -> None:
    put(store, REST)
    store._db.execute("ALTER TABLE transactions DROP COLUMN updated_running")
    store._db.execute("ALTER TABLE meta DROP COLUMN running")
    store._db.execute("ALTER TABLE meta DROP COLUMN running_at")
    store._db.execute("ALTER TABLE meta DROP COLUMN incarnation")
    store._db.execute("ALTER TABLE meta DROP COLUMN commits")
    store._db.execute("UPDATE transactions SET created_wall = 0, updated_wall = 0")
    store._db.execute("PRAGMA user_version = 2")
    store.close()

    again = open_store()
    with again.transaction():
        again.prune(keep_days=1, after=0, limit=9)

    assert get(again) == REST

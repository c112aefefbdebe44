"""
The journal file's schema, and the migration of a file of an earlier version or of another boot.
"""

import time

import apsw

from walletbridge.journal.clock import JournalClock

BUSY_POLL_SECONDS = 0.01
_MIGRATIONS = (
    """
    CREATE TABLE meta (epoch TEXT NOT NULL) STRICT;
    INSERT INTO meta VALUES ('');
    CREATE TABLE turns (trans_id TEXT PRIMARY KEY, worker TEXT NOT NULL, ends_at REAL NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE transactions (
        id INTEGER PRIMARY KEY,
        account TEXT NOT NULL,
        trans_id TEXT NOT NULL,
        kind TEXT,
        amount INTEGER,
        round_id TEXT NOT NULL,
        request TEXT NOT NULL,
        movement TEXT NOT NULL,
        movement_unresolved_since REAL,
        cancel TEXT NOT NULL,
        cancel_by_provider INTEGER NOT NULL,
        cancel_unresolved INTEGER NOT NULL,
        call TEXT,
        call_ends_at REAL NOT NULL,
        result INTEGER,
        balance INTEGER,
        told TEXT NOT NULL,
        told_at REAL,
        status_said_ok INTEGER NOT NULL,
        tries INTEGER NOT NULL,
        sends INTEGER NOT NULL,
        next_try_at REAL,
        rechecks_left INTEGER NOT NULL,
        for_human TEXT NOT NULL,
        conflicts INTEGER NOT NULL,
        created_at REAL NOT NULL,
        needs_look INTEGER NOT NULL,
        created_wall INTEGER NOT NULL,
        updated_wall INTEGER NOT NULL,
        UNIQUE (trans_id, account)
    ) STRICT;
    CREATE INDEX needs_look ON transactions (id) WHERE needs_look;
    CREATE INDEX rounds ON transactions (account, round_id) WHERE round_id != '';
    """,
    """
    ALTER TABLE transactions ADD COLUMN refused_since REAL;
    ALTER TABLE transactions ADD COLUMN round_cancelled INTEGER;
    ALTER TABLE transactions ADD COLUMN word TEXT NOT NULL DEFAULT '';
    """,
    """
    ALTER TABLE meta ADD COLUMN running REAL NOT NULL DEFAULT 0;
    ALTER TABLE meta ADD COLUMN running_at REAL NOT NULL DEFAULT 0;
    ALTER TABLE transactions ADD COLUMN updated_running INTEGER NOT NULL DEFAULT 0;
    """,
    """
    ALTER TABLE meta ADD COLUMN incarnation BLOB NOT NULL DEFAULT x'';
    ALTER TABLE meta ADD COLUMN commits INTEGER NOT NULL DEFAULT 0;
    """,
)
"""Each brings the file from one version to the next; its number is the version. A file never goes back."""

_TIMES = ("movement_unresolved_since", "call_ends_at", "told_at", "next_try_at", "refused_since", "created_at")


def use_wal(db: apsw.Connection, *, seconds: float) -> None:
    """
    Puts the file in WAL mode; waits at most `seconds` for a lock. Raises apsw.Error.

    SQLite does not wait here itself: if two processes open a new file, one may find it locked.
    """
    ends_at = time.monotonic() + seconds
    while True:
        try:
            db.execute("PRAGMA journal_mode = WAL")
        except apsw.BusyError:
            if time.monotonic() >= ends_at:
                raise
            time.sleep(BUSY_POLL_SECONDS)
        else:
            return


def expect_today(db: apsw.Connection, clock: JournalClock) -> bool:
    """
    For a change of a row beside the gateway: whether the file's times are of this clock. Migrates nothing. Raises
    ValueError for a file of another version.
    """
    version = db.execute("PRAGMA user_version").get
    if version != len(_MIGRATIONS):
        raise ValueError(f"the journal is of version {version}; this program writes {len(_MIGRATIONS)}")
    return bool(db.execute("SELECT epoch FROM meta").get == clock.epoch)


def expect_known(db: apsw.Connection) -> int:
    """The file's version, 0 before it is a journal. Raises ValueError for a later version than this program's."""
    version: int = db.execute("PRAGMA user_version").get
    if version > len(_MIGRATIONS):
        raise ValueError(f"the journal is of version {version}; this program knows {len(_MIGRATIONS)}")
    return version


def migrate(db: apsw.Connection, clock: JournalClock) -> None:
    """Brings the file to the latest version. Inside a transaction. Raises ValueError for a file of a later version."""
    version = expect_known(db)
    for number, migration in enumerate(_MIGRATIONS[version:], start=version + 1):
        # Not executescript: it would commit earlier statements.
        for statement in migration.split(";"):
            db.execute(statement)
        db.execute(f"PRAGMA user_version = {number}")
    epoch = db.execute("SELECT epoch FROM meta").get
    if epoch != clock.epoch:
        _start_anew(db, clock)


def _start_anew(db: apsw.Connection, clock: JournalClock) -> None:
    """Counts all ages from now and ends all turns: after another boot the old times mean nothing."""
    now = clock.now()
    changes = ", ".join(f"{name} = iif({name} IS NULL, NULL, :now)" for name in _TIMES)
    db.execute(f"UPDATE transactions SET {changes} WHERE needs_look", {"now": now})  # noqa: S608 - names of ours
    db.execute("DELETE FROM turns")
    db.execute("UPDATE meta SET epoch = ?", (clock.epoch,))

"""
The journal's SQLite file: schema, migrations, and the reads and writes of one step. Synchronous; knows no rules.
"""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from msgspec.structs import astuple

from walletbridge.journal.clock import JournalClock
from walletbridge.journal.plan import Round
from walletbridge.journal.port import Busy, Found, Step
from walletbridge.journal.queue import Queue
from walletbridge.journal.row import CancelState, Kind, Movement, Row, Told
from walletbridge.journal.worker import is_dead
from walletbridge.outcomes import Result

BUSY_SECONDS = 1.0
"""How long a step waits for another process's transaction."""
BUSY_POLL_SECONDS = 0.01
CHECKPOINT_PAGES = 4000
"""How much is written between two moves from the log into the file, each of which costs two more syncs."""
GRACE_SECONDS = 0.5
"""How long after its deadline a turn is still its worker's: time for what came of the call to reach the disk."""

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
)
"""Each brings the file from one version to the next; its number is the version. A file never goes back."""

_DAY = 86400
_TIMES = ("movement_unresolved_since", "call_ends_at", "told_at", "next_try_at", "created_at")
_COLUMNS = Row.__struct_fields__
_CONVERT: dict[str, Any] = {
    "kind": lambda value: None if value is None else Kind(value),
    "movement": Movement,
    "cancel": CancelState,
    "cancel_by_provider": bool,
    "cancel_unresolved": bool,
    "call": lambda value: None if value is None else Kind(value),
    "result": lambda value: None if value is None else Result(value),
    "told": Told,
    "status_said_ok": bool,
}
_READERS = tuple(_CONVERT.get(name) for name in _COLUMNS)
_SELECT = f"SELECT {', '.join(_COLUMNS)} FROM transactions"  # noqa: S608 - names of ours
_SELECT_WITH_ID = f"SELECT id, {', '.join(_COLUMNS)} FROM transactions"  # noqa: S608 - names of ours
SELECT_NUMBERED = f"SELECT id, created_wall, updated_wall, {', '.join(_COLUMNS)} FROM transactions"  # noqa: S608 - names of ours
_PLACES = ", ".join("?" * (len(_COLUMNS) + 3))
_INSERT = f"INSERT INTO transactions ({', '.join(_COLUMNS)}, needs_look, created_wall, updated_wall) VALUES ({_PLACES})"  # noqa: S608 - names of ours


@dataclass(frozen=True, slots=True)
class Numbered:
    """A row with what only people need of it."""

    number: int
    created_wall: int
    """Unix seconds, by the wall clock."""
    updated_wall: int
    row: Row


class Store:
    """One connection. For one thread."""

    def __init__(self, path: Path, worker: str, clock: JournalClock) -> None:
        """Opens or makes the file. Raises sqlite3.Error where that fails, ValueError for a file of a later version."""
        self._worker = worker
        self._clock = clock
        self._db = sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)
        try:
            self._queue = Queue(path)
        except OSError:
            self._db.close()
            raise
        try:
            self._use_wal()
            self._db.execute("PRAGMA synchronous = FULL")
            self._db.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
            self._migrate()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Closes the file."""
        self._db.close()
        self._queue.close()

    @property
    def changes(self) -> int:
        """How many rows were ever written by this connection."""
        return self._db.total_changes

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """One exclusive transaction: on disk when it ends, undone when it raises."""
        self._queue.begin(self._db, seconds=BUSY_SECONDS)
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):
                self._db.execute("ROLLBACK")
            raise

    def look[T](self, account: str, trans_id: str, step: Step[T], *, seconds: float, needs_round: bool) -> T | Busy:
        """See `Journal.look`. Inside a transaction."""
        now = self._clock.now()
        turn = self._db.execute("SELECT worker, ends_at FROM turns WHERE trans_id = ?", (trans_id,)).fetchone()
        if turn is not None and turn[0] != self._worker and now < turn[1] and not is_dead(turn[0]):
            return Busy()
        found = self._find(account, trans_id, now, needs_round=needs_round)
        change = step(found)
        self._write(found, change.row)
        if change.takes_turn:
            self._db.execute(
                "INSERT OR REPLACE INTO turns VALUES (?, ?, ?)", (trans_id, self._worker, now + seconds + GRACE_SECONDS)
            )
        return change.value

    def end[T](self, account: str, trans_id: str, step: Step[T]) -> T | Busy:
        """See `Journal.end`. Inside a transaction."""
        turn = self._db.execute("SELECT worker FROM turns WHERE trans_id = ?", (trans_id,)).fetchone()
        if turn is None or turn[0] != self._worker:
            return Busy()
        found = self._find(account, trans_id, self._clock.now())
        change = step(found)
        self._write(found, change.row)
        if not change.takes_turn:
            self._db.execute("DELETE FROM turns WHERE trans_id = ? AND worker = ?", (trans_id, self._worker))
        return change.value

    def note[T](self, account: str, trans_id: str, step: Step[T]) -> T:
        """See `Journal.note`. Inside a transaction."""
        found = self._find(account, trans_id, self._clock.now())
        change = step(found)
        self._write(found, change.row)
        return change.value

    def rows_to_look_at(self, *, after: int, limit: int) -> list[tuple[int, Row]]:
        """Rows that are not at rest and whose turn is free, from the one behind number `after`, in order."""
        now = self._clock.now()
        taken = {
            trans_id
            for trans_id, worker, ends_at in self._db.execute("SELECT trans_id, worker, ends_at FROM turns")
            if now < ends_at and not is_dead(worker)
        }
        # Read until the page is full: a short page means that there is no more.
        rows = self._db.execute(f"{_SELECT_WITH_ID} WHERE needs_look AND id > ? ORDER BY id", (after,))
        found = ((number, _row(values)) for number, *values in rows)
        return list(islice(((number, row) for number, row in found if row.trans_id not in taken), limit))

    def numbered(self, *, limit: int) -> list[Numbered]:
        """Rows that are not at rest, the oldest first."""
        rows = self._db.execute(f"{SELECT_NUMBERED} WHERE needs_look ORDER BY id LIMIT ?", (limit,))
        return [numbered(values) for values in rows]

    def numbered_row(self, number: int) -> Numbered | None:
        """The row with that number."""
        values = self._db.execute(f"{SELECT_NUMBERED} WHERE id = ?", (number,)).fetchone()
        return numbered(values) if values else None

    def around(self, row: Row) -> Round:
        """What else is known of the row's round."""
        if not row.round_id:
            return Round()
        has_win, has_cancelled_bet = self._db.execute(
            "SELECT coalesce(max(kind IS 'win'), 0), coalesce(max(kind IS NOT 'win' AND cancel != 'none'), 0)"
            " FROM transactions WHERE account = ? AND round_id = ? AND round_id != '' AND trans_id != ?",
            (row.account, row.round_id, row.trans_id),
        ).fetchone()
        return Round(bool(has_win), bool(has_cancelled_bet))

    def prune(self, *, keep_days: int, after: int, limit: int) -> int:
        """
        Deletes the rows at rest that were last written so long ago, among the `limit` rows behind number `after`.

        Returns the number of the last row that was looked at, 0 at the end. Forgets turns that nobody gave back, too.
        """
        self._db.execute("DELETE FROM turns WHERE ends_at < ?", (self._clock.now() - _DAY,))
        before = int(time.time()) - keep_days * _DAY
        rows = self._db.execute(
            "SELECT id, needs_look, updated_wall FROM transactions WHERE id > ? ORDER BY id LIMIT ?", (after, limit)
        ).fetchall()
        old = [(number,) for number, is_needed, updated_wall in rows if not is_needed and updated_wall < before]
        self._db.executemany("DELETE FROM transactions WHERE id = ?", old)
        return rows[-1][0] if len(rows) == limit else 0

    def clear(self) -> None:
        """Forgets everything."""
        self._db.execute("DELETE FROM transactions")
        self._db.execute("DELETE FROM turns")

    def _find(self, account: str, trans_id: str, now: float, *, needs_round: bool = False) -> Found:
        rows = [_row(values) for values in self._db.execute(f"{_SELECT} WHERE trans_id = ?", (trans_id,))]
        row = next((row for row in rows if row.account == account), None)
        other = next((row for row in rows if row.account != account), None)
        return Found(row, other, self.around(row) if row and needs_round else Round(), now)

    def _write(self, found: Found, row: Row | None) -> None:
        if row is None:
            return
        wall = int(time.time())
        old = next((old for old in (found.row, found.other) if old and old.account == row.account), None)
        if old is None:
            self._db.execute(_INSERT, (*astuple(row), needs_look(row), wall, wall))
            return
        # Only what has changed: an index is written anew for every column that is named.
        changed: dict[str, Any] = {
            name: value
            for name, value, before in zip(_COLUMNS, astuple(row), astuple(old), strict=True)
            if value != before
        }
        if needs_look(row) != needs_look(old):
            changed["needs_look"] = needs_look(row)
        changed["updated_wall"] = wall
        names = ", ".join(f"{name} = ?" for name in changed)
        self._db.execute(
            f"UPDATE transactions SET {names} WHERE trans_id = ? AND account = ?",  # noqa: S608 - names of ours
            (*changed.values(), row.trans_id, row.account),
        )

    def _use_wal(self) -> None:
        """SQLite does not wait here by itself: of two that open a new file, one may hear at once that it is locked."""
        ends_at = time.monotonic() + BUSY_SECONDS
        while True:
            try:
                self._db.execute("PRAGMA journal_mode = WAL")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() >= ends_at:
                    raise
                time.sleep(BUSY_POLL_SECONDS)
            else:
                return

    def _migrate(self) -> None:
        with self.transaction():
            (version,) = self._db.execute("PRAGMA user_version").fetchone()
            if version > len(_MIGRATIONS):
                raise ValueError(f"the journal is of version {version}; this program knows {len(_MIGRATIONS)}")
            for number, migration in enumerate(_MIGRATIONS[version:], start=version + 1):
                # Not executescript: it would commit what comes before.
                for statement in migration.split(";"):
                    self._db.execute(statement)
                self._db.execute(f"PRAGMA user_version = {number}")
            (epoch,) = self._db.execute("SELECT epoch FROM meta").fetchone()
            if epoch != self._clock.epoch:
                self._start_anew()

    def _start_anew(self) -> None:
        """After another boot the old times mean nothing: all ages count from now, and nobody has a turn."""
        now = self._clock.now()
        changes = ", ".join(f"{name} = iif({name} IS NULL, NULL, :now)" for name in _TIMES)
        self._db.execute(f"UPDATE transactions SET {changes} WHERE needs_look", {"now": now})  # noqa: S608 - names of ours
        self._db.execute("DELETE FROM turns")
        self._db.execute("UPDATE meta SET epoch = ?", (self._clock.epoch,))


def needs_look(row: Row) -> bool:
    """Whether the resolver or a person must still see the row: it is listed, or could be once its call has ended."""
    is_maybe = row.kind is Kind.BET and row.told is Told.MAYBE and row.cancel is CancelState.NONE
    return row.is_listed or row.call is not None or is_maybe


def _row(values: Any) -> Row:
    pairs = zip(_COLUMNS, values, _READERS, strict=True)
    return Row(**{name: value if read is None else read(value) for name, value, read in pairs})


def numbered(values: Any) -> Numbered:
    """What SELECT_NUMBERED has found."""
    number, created_wall, updated_wall, *rest = values
    return Numbered(number, created_wall, updated_wall, _row(rest))

"""
The journal's SQLite file: the reads and writes of one step. Synchronous; knows no rules.
"""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import Any

import apsw

from walletbridge.journal.clock import JournalClock
from walletbridge.journal.columns import SELECT, SELECT_NUMBERED, SELECT_WITH_ID, Numbered, numbered, row_of
from walletbridge.journal.mark import Mark
from walletbridge.journal.place import Place, expect_never_made
from walletbridge.journal.port import Busy, Change, Found, Step
from walletbridge.journal.revisions import Revisions, stands_otherwise
from walletbridge.journal.row_cache import STATEMENTS, Known, Transaction, Turn
from walletbridge.journal.running import Running
from walletbridge.journal.schema import expect_today, migrate, use_wal
from walletbridge.journal.turn_owner import is_dead
from walletbridge.journal.wal import WalWatch
from walletbridge.journal.write_queue import BESIDE, Queue
from walletbridge.rules.decisions import cancels_round, in_cancelled_round, restored
from walletbridge.rules.resolver_plan import Round
from walletbridge.rules.row import Row
from walletbridge.settings.small_files import make_private

BUSY_SECONDS = 1.0
"""Seconds that a step waits for another process's transaction."""
CHECKPOINT_PAGES = 4000
"""Pages written between two moves from the log into the file. Each move costs two more syncs."""
LOG_BYTES = 64 * 1024 * 1024
"""The log is cut to this size after a reader that stayed has made it grow and has ended."""
GRACE_SECONDS = 0.5
"""Seconds that a worker keeps its turn after the deadline, for the call's outcome to reach the disk."""

_DAY = 86400
_NO_ROUND = Round()


class Store:
    """One connection. For one thread."""

    def __init__(
        self, path: Path, worker: str, clock: JournalClock, *, may_create: bool = True, is_guest: bool = False
    ) -> None:
        """
        Opens the file, or makes it if it may and there never was one. Raises apsw.Error or OSError if that fails,
        ValueError for a file of a later version.

        `is_guest`: for a person's decision beside the gateway, perhaps on a machine or in a container of another boot.
        A guest migrates nothing. Under another boot it cannot tell whether a worker is dead, so it respects every turn.
        """
        self._worker = worker
        self._clock = clock
        self._knows_turns = True
        """Whether the times and workers of turns have a meaning here."""
        self.recovered: int | None = None
        """The number of rows left to a person because the file is older than what was answered; None if it is not."""
        expect_never_made(path)
        if may_create or path.exists():
            make_private(path, *BESIDE)
        flags = apsw.SQLITE_OPEN_READWRITE | (apsw.SQLITE_OPEN_CREATE if may_create else 0)
        self._db = apsw.Connection(str(path), flags=flags, statementcachesize=STATEMENTS)
        self._place = Place(path)
        self._revisions = Revisions(path)
        self._changed: set[str] = set()
        """Transactions whose standing changes with the commit of SQLite's transaction."""
        try:
            self._queue = Queue(path)
            self._mark = Mark(path)
        except OSError:
            self._db.close()
            raise
        try:
            use_wal(self._db, seconds=BUSY_SECONDS)
            self._db.execute("PRAGMA synchronous = FULL")
            self._db.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
            self._db.execute(f"PRAGMA journal_size_limit = {LOG_BYTES}")
            self._queue.begin(self._db, seconds=BUSY_SECONDS)
            if is_guest:
                self._knows_turns = expect_today(self._db, clock)
            else:
                migrate(self._db, clock)
            self._running = Running(self._db, clock)
            self._known = Known(self._db, self._running)
            self.recovered = None if is_guest else self._recover()
            self._db.execute("COMMIT")
            self._place.remember()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Closes the file."""
        self._db.close()
        self._place.close()
        self._queue.close()
        self._mark.close()
        self._revisions.close()

    @property
    def changes(self) -> int:
        """The number of rows ever written by this connection."""
        return self._db.total_changes()

    def expect_in_place(self) -> None:
        """Raises JournalUnavailable if the path no longer names this file."""
        self._place.expect_unchanged()

    def try_to_write(self) -> None:
        """Writes only the running time. Raises like a transaction."""
        with self.transaction():
            self._running.count()

    def look_at_wal(self, watch: WalWatch) -> None:
        """Lets `watch` look at the log beside the file. Outside a transaction."""
        watch.look(self._db)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """
        One exclusive transaction: on disk, in the file that the path names, when it ends. If it raises, it is undone,
        or lost with a file that was removed.
        """
        self._queue.begin(self._db, seconds=BUSY_SECONDS)
        changes = self.changes
        self._changed.clear()
        try:
            self._known.begin()
            yield
            self._known.write()
            is_written = self.changes > changes
            number = 0
            if is_written:
                self._running.count_sometimes()
                self._revisions.renew(*self._changed)
                self._place.expect_unchanged()
                number = self._db.execute("UPDATE meta SET commits = commits + 1 RETURNING commits").get
                self._mark.begin(number)
            self._db.execute("COMMIT")
            if is_written:
                self._mark.done(number)
                # A commit counts only if the path still names this file; see `Place`.
                self._place.expect_committed()
        except BaseException:
            self._known.forget()
            with suppress(apsw.Error):
                self._db.execute("ROLLBACK")
            raise

    def expect(self, trans_ids: Collection[str]) -> None:
        """Reads at once the transactions that are about to be asked for. Inside a transaction."""
        self._known.expect(trans_ids)

    def look[T](self, account: str, trans_id: str, step: Step[T], *, seconds: float, needs_round: bool) -> T | Busy:
        """See `Journal.look`. Inside a transaction."""
        now = self._clock.now()
        known = self._known.of(trans_id)
        turn = known.turn
        if turn is not None and turn.worker != self._worker and self._is_live(turn, now):
            return Busy()
        change = self._step(known, account, step, now, needs_round=needs_round)
        if change.takes_turn:
            self._known.put_turn(known, Turn(self._worker, now + seconds + GRACE_SECONDS))
        return change.value

    def end[T](self, account: str, trans_id: str, step: Step[T]) -> T | Busy:
        """See `Journal.end`. Inside a transaction."""
        known = self._known.of(trans_id)
        if known.turn is None or known.turn.worker != self._worker:
            return Busy()
        change = self._step(known, account, step, self._clock.now())
        if not change.takes_turn:
            self._known.put_turn(known, None)
        return change.value

    def note[T](self, account: str, trans_id: str, step: Step[T]) -> T:
        """See `Journal.note`. Inside a transaction."""
        return self._step(self._known.of(trans_id), account, step, self._clock.now()).value

    def rows_to_look_at(self, *, after: int, limit: int) -> list[tuple[int, Row]]:
        """Rows that are not at rest and whose turn is free, from the one after number `after`, in order."""
        now = self._clock.now()
        taken = {
            trans_id
            for trans_id, worker, ends_at in self._execute("SELECT trans_id, worker, ends_at FROM turns")
            if now < ends_at and not is_dead(worker)
        }
        # Read until the page is full: a short page means that there is no more.
        rows = self._execute(f"{SELECT_WITH_ID} WHERE needs_look AND id > ? ORDER BY id", (after,))
        found = ((number, row_of(values)) for number, *values in rows)
        return list(islice(((number, row) for number, row in found if row.trans_id not in taken), limit))

    def numbered(self, *, limit: int) -> list[Numbered]:
        """Rows that are not at rest, the oldest first."""
        rows = self._execute(f"{SELECT_NUMBERED} WHERE needs_look ORDER BY id LIMIT ?", (limit,))
        return [numbered(values) for values in rows]

    def numbered_row(self, number: int) -> Numbered | None:
        """The row with this number, or None."""
        values = self._execute(f"{SELECT_NUMBERED} WHERE id = ?", (number,)).fetchone()
        return numbered(values) if values else None

    def around(self, row: Row) -> Round:
        """The state of the other transactions in the row's round."""
        if not row.round_id:
            return Round()
        has_win, has_cancelled_bet, has_standing_bet = self._execute(
            "SELECT coalesce(max(kind IS 'win'), 0), coalesce(max(kind IS NOT 'win' AND cancel != 'none'), 0),"
            " coalesce(max(kind IS 'bet' AND cancel = 'none' AND movement != 'refused'), 0)"
            " FROM transactions WHERE account = ? AND round_id = ? AND round_id != '' AND trans_id != ?",
            (row.account, row.round_id, row.trans_id),
        ).get
        return Round(bool(has_win), bool(has_cancelled_bet), bool(has_standing_bet))

    def prune(self, *, keep_days: int, after: int, limit: int) -> int:
        """
        Deletes the rows at rest that were last written over `keep_days` days of work ago (see `Running`), among the
        `limit` rows after number `after`.

        Returns the number of the last row that was looked at, 0 at the end. Also deletes turns that were never given
        back.
        """
        self._execute("DELETE FROM turns WHERE ends_at < ?", (self._clock.now() - _DAY,))
        self._running.count()
        before = int(self._running.seconds()) - keep_days * _DAY
        rows: list[Any] = self._execute(
            "SELECT id, needs_look, updated_running FROM transactions WHERE id > ? ORDER BY id LIMIT ?", (after, limit)
        ).fetchall()
        old = [(number,) for number, is_needed, updated in rows if not is_needed and updated < before]
        self._db.executemany("DELETE FROM transactions WHERE id = ?", old)
        self._known.forget()
        return int(rows[-1][0]) if len(rows) == limit else 0

    def clear(self) -> None:
        """Deletes all rows and turns."""
        self._execute("DELETE FROM transactions")
        self._execute("DELETE FROM turns")
        self._known.forget()

    def _is_live(self, turn: Turn, now: float) -> bool:
        return not self._knows_turns or (now < turn.ends_at and not is_dead(turn.worker))

    def _recover(self) -> int | None:
        """
        Leaves to a person the rows that a restored journal must not act on (RULES 12). Inside the opening's
        transaction. Returns their number; None for a journal that was not restored.
        """
        incarnation, commits = self._db.execute("SELECT incarnation, commits FROM meta").get
        count = 0
        is_first = self._mark.is_first(incarnation)
        if not is_first:
            if not self._mark.is_behind(incarnation, commits):
                return None
            for values in self._db.execute(f"{SELECT} WHERE needs_look").fetchall():
                row = row_of(values)
                left = restored(row)
                if left != row:
                    self._known.put(self._known.of(row.trans_id), left)
                    count += 1
            self._known.write()
            self._db.execute("DELETE FROM turns")
            self._known.forget()
        self._db.execute("UPDATE meta SET incarnation = ?", (self._mark.start(commits, is_first=is_first),))
        return None if is_first else count

    def _execute(self, statement: str, values: Sequence[int | float | str | None] = ()) -> apsw.Cursor:
        """Runs a statement once the changes in `_known` are written, so that it sees them."""
        self._known.write()
        return self._db.execute(statement, values)

    def _step[T](
        self, known: Transaction, account: str, step: Step[T], now: float, *, needs_round: bool = False
    ) -> Change[T]:
        row = known.rows.get(account)
        # A transaction belongs to the account that moved money in it; a cancel alone may name any account.
        other = None
        if len(known.rows) > (row is not None):
            other = next((row for row in known.rows.values() if row.account != account and row.kind is not None), None)
        change = step(Found(row, other, self.around(row) if row and needs_round else _NO_ROUND, now))
        if change.row is not None:
            if stands_otherwise(row, change.row):
                self._changed.add(known.trans_id)
            self._known.put(known, change.row)
            if cancels_round(row, change.row):
                self._cancel_round(change.row)
        return change

    def _cancel_round(self, row: Row) -> None:
        """Notes in the wins of the row's round that a bet of the round is cancelled."""
        wins: list[Any] = self._execute(
            "SELECT trans_id FROM transactions WHERE account = ? AND round_id = ? AND round_id != '' AND kind = 'win'",
            (row.account, row.round_id),
        ).fetchall()
        self._known.expect([trans_id for (trans_id,) in wins])
        for (trans_id,) in wins:
            of_round = self._known.of(trans_id)
            self._known.put(of_round, in_cancelled_round(of_round.rows[row.account]))

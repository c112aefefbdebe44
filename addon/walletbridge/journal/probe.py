"""
Looks at a journal from outside, for monitoring: can it be written, and how much in it is open?
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import apsw

from walletbridge.journal.clock import JournalClock, journal_clock
from walletbridge.journal.lock_watch import Held, LockWatch
from walletbridge.journal.place import FirstSeen
from walletbridge.journal.wal import bytes_of
from walletbridge.journal.write_queue import Queue

FRESH_SECONDS = 1.0
"""Least seconds between two looks, however many callers ask."""
BUSY_SECONDS = 1.0
"""Seconds for which the gateway's own writes may delay a look."""

_OPEN = """
    movement_unresolved_since IS NOT NULL
    OR cancel = 'owed'
    OR (kind = 'bet' AND movement = 'confirmed' AND cancel = 'none' AND told = 'nothing')
    OR (kind = 'win' AND movement = 'none' AND cancel = 'none' AND told = 'nothing')
    OR (kind = 'win' AND movement = 'confirmed' AND cancel = 'none' AND told IN ('nothing', 'maybe')
        AND round_cancelled AND word = '')
"""
"""`Row.is_open`, in SQL."""
_DEPTH = f"""
    SELECT count(*) FILTER (WHERE {_OPEN}), count(*) FILTER (WHERE for_human != ''),
        min(created_at) FILTER (WHERE {_OPEN}), (SELECT epoch FROM meta)
    FROM transactions WHERE needs_look
"""  # noqa: S608 - all of it ours


@dataclass(frozen=True, slots=True)
class Probed:
    """The result of a look."""

    problem: str = ""
    """Why the journal cannot be written; empty if it can."""
    open_rows: int | None = None
    """The number of transactions that are not settled; None if it could not be read."""
    for_human: int | None = None
    """The number of transactions that wait for a person."""
    oldest_seconds: float | None = None
    """The age of the oldest open one; None if there is none, or its age is unknown."""
    held: tuple[Held, ...] = ()
    """The processes that kept this look from writing, and since when they were seen."""


def probe(path: Path, clock: JournalClock, locks: LockWatch | None = None) -> Probed:
    """
    Opens the file, writes a value that is there already, and counts. Makes no file.

    `locks` remembers the holders of locks from one look to the next.
    """
    locks = locks or LockWatch(path)
    try:
        # Do not make a missing file: an empty one proves nothing.
        connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
        with closing(connection) as db, closing(Queue(path)) as queue:
            return _look(db, queue, clock, locks)
    except (apsw.Error, OSError) as error:
        return Probed(problem=str(error) or type(error).__name__)


class JournalProbe:
    """Looks in a thread, one at a time, and shares each result for a moment."""

    def __init__(
        self, path: Path, *, file: FirstSeen | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`file`: the file that the journal is, if it was seen before."""
        self._path = path
        self._clock = clock
        self._journal_clock = journal_clock()
        self._locks = LockWatch(path, clock=clock)
        self._file = file or FirstSeen(path)
        self._looking: asyncio.Task[Probed] | None = None
        self._looked_at = 0.0

    def wal_bytes(self) -> int | None:
        """The size of the log in bytes; None if it is not visible."""
        return bytes_of(self._path)

    async def look(self) -> Probed:
        """The result of a look, at most FRESH_SECONDS old."""
        is_old = self._clock() - self._looked_at >= FRESH_SECONDS
        if self._looking is None or (self._looking.done() and is_old):
            self._looked_at = self._clock()
            self._looking = asyncio.create_task(asyncio.to_thread(self._probe))
        # A caller that gives up must not end the look for the others.
        return await asyncio.shield(self._looking)

    def _probe(self) -> Probed:
        # Do not open a replaced file: closing it would remove the log of the original.
        if problem := self._file.problem():
            return Probed(problem=problem)
        return probe(self._path, self._journal_clock, self._locks)


def _look(db: apsw.Connection, queue: Queue, clock: JournalClock, locks: LockWatch) -> Probed:
    problem, is_locked = "", False
    held: tuple[Held, ...] = ()
    try:
        db.execute("PRAGMA synchronous = FULL")
        queue.begin(db, seconds=BUSY_SECONDS)
        epoch = db.execute("SELECT epoch FROM meta").get
        # There and back: an unchanged value would not be written.
        db.execute("UPDATE meta SET epoch = ''")
        db.execute("UPDATE meta SET epoch = ?", (epoch,))
        db.execute("COMMIT")
    except apsw.Error as error:
        problem = str(error)
        is_locked = isinstance(error, apsw.BusyError)
        if db.in_transaction:
            db.execute("ROLLBACK")
    if is_locked or queue.waited_in_vain:
        held = tuple(locks.look())
    else:
        locks.clear()
    open_rows, for_human, since, epoch = db.execute(_DEPTH).get
    is_known = since is not None and epoch == clock.epoch
    return Probed(problem, open_rows, for_human, max(0.0, clock.now() - since) if is_known else None, held)

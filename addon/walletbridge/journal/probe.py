"""
Looks at a journal from outside, for whoever watches over the gateway: can it be written, and what is open in it?
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
"""A look is not repeated sooner, however many ask."""
BUSY_SECONDS = 1.0
"""How long the gateway's own writing may keep the file from being looked at."""

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
    """What was found."""

    problem: str = ""
    """Why the journal cannot be written; empty if it can."""
    open_rows: int | None = None
    """Transactions that are not settled; None where that could not be read."""
    for_human: int | None = None
    """Transactions that wait for a person."""
    oldest_seconds: float | None = None
    """The age of the oldest that is open; None where there is none."""
    held: tuple[Held, ...] = ()
    """Who kept this look from its turn to write, and since when that was seen."""


def probe(path: Path, clock: JournalClock, locks: LockWatch | None = None) -> Probed:
    """
    Opens the file, writes to it what is there already, and counts. Makes no file.

    `locks` remembers from one look to the next who holds a lock.
    """
    locks = locks or LockWatch(path)
    try:
        # A file that is not there must not be made here, for an empty one says nothing.
        connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
        with closing(connection) as db, closing(Queue(path)) as queue:
            return _look(db, queue, clock, locks)
    except (apsw.Error, OSError) as error:
        return Probed(problem=str(error) or type(error).__name__)


class JournalProbe:
    """Looks in a thread, one at a time, and shares what it has found for a moment."""

    def __init__(
        self, path: Path, *, file: FirstSeen | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`file`: which one the journal is, where that was seen before."""
        self._path = path
        self._clock = clock
        self._journal_clock = journal_clock()
        self._locks = LockWatch(path, clock=clock)
        self._file = file or FirstSeen(path)
        self._looking: asyncio.Task[Probed] | None = None
        self._looked_at = 0.0

    def wal_bytes(self) -> int | None:
        """The size of the log beside it; None where that cannot be seen."""
        return bytes_of(self._path)

    async def look(self) -> Probed:
        """What was found, at most FRESH_SECONDS ago."""
        is_old = self._clock() - self._looked_at >= FRESH_SECONDS
        if self._looking is None or (self._looking.done() and is_old):
            self._looked_at = self._clock()
            self._looking = asyncio.create_task(asyncio.to_thread(self._probe))
        # Whoever gives up waiting must not end it for the others.
        return await asyncio.shield(self._looking)

    def _probe(self) -> Probed:
        # Whoever closes another file beside the log of this one takes that log away.
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
        # There and back: what does not change is not written.
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

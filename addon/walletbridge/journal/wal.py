"""
The size of the log that SQLite keeps beside the journal (`-wal`), and who keeps it from being cut.

What is written goes to the log first, and is moved from there into the file. While a process keeps a read open, be it a
shell or a tool for backups, what came since cannot be moved, and the log grows with each write until the disk is full.
"""

import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import apsw

from walletbridge.journal.holder import has_open, processes
from walletbridge.journal.write_queue import SUFFIX

WAL_BYTES = 256_000_000
"""More than the log ever is without such a reader; see `CHECKPOINT_PAGES` and `LOG_BYTES`."""
LOOK_SECONDS = 1.0
LOOKS = 3
"""A reader was there in so many looks in a row before it is told of: all gateways read, each for a moment."""
_READ_LOCKS = range(123, 128)
"""The bytes of the `-shm` file that SQLite locks in order to read in WAL mode (its file format: WAL-index locks)."""
_NAMED_MAX = 5


class WalWatch:
    """Looks at the log now and then. For one thread."""

    def __init__(
        self,
        journal: Path,
        *,
        bytes_max: int,
        on_wal: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """
        `on_wal` hears, once each time, that the log has more than `bytes_max` because somebody reads, and who; then,
        with an empty text, that it was cut.
        """
        self._journal = journal
        self._bytes_max = bytes_max
        self._on_wal = on_wal
        self._clock = clock
        self._next_look = 0.0
        self._looks = 0
        """In a row in which it was too long."""
        self._staying: set[int] = set()

    def look(self, db: apsw.Connection) -> None:
        """Does so at most every LOOK_SECONDS. Outside a transaction; cuts a log that is too long, if it can be cut."""
        now = self._clock()
        if now < self._next_look:
            return
        self._next_look = now + LOOK_SECONDS
        size = bytes_of(self._journal) or 0
        if size <= self._bytes_max or self._cut(db):
            if self._looks >= LOOKS:
                self._on_wal("")
            self._looks = 0
            return
        if self._looks < LOOKS:
            found = readers(self._journal)
            self._staying = self._staying & found if self._looks else found
            self._looks += 1
            if self._looks == LOOKS:
                self._on_wal(f"it has {size} bytes, for {_named(self._suspects())} keeps a read open")

    def _suspects(self) -> set[int]:
        """Who stayed. Gateways, whose many short reads look like that, are named only where it is nobody else."""
        queue = _beside(self._journal, SUFFIX)
        return {pid for pid in self._staying if not has_open(pid, queue)} or self._staying

    def _cut(self, db: apsw.Connection) -> bool:
        """Whether nothing is in the log any more. Waits for nobody."""
        with suppress(apsw.Error):
            pages, moved = db.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
            if moved == pages:
                # What is left to do is little: others who write are not kept waiting.
                db.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
                return True
        return False


def bytes_of(journal: Path) -> int | None:
    """How long the log is; None where that cannot be seen."""
    try:
        return _beside(journal, "-wal").stat().st_size
    except FileNotFoundError:
        return 0
    except OSError:
        return None


def readers(journal: Path) -> set[int]:
    """The other processes that read it right now, as far as they can be seen from here (Linux alone)."""
    return processes(_beside(journal, "-shm"), "READ", _READ_LOCKS) - {os.getpid()}


def _beside(journal: Path, suffix: str) -> Path:
    journal = journal.resolve()  # as SQLite does
    return journal.with_name(f"{journal.name}{suffix}")


def _named(pids: set[int]) -> str:
    if not pids:
        return "a process that cannot be seen from here (another user's, or another container's)"
    return " or ".join(f"process {pid}" for pid in sorted(pids)[:_NAMED_MAX])

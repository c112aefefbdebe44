"""
Watches the log that SQLite keeps beside the journal (`-wal`), and names the processes that keep it from being cut.

Each write goes to the log first, and is moved from there into the file. While a process keeps a read open, such as a
shell or a backup tool, later writes cannot be moved, and the log grows until the disk is full.
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
"""The log never grows to this size without such a reader; see `CHECKPOINT_PAGES` and `LOG_BYTES`."""
LOOK_SECONDS = 1.0
LOOKS = 3
"""Looks in a row that must find a reader before it is reported: all gateways read, each for a moment."""
_READ_LOCKS = range(123, 128)
"""The bytes of the `-shm` file that SQLite locks to read in WAL mode (its file format: WAL-index locks)."""
_NAMED_MAX = 5


class WalWatch:
    """Looks at the log at intervals. For one thread."""

    def __init__(
        self,
        journal: Path,
        *,
        bytes_max: int,
        on_wal: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """
        `on_wal` receives, once each time, a text with the readers that keep the log above `bytes_max`; then an empty
        text once the log was cut.
        """
        self._journal = journal
        self._bytes_max = bytes_max
        self._on_wal = on_wal
        self._clock = clock
        self._next_look = 0.0
        self._looks = 0
        """The number of looks in a row that found the log too long."""
        self._staying: set[int] = set()

    def look(self, db: apsw.Connection) -> None:
        """Looks at most every LOOK_SECONDS, and cuts a log that is too long if possible. Outside a transaction."""
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
        """
        The readers that stayed. Gateways, whose many short reads look like a long one, are named only if there is no
        other.
        """
        queue = _beside(self._journal, SUFFIX)
        return {pid for pid in self._staying if not has_open(pid, queue)} or self._staying

    def _cut(self, db: apsw.Connection) -> bool:
        """Cuts the log if it can do so without waiting. Returns whether the log is empty now."""
        with suppress(apsw.Error):
            pages, moved = db.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
            if moved == pages:
                # Little is left to do, so other writers are not kept waiting.
                db.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
                return True
        return False


def bytes_of(journal: Path) -> int | None:
    """The size of the log in bytes; None if it is not visible."""
    try:
        return _beside(journal, "-wal").stat().st_size
    except FileNotFoundError:
        return 0
    except OSError:
        return None


def readers(journal: Path) -> set[int]:
    """The other processes that read the journal right now, as far as visible from here (Linux alone)."""
    return processes(_beside(journal, "-shm"), "READ", _READ_LOCKS) - {os.getpid()}


def _beside(journal: Path, suffix: str) -> Path:
    journal = journal.resolve()  # as SQLite does
    return journal.with_name(f"{journal.name}{suffix}")


def _named(pids: set[int]) -> str:
    if not pids:
        return "a process that cannot be seen from here (another user's, or another container's)"
    return " or ".join(f"process {pid}" for pid in sorted(pids)[:_NAMED_MAX])

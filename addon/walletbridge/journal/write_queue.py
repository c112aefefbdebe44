"""
Lets the processes that write to one SQLite file stand in line.

SQLite has no queue: a process that finds the file locked sleeps and tries again. Under load, a process that has just
finished locks the file again, over and over. So a process first takes a second lock, and gives that back once it has
SQLite's. It is then the next, and a process that has just finished stands behind it.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import apsw

from walletbridge.journal.holder import QUEUE_SUFFIX, held_by
from walletbridge.journal.mark import SUFFIX as MARK
from walletbridge.journal.revisions import SUFFIX as CHANGES
from walletbridge.settings.small_files import PRIVATE

SUFFIX = QUEUE_SUFFIX
"""Suffix of the file beside the journal that is locked. It stays empty."""
BESIDE = ("-wal", "-shm", SUFFIX, CHANGES, MARK)
"""The suffixes of the journal's other files."""
POLL_SECONDS = 0.001


class Queue:
    """One process's place in the line. For one thread."""

    def __init__(self, path: Path) -> None:
        """`path` is the journal's. Raises OSError."""
        self.waited_in_vain = False
        """Whether the last `begin` waited in vain: the process in front did not take its turn in time."""
        self._journal = path
        own = path.with_name(f"{path.name}{SUFFIX}")
        self._file = os.fdopen(os.open(own, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, PRIVATE), "ab")
        if os.geteuid() == 0:
            # If root made the file, the journal's owner must still be able to open it. A sandbox may forbid this.
            with suppress(OSError):
                owner = path.stat()
                os.fchown(self._file.fileno(), owner.st_uid, owner.st_gid)

    def close(self) -> None:
        """Leaves the line."""
        self._file.close()

    def begin(self, db: apsw.Connection, *, seconds: float) -> None:
        """
        Begins an exclusive transaction. `db` must not wait by itself (apsw's default).

        Raises apsw.BusyError if it does not get the lock within `seconds`.
        """
        ends_at = time.monotonic() + seconds
        # The process in front may be stopped, so at most half of the time is spent on waiting for it.
        with self._first(seconds / 2):
            while True:
                try:
                    db.execute("BEGIN IMMEDIATE")
                except apsw.BusyError as error:
                    if time.monotonic() >= ends_at:
                        raise apsw.BusyError(f"{error}{held_by(self._journal)}") from None
                    time.sleep(POLL_SECONDS)
                else:
                    return

    @contextmanager
    def _first(self, seconds: float) -> Iterator[None]:
        ends_at = time.monotonic() + seconds
        is_first = self._try()
        while not is_first and time.monotonic() < ends_at:
            time.sleep(POLL_SECONDS)
            is_first = self._try()
        self.waited_in_vain = not is_first
        try:
            yield
        finally:
            if is_first:
                fcntl.flock(self._file, fcntl.LOCK_UN)

    def _try(self) -> bool:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

"""
Processes that want to write to one SQLite file stand in line.

SQLite has no queue: who finds the file locked sleeps and tries again, and under load another process, which has just
finished, locks it anew meanwhile, again and again. So whoever wants the lock first takes a second one, and gives that
back as soon as it has the first: it is the next, and who has just finished stands behind it.
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
"""Of the file beside the journal that is locked. It stays empty."""
BESIDE = ("-wal", "-shm", SUFFIX, CHANGES, MARK)
"""What follows the journal's name in the names of its other files."""
POLL_SECONDS = 0.001


class Queue:
    """One process's place. For one thread."""

    def __init__(self, path: Path) -> None:
        """`path` is the journal's. Raises OSError."""
        self.waited_in_vain = False
        """Whether whoever was next, when a transaction was last begun, did not take its turn in time."""
        self._journal = path
        own = path.with_name(f"{path.name}{SUFFIX}")
        self._file = os.fdopen(os.open(own, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, PRIVATE), "ab")
        if os.geteuid() == 0:
            # Root, who looks after the journal, must leave nothing that its owner cannot open. A sandbox may forbid it.
            with suppress(OSError):
                owner = path.stat()
                os.fchown(self._file.fileno(), owner.st_uid, owner.st_gid)

    def close(self) -> None:
        """Leaves the line."""
        self._file.close()

    def begin(self, db: apsw.Connection, *, seconds: float) -> None:
        """
        Begins an exclusive transaction. `db` must not wait by itself (which is how apsw opens it).

        Raises apsw.BusyError where the lock is not to be had within `seconds`.
        """
        ends_at = time.monotonic() + seconds
        # Whoever stands before us may have been stopped there: then it is not waited for longer than for the lock.
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

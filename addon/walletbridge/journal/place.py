"""
Checks that the journal's path still names the files that this process has open.

A deleted or replaced file can be written as long as a process has it open, and all of that is lost.
"""

import os
from pathlib import Path

from walletbridge.journal.holder import QUEUE_SUFFIX
from walletbridge.journal.mark import mark_of
from walletbridge.journal.port import JournalUnavailable

_WAL_MAGIC = b"\x37\x7f\x06"
"""
The log's first bytes (SQLite's file format: the write-ahead log), without the last one, which gives the byte order.
"""


class Place:
    """The files of one connection to SQLite, as they were when it was opened. A look costs three `stat` calls."""

    def __init__(self, path: Path) -> None:
        """Looks at nothing yet; see `remember`."""
        # Keep the journal's path as given: a link in it may later lead elsewhere. SQLite follows links, and names the
        # other two files after the target.
        found = path.resolve()
        self._path = str(path)
        self._log_path = f"{found}-wal"
        self._names = (self._path, self._log_path, f"{found}-shm")
        self._identities: dict[str, tuple[int, int]] = {}
        self._size = 0
        self._log = -1

    def remember(self) -> None:
        """Remembers the files, which SQLite has open now. Raises OSError."""
        self._identities = {name: _identity(os.stat(name)) for name in self._names}  # noqa: PTH116 - as below
        self._size = os.stat(self._path).st_size  # noqa: PTH116 - as below
        # Open the log alone: closing the others would release SQLite's locks.
        self._log = os.open(self._log_path, os.O_RDONLY | os.O_CLOEXEC)

    def close(self) -> None:
        """Closes its own descriptor of the log."""
        if self._log >= 0:
            os.close(self._log)
            self._log = -1

    def expect_unchanged(self) -> None:
        """Raises JournalUnavailable if a path names another file now, or none, or the journal was cut."""
        for name, before in self._identities.items():
            try:
                now = os.stat(name)  # noqa: PTH116 - on the way of every commit
            except OSError as error:
                raise JournalUnavailable(f"{name} was removed while it was in use: {error.strerror}") from None
            if _identity(now) != before:
                raise JournalUnavailable(f"{name} was replaced while it was in use")
            if name == self._path:
                # SQLite only lets the journal grow.
                if now.st_size < self._size:
                    raise JournalUnavailable(f"{name} was cut while it was in use, or another was copied over it")
                self._size = now.st_size

    def expect_committed(self) -> None:
        """
        The same right after a commit. Also raises if the log has lost its beginning, because no reader finds a commit
        there.
        """
        self.expect_unchanged()
        # SQLite empties the log once all of it is in the file. If another program did so, the commit has left a hole
        # before its own bytes.
        if os.pread(self._log, len(_WAL_MAGIC), 0) not in {_WAL_MAGIC, b""}:
            raise JournalUnavailable(f"{self._log_path} was cut while it was in use")


class FirstSeen:
    """
    Remembers which file the journal was when first seen. Workers with different files would have two journals, of which
    neither knows the wallet calls of the other.
    """

    def __init__(self, path: Path) -> None:
        """Nothing has been seen yet."""
        self._path = path
        self._identity: tuple[int, int] | None = None

    def see(self) -> None:
        """Remembers the file, unless one is known. Raises nothing."""
        if self._identity is None:
            self.problem()

    def problem(self) -> str:
        """Why the path must not be opened any more; empty if it may be. Raises nothing."""
        try:
            now = _identity(self._path.stat())
        except OSError as error:
            return f"{self._path} is gone: {error.strerror}" if self._identity else ""
        self._identity = self._identity or now
        return "" if now == self._identity else f"{self._path} was replaced while it was in use"


def expect_never_made(path: Path) -> None:
    """
    Raises OSError if there is no journal at `path` although the files beside it show that there was one. An empty
    journal would not know of money that is owed or was moved already.
    """
    mark, queue = mark_of(path), path.with_name(f"{path.name}{QUEUE_SUFFIX}")
    if path.exists():
        # Every first start has an empty journal for a moment; a mark gets content only after the journal.
        signs = [mark] if _is_empty(path) and not _is_empty(mark) else []
    else:
        signs = [sign for sign in (queue, mark) if sign.exists()]
    if signs:
        state = "nothing is in it any more" if path.exists() else "it is gone"
        raise OSError(
            f"there was a journal at {path}, and {state}; put it or a backup of it back,"
            f" or remove {' and '.join(map(str, signs))} as well to begin with an empty one"
        )


def _is_empty(path: Path) -> bool:
    return not path.exists() or path.stat().st_size == 0


def _identity(found: os.stat_result) -> tuple[int, int]:
    return found.st_dev, found.st_ino

"""
Whether the journal's path still names the files that this process has open.

A file that was deleted or replaced can be written for as long as somebody has it open, and all of that is lost.
"""

import os
from pathlib import Path

from walletbridge.journal.holder import QUEUE_SUFFIX
from walletbridge.journal.mark import mark_of
from walletbridge.journal.port import JournalUnavailable

_WAL_MAGIC = b"\x37\x7f\x06"
"""How the log begins (SQLite's file format: the write-ahead log), but for the byte of its order."""


class Place:
    """The files of one connection to SQLite, as they were when it was opened. Costs three `stat` a look."""

    def __init__(self, path: Path) -> None:
        """Looks at nothing yet; see `remember`."""
        # The journal by the name that everybody uses: a link in it may come to lead elsewhere. SQLite follows links,
        # and names the other two after the file that it has found.
        found = path.resolve()
        self._path = str(path)
        self._log_path = f"{found}-wal"
        self._names = (self._path, self._log_path, f"{found}-shm")
        self._identities: dict[str, tuple[int, int]] = {}
        self._size = 0
        self._log = -1

    def remember(self) -> None:
        """SQLite has all of them open now. Raises OSError."""
        self._identities = {name: _identity(os.stat(name)) for name in self._names}  # noqa: PTH116 - as below
        self._size = os.stat(self._path).st_size  # noqa: PTH116 - as below
        # Of the log alone: to close the others would give SQLite's locks away.
        self._log = os.open(self._log_path, os.O_RDONLY | os.O_CLOEXEC)

    def close(self) -> None:
        """Closes what it has open itself."""
        if self._log >= 0:
            os.close(self._log)
            self._log = -1

    def expect_unchanged(self) -> None:
        """Raises JournalUnavailable where a path names another file by now, or none, or the journal was cut."""
        for name, before in self._identities.items():
            try:
                now = os.stat(name)  # noqa: PTH116 - on the way of every commit
            except OSError as error:
                raise JournalUnavailable(f"{name} was removed while it was in use: {error.strerror}") from None
            if _identity(now) != before:
                raise JournalUnavailable(f"{name} was replaced while it was in use")
            if name == self._path:
                # SQLite only lets it grow.
                if now.st_size < self._size:
                    raise JournalUnavailable(f"{name} was cut while it was in use, or another was copied over it")
                self._size = now.st_size

    def expect_committed(self) -> None:
        """The same right behind a commit, which nobody finds in a log that has lost its beginning."""
        self.expect_unchanged()
        # Without content it was cut by SQLite, once all of it was in the file. Where somebody else has done so, the
        # commit has left a hole before what it wrote.
        if os.pread(self._log, len(_WAL_MAGIC), 0) not in {_WAL_MAGIC, b""}:
            raise JournalUnavailable(f"{self._log_path} was cut while it was in use")


class FirstSeen:
    """
    Which file the journal was when it was first seen. A gateway whose workers do not have the same one has two
    journals, of which neither knows what the other has called the wallet for.
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
        """Why the path is not to be opened any more; empty where it may be. Raises nothing."""
        try:
            now = _identity(self._path.stat())
        except OSError as error:
            return f"{self._path} is gone: {error.strerror}" if self._identity else ""
        self._identity = self._identity or now
        return "" if now == self._identity else f"{self._path} was replaced while it was in use"


def expect_never_made(path: Path) -> None:
    """
    Raises OSError where there is nothing at `path` although what is left beside every journal says that there was one:
    an empty journal would take money that is owed, or was moved already, for unheard of.
    """
    mark, queue = mark_of(path), path.with_name(f"{path.name}{QUEUE_SUFFIX}")
    if path.exists():
        # For a moment every first start has a file without content; a mark gets its own only behind that.
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

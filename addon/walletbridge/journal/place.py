"""
Whether the journal's path still names the files that this process has open.

A file that was deleted or replaced can be written for as long as somebody has it open, and all of that is lost.
"""

import os
from pathlib import Path

from walletbridge.journal.port import JournalUnavailable

_FILES = ("", "-wal", "-shm")


class Place:
    """The files of one connection to SQLite, as they were when it was opened. Costs three `stat` a look."""

    def __init__(self, path: Path) -> None:
        """Once SQLite has all of them open. Raises OSError."""
        self._identities = {f"{path}{suffix}": _identity(f"{path}{suffix}") for suffix in _FILES}

    def expect_unchanged(self) -> None:
        """Raises JournalUnavailable where a path names another file by now, or none."""
        for name, before in self._identities.items():
            try:
                now = _identity(name)
            except OSError as error:
                raise JournalUnavailable(f"{name} was removed while it was in use: {error.strerror}") from None
            if now != before:
                raise JournalUnavailable(f"{name} was replaced while it was in use")


def expect_never_made(path: Path, *signs: Path) -> None:
    """
    Raises OSError where there is no file at `path` although one of `signs`, which are left beside every journal, says
    that there was one: an empty journal would take money that is owed, or was moved already, for unheard of.
    """
    sign = next((sign for sign in signs if sign.exists()), None)
    if sign is not None and not path.exists():
        raise OSError(
            f"there was a journal at {path}, and it is gone; put it or a backup of it back,"
            f" or remove {sign} as well to begin with an empty one"
        )


def _identity(name: str) -> tuple[int, int]:
    found = os.stat(name)  # noqa: PTH116 - on the way of every commit
    return found.st_dev, found.st_ino

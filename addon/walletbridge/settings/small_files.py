"""
Reads files of bounded size, and makes files that only their owner may read.

Knows nothing of their content.
"""

import errno
import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

TEXT_BYTES_MAX = 1 << 20
"""The most for a file that people write. The longest real settings and mappings have a twentieth of it."""
PRIVATE = 0o600
"""Only the owner may read and write."""
_OTHERS = 0o077


def read_small(path: Path, *, bytes_max: int = TEXT_BYTES_MAX) -> bytes:
    """
    Reads the whole of a regular file. Never waits, as it would for a pipe.

    Raises OSError with the reason in `strerror`, also for a file that is longer, or not regular.
    """
    with open_regular(path) as opened:
        data = opened.read(bytes_max + 1)
    if len(data) > bytes_max:
        raise OSError(errno.EFBIG, f"longer than {bytes_max} bytes", str(path))
    return data


def open_regular(path: Path) -> BinaryIO:
    """
    Opens a regular file to be read. Never waits, as it would for a pipe.

    Raises OSError with the reason in `strerror`, also for a file that is not regular.
    """
    # A pipe without a writer would block the opening itself.
    file = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        _expect_regular(path, os.fstat(file).st_mode)
    except OSError:
        os.close(file)
        raise
    return os.fdopen(file, "rb")


def expect_regular(path: Path) -> None:
    """Raises OSError as `open_regular` does, but opens nothing: SQLite will open the file."""
    _expect_regular(path, path.stat().st_mode)


def make_private(path: Path, *beside: str) -> None:
    """
    Creates the file if it is missing, so that only its owner may read it. Takes all rights of others from an existing
    file of this user, and from such files `beside` it, whose names are `path` and a suffix.

    Call it before SQLite opens the file: SQLite gives the files that it makes the same rights. Raises nothing: SQLite
    reports why a file cannot be made.
    """
    with suppress(OSError):
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, PRIVATE))
    for file in (path, *(path.with_name(f"{path.name}{suffix}") for suffix in beside)):
        _tighten(file)


def others_may(path: Path, what: int = _OTHERS) -> bool:
    """Whether anybody but the owner has one of these rights on the file; False if that is unknown."""
    try:
        return bool(path.stat().st_mode & what)
    except OSError:
        return False


def _expect_regular(path: Path, mode: int) -> None:
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, "not a regular file", str(path))


def _tighten(path: Path) -> None:
    with suppress(OSError):
        found = path.stat()
        if stat.S_ISREG(found.st_mode) and found.st_mode & _OTHERS and found.st_uid == os.geteuid():
            path.chmod(PRIVATE)

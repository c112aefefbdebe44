"""
The mark beside a journal's file: how far the journal had come, which a restored copy of the file cannot know.

Each transaction has a number, which stands in the file. Its number is written here before its COMMIT, as begun, and
again after it, as done. So a file that lacks a transaction that is done here, or of which another one was begun since,
is older than what was answered (RULES 12). None of that is synced: after a crash of the machine the mark may be older
than the file, which is no reason for doubt, but never newer, for a number is done only once its transaction is on disk.
"""

import os
import struct
import uuid
from contextlib import suppress
from pathlib import Path

from walletbridge.settings.small_files import PRIVATE

SUFFIX = "-mark"
"""Of the file beside the journal."""
SLOTS = 64
"""Processes write what is done without a lock, each into the slot of its number; so many may be late at once."""
_INCARNATION = 16
_NUMBER = struct.Struct("<q")
_SIZE = _INCARNATION + (1 + SLOTS) * _NUMBER.size
_NOTHING_BEGUN = bytes(_SIZE - _INCARNATION)


class Mark:
    """One process's view of the file. `is_behind` and `begin` are called under the journal's exclusive lock."""

    def __init__(self, journal: Path) -> None:
        """Opens or makes the file. Raises OSError."""
        self._file = os.open(mark_of(journal), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE)
        if os.geteuid() == 0:
            # Root, who looks after the journal, must leave nothing that its owner cannot open.
            with suppress(OSError):
                owner = journal.stat()
                os.fchown(self._file, owner.st_uid, owner.st_gid)

    def close(self) -> None:
        """Closes the file."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def is_first(self, incarnation: bytes) -> bool:
        """
        Whether a journal of this incarnation never had a mark, as a new one or one of an earlier version. Such a one
        has none in its file, also where a first start ended before its COMMIT. Raises OSError.
        """
        found = os.pread(self._file, _SIZE + 1, 0)
        return not incarnation and (not found or found[_INCARNATION:] == _NOTHING_BEGUN)

    def is_behind(self, incarnation: bytes, commits: int) -> bool:
        """
        Whether a journal of this incarnation, whose last transaction has the number `commits`, lacks what was done
        since. True as well where that is not known: the mark is another's, or cannot be read. Raises OSError.
        """
        return is_behind(os.pread(self._file, _SIZE, 0), incarnation, commits)

    def start(self, commits: int, *, is_first: bool) -> bytes:
        """Marks a new incarnation, which is returned, that begins behind the transaction `commits`. Raises OSError."""
        incarnation = uuid.uuid4().bytes
        # Where there was a doubt a transaction counts as begun: a start that ends before its COMMIT must not end it.
        begun = commits if is_first else commits + 1
        os.pwrite(self._file, incarnation + _NUMBER.pack(begun) + bytes(SLOTS * _NUMBER.size), 0)
        os.ftruncate(self._file, _SIZE)
        # The one write that a crash of the machine must not take back, for the journal names the incarnation too.
        os.fsync(self._file)
        return incarnation

    def begin(self, number: int) -> None:
        """The transaction is about to be committed. Raises OSError."""
        os.pwrite(self._file, _NUMBER.pack(number), _INCARNATION)

    def done(self, number: int) -> None:
        """
        It is on disk, and so it counts, also where that cannot be written here. Then a copy that lacks nothing but this
        one transaction would not be known for one; but no other can be begun before the mark can be written again.
        """
        with suppress(OSError):
            os.pwrite(self._file, _NUMBER.pack(number), _offset(number))


def is_behind(mark: bytes, incarnation: bytes, commits: int) -> bool:
    """The same for what is in the file, `mark`."""
    if len(mark) != _SIZE or mark[:_INCARNATION] != incarnation:
        return True
    begun: int = _NUMBER.unpack_from(mark, _INCARNATION)[0]
    done: int = _NUMBER.unpack_from(mark, _offset(begun))[0]
    # The last one that was begun may have been undone, or ended with its process.
    return commits < begun - 1 or (commits == begun - 1 and done == begun)


def mark_of(journal: Path) -> Path:
    """Where the mark of a journal is. Links are followed: processes may name the journal in several ways."""
    journal = journal.resolve()
    return journal.with_name(f"{journal.name}{SUFFIX}")


def _offset(number: int) -> int:
    return _INCARNATION + (1 + number % SLOTS) * _NUMBER.size

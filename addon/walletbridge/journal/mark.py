"""
The mark beside a journal's file records how far the journal has come. A restored copy of the file cannot know that.

Each transaction has a number, which the file holds. The number is written here before the COMMIT, as begun, and again
after it, as done. A file is older than what was answered (RULES 12) if it lacks a transaction that is done here, or one
after which another was begun. None of this is synced. After a crash of the machine the mark may be older than the file,
which raises no doubt. It is never newer, because a number is done only once its transaction is on disk.
"""

import os
import struct
import uuid
from contextlib import suppress
from pathlib import Path

from walletbridge.settings.small_files import PRIVATE

SUFFIX = "-mark"
"""Suffix of the file beside the journal."""
SLOTS = 64
"""Processes write done numbers without a lock, each into the slot of its number. So many may be late at once."""
_INCARNATION = 16
_NUMBER = struct.Struct("<q")
_SIZE = _INCARNATION + (1 + SLOTS) * _NUMBER.size
_NOTHING_BEGUN = bytes(_SIZE - _INCARNATION)


class Mark:
    """One process's view of the file. Call `is_behind` and `begin` under the journal's exclusive lock."""

    def __init__(self, journal: Path) -> None:
        """Opens or makes the file. Raises OSError."""
        self._file = os.open(mark_of(journal), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE)
        if os.geteuid() == 0:
            # If root made the file, the journal's owner must still be able to open it.
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
        Whether the journal never had a mark, because it is new or of an earlier version. Its file then holds no
        incarnation, even if a first start ended before its COMMIT. Raises OSError.
        """
        found = os.pread(self._file, _SIZE + 1, 0)
        return not incarnation and (not found or found[_INCARNATION:] == _NOTHING_BEGUN)

    def is_behind(self, incarnation: bytes, commits: int) -> bool:
        """
        Whether a journal of this incarnation, whose last transaction has the number `commits`, lacks later ones. Also
        True if that is unknown: the mark is another journal's, or damaged. Raises OSError.
        """
        return is_behind(os.pread(self._file, _SIZE, 0), incarnation, commits)

    def start(self, commits: int, *, is_first: bool) -> bytes:
        """Writes and returns a new incarnation that begins after the transaction `commits`. Raises OSError."""
        incarnation = uuid.uuid4().bytes
        # After a doubt, count a transaction as begun: a start that ends before its COMMIT must not end the doubt.
        begun = commits if is_first else commits + 1
        os.pwrite(self._file, incarnation + _NUMBER.pack(begun) + bytes(SLOTS * _NUMBER.size), 0)
        os.ftruncate(self._file, _SIZE)
        # The one write that a crash of the machine must not undo, because the journal names the incarnation too.
        os.fsync(self._file)
        return incarnation

    def begin(self, number: int) -> None:
        """Records that the transaction is about to be committed. Raises OSError."""
        os.pwrite(self._file, _NUMBER.pack(number), _INCARNATION)

    def done(self, number: int) -> None:
        """
        Records that the transaction is on disk. It counts even if this write fails. Then a copy that lacks only this
        transaction is not recognised, but no other can begin before the mark can be written again.
        """
        with suppress(OSError):
            os.pwrite(self._file, _NUMBER.pack(number), _offset(number))


def is_behind(mark: bytes, incarnation: bytes, commits: int) -> bool:
    """See `Mark.is_behind`, for the file's content `mark`."""
    if len(mark) != _SIZE or mark[:_INCARNATION] != incarnation:
        return True
    begun: int = _NUMBER.unpack_from(mark, _INCARNATION)[0]
    done: int = _NUMBER.unpack_from(mark, _offset(begun))[0]
    # The last transaction that was begun may have been undone, or ended with its process.
    return commits < begun - 1 or (commits == begun - 1 and done == begun)


def mark_of(journal: Path) -> Path:
    """The path of a journal's mark. Follows links: processes may name the journal in several ways."""
    journal = journal.resolve()
    return journal.with_name(f"{journal.name}{SUFFIX}")


def _offset(number: int) -> int:
    return _INCARNATION + (1 + number % SLOTS) * _NUMBER.size

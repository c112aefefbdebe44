"""
Numbers that change with transactions, in a file that all processes of one journal share.

The status cache stamps its facts with such a number. The number changes right before the commit of a cancel's intent,
and before each later commit that changes where the transaction stands. So a cancel in another process invalidates the
facts before that process calls the wallet. A process that has read the new number finds that commit in the journal.
"""

import os
import sys
from contextlib import suppress
from pathlib import Path
from random import Random
from zlib import crc32

from walletbridge.rules.row import Row
from walletbridge.settings.small_files import PRIVATE

SUFFIX = "-changes"
"""Suffix of the file beside the journal. The file may be removed, which invalidates all earlier stamps."""
SLOTS = 4096
"""Transactions share slots by hash. A collision costs a question to the wallet, never a wrong answer."""
_BYTES = 8

type Revision = tuple[int, bytes]
"""The file's inode and the number: another file may hold the same number."""


class Revisions:
    """
    One process's view of the file. It is read and written, not mapped: on a full disk, or in a file that was cut, a
    mapping ends the process. Nothing is synced because no stamp outlives its process.
    """

    def __init__(self, journal: Path) -> None:
        """Opens nothing yet. Follows links: the processes may name the journal in several ways."""
        journal = journal.resolve()
        self._path = str(journal.with_name(f"{journal.name}{SUFFIX}"))
        self._file = -1
        self._inode = -1
        self._random = Random()  # noqa: S311 - to be another one each time, not to be secret

    def of(self, trans_id: str) -> Revision | None:
        """A number that is new after each change of the transaction; None if it cannot be read."""
        try:
            self._expect_open()
            found = os.pread(self._file, _BYTES, _offset(trans_id))
        except OSError:
            return None
        return (self._inode, found) if len(found) == _BYTES else None

    def renew(self, *trans_ids: str) -> None:
        """Renews the numbers of transactions that are about to change. Raises OSError."""
        offsets = {_offset(trans_id) for trans_id in trans_ids}
        if self._file < 0:
            self._expect_open()
        while offsets:
            for offset in offsets:
                # Random rather than counted: no write can be lost to another process's.
                os.pwrite(self._file, self._random.randbytes(_BYTES), offset)
            if self._is_ours():
                return
            self._expect_open()

    def close(self) -> None:
        """Closes the file; its next use opens it again."""
        if self._file >= 0:
            os.close(self._file)
        self._file = self._inode = -1

    def _expect_open(self) -> None:
        if self._is_ours():
            return
        self.close()
        self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE)
        self._inode = os.fstat(self._file).st_ino
        if os.geteuid() == 0:
            # If root made the file, the journal's owner must still be able to open it.
            with suppress(OSError):
                owner = os.stat(self._path.removesuffix(SUFFIX))  # noqa: PTH116 - see `_is_ours`
                os.fchown(self._file, owner.st_uid, owner.st_gid)
        # Existing numbers stay.
        with suppress(OSError):
            if sys.platform == "linux":
                os.posix_fallocate(self._file, 0, SLOTS * _BYTES)
            elif os.fstat(self._file).st_size < SLOTS * _BYTES:
                os.ftruncate(self._file, SLOTS * _BYTES)

    def _is_ours(self) -> bool:
        """Whether the open file is still the one that other processes find."""
        try:
            return os.stat(self._path).st_ino == self._inode  # noqa: PTH116 - on the way of every commit
        except OSError:
            return False


def stands_otherwise(before: Row | None, after: Row) -> bool:
    """Whether the answer to a `status` may differ. Notes about answers and tries make no difference."""
    return (
        before is None
        or before.movement is not after.movement
        or before.call is not after.call
        or before.kind is not after.kind
        or before.cancel is not after.cancel
        or before.cancel_unresolved is not after.cancel_unresolved
        or before.movement_unresolved_since != after.movement_unresolved_since
        or before.word != after.word
    )


def _offset(trans_id: str) -> int:
    # hash() differs between processes.
    return crc32(trans_id.encode("utf-8", "surrogatepass")) % SLOTS * _BYTES

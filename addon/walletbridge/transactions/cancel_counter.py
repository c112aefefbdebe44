"""
Counts changes of transactions, begun and ended, in memory that several workers may share.

A change is a cancel, or a bet or win at the wallet. The status cache stamps each entry with a reading. A change in any
worker invalidates all older stamps of its transaction at once, without a message between workers.
"""

from collections.abc import Hashable
from zlib import crc32

SLOTS = 4096
"""Transactions share slots by hash. A collision costs a question to the wallet, never a wrong answer."""
_CELLS = 2 * SLOTS
_CELL_BYTES = 8


def buffer_bytes(workers: int) -> int:
    """The size in bytes of a buffer for `workers` workers."""
    return workers * _CELLS * _CELL_BYTES


class Changes:
    """
    One worker's view of the counter.

    A worker writes only its own part of the buffer, so workers never overwrite each other. A reader adds up all parts.
    """

    def __init__(self, buffer: bytearray | memoryview | None = None, *, worker: int = 0, workers: int = 1) -> None:
        """`buffer` holds `buffer_bytes(workers)` zeros at first; None allocates memory for this worker alone."""
        cells = memoryview(bytearray(buffer_bytes(workers)) if buffer is None else buffer).cast("Q")
        parts = [cells[part * _CELLS : (part + 1) * _CELLS] for part in range(workers)]
        self._own = parts[worker]
        self._parts = parts

    def begin(self, key: Hashable) -> None:
        """Counts a change of `key` that is about to begin."""
        self._own[2 * _slot(key)] += 1

    def end(self, key: Hashable) -> None:
        """Counts a change of `key` that has ended, with any outcome."""
        self._own[2 * _slot(key) + 1] += 1

    def end_all(self) -> None:
        """
        Ends all changes that this part's dead worker had begun.

        Their transactions are open: they get no status answer until they are settled, and settling counts again.
        """
        for slot in range(0, _CELLS, 2):
            if self._own[slot] != self._own[slot + 1]:
                self._own[slot + 1] = self._own[slot]

    def reading(self, key: Hashable) -> int | None:
        """A number that differs after each change of `key`; None while one is in progress."""
        slot = 2 * _slot(key)
        # Read ends before begins: a change that begins in between can only make the two differ.
        ended = sum(part[slot + 1] for part in self._parts)
        begun = sum(part[slot] for part in self._parts)
        return begun if begun == ended else None


def _slot(key: Hashable) -> int:
    # Not hash(): it differs between processes.
    return crc32(repr(key).encode()) % SLOTS

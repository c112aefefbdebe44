"""
Counts cancels begun and ended, in memory that several workers may share.

The status cache stamps what it stores with a reading of this counter. A cancel, in whichever worker, makes every older
stamp of its transaction worthless at once, with no message between the workers.
"""

from collections.abc import Hashable
from zlib import crc32

SLOTS = 4096
"""Transactions share slots by hash: a collision costs a question to the wallet, never a wrong answer."""
_CELLS = 2 * SLOTS
_CELL_BYTES = 8


def buffer_bytes(workers: int) -> int:
    """The size of a buffer for that many workers."""
    return workers * _CELLS * _CELL_BYTES


class Changes:
    """
    One worker's view of the counter.

    A worker writes only its own part of the buffer, so no write of another is ever lost; a reader adds up all parts.
    """

    def __init__(self, buffer: bytearray | memoryview | None = None, *, worker: int = 0, workers: int = 1) -> None:
        """`buffer` holds `buffer_bytes(workers)` zeros at first; None is memory of this worker's own."""
        cells = memoryview(bytearray(buffer_bytes(workers)) if buffer is None else buffer).cast("Q")
        parts = [cells[part * _CELLS : (part + 1) * _CELLS] for part in range(workers)]
        self._own = parts[worker]
        self._parts = parts

    def begin(self, key: Hashable) -> None:
        """A cancel of `key` is about to be sent to the wallet."""
        self._own[2 * _slot(key)] += 1

    def end(self, key: Hashable) -> None:
        """A cancel of `key` has ended, whatever came of it."""
        self._own[2 * _slot(key) + 1] += 1

    def end_all(self) -> None:
        """
        This part's worker is dead: the cancels that it had begun have ended, as far as it is concerned.

        What became of them is open, so nobody is told of their transactions until they are settled, which counts again.
        """
        for slot in range(0, _CELLS, 2):
            if self._own[slot] != self._own[slot + 1]:
                self._own[slot + 1] = self._own[slot]

    def reading(self, key: Hashable) -> int | None:
        """A number that differs after every cancel of `key`; None while one is under way."""
        slot = 2 * _slot(key)
        # Ends are read before begins: a cancel that begins in between can only make the two differ.
        ended = sum(part[slot + 1] for part in self._parts)
        begun = sum(part[slot] for part in self._parts)
        return begun if begun == ended else None


def _slot(key: Hashable) -> int:
    # Not hash(): it differs between processes.
    return crc32(repr(key).encode()) % SLOTS

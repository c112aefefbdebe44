"""
The memory that the workers of one gateway share: each worker's metrics, and the counter of changes.

It is a nameless file that every worker maps. The data of a dead worker stays readable.
"""

import mmap
import os
import sys
import tempfile
from itertools import pairwise
from typing import NamedTuple

from walletbridge.observe.metrics.part import PART_BYTES, Part
from walletbridge.transactions.cancel_counter import Changes, buffer_bytes

VERSION = b"walletbridge 1\n"
"""Changes with the layout: workers of different layouts must not share memory."""
_HEAD_BYTES = 64


class Share(NamedTuple):
    """One worker's part of the memory."""

    part: Part
    changes: Changes


class SharedMemory:
    """For `parts` workers that are alive at the same time."""

    def __init__(self, file: int, parts: int) -> None:
        """Maps a file that `create` or another process has made. Raises ValueError if its layout differs."""
        self.file = file
        """A descriptor for workers to inherit."""
        self.parts = parts
        whole = memoryview(mmap.mmap(file, _size(parts)))
        if bytes(whole[: len(VERSION)]) != VERSION:
            raise ValueError(
                "the workers' shared memory is of another version; restart the gateway instead of reloading"
            )
        ends = [_HEAD_BYTES + number * PART_BYTES for number in range(parts + 1)]
        self._parts = [whole[start:end] for start, end in pairwise(ends)]
        self._changes = whole[ends[-1] :]

    @classmethod
    def create(cls, parts: int) -> "SharedMemory":
        """Makes the file, full of zeros."""
        descriptor = nameless_file()
        os.ftruncate(descriptor, _size(parts))
        os.pwrite(descriptor, VERSION, 0)
        memory = cls(descriptor, parts)
        for number in range(parts):
            # The first mapping writes to a part. Do so now: a mere reader must not change anything.
            memory.part(number)
        return memory

    def share(self, number: int) -> Share:
        """The share that worker `number`, from 0, writes to. One process at a time may have it."""
        return Share(self.part(number), Changes(self._changes, worker=number, workers=self.parts))

    def part(self, number: int) -> Part:
        """The metrics of a worker, also of a dead one."""
        return Part(self._parts[number])

    def end(self, number: int) -> None:
        """Ends everything that a dead process had begun in this share."""
        self.part(number).end()
        Changes(self._changes, worker=number, workers=self.parts).end_all()


def nameless_file() -> int:
    """The descriptor of a file that only processes which inherit it can open."""
    if sys.platform == "linux":
        return os.memfd_create("walletbridge")
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


def _size(parts: int) -> int:
    return _HEAD_BYTES + parts * PART_BYTES + buffer_bytes(parts)

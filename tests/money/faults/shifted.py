"""
walletbridge with a wall clock that can be moved from outside:
`python -m tests.money.faults.shifted CLOCK_FILE serve ...`.

`time.time` is moved by what stands in CLOCK_FILE at that moment, and rows at rest are pruned every second instead of
every hour. Nothing else differs.
"""

import mmap
import struct
import sys
import time
from pathlib import Path

from walletbridge.cli import main
from walletbridge.transactions import durations

_SECONDS = struct.Struct("d")
PRUNE_SECONDS = 1.0


def move_clock(path: Path, seconds: float) -> None:
    """From now on every process that was started with `path` has a wall clock that is so far ahead."""
    path.touch()
    with path.open("r+b") as file:
        file.write(_SECONDS.pack(seconds))


def follow_clock(path: Path) -> None:
    """Moves this process's `time.time`."""
    with path.open("r+b") as file:
        shared = mmap.mmap(file.fileno(), _SECONDS.size)
    real = time.time
    time.time = lambda: real() + _SECONDS.unpack(shared)[0]


if __name__ == "__main__":
    follow_clock(Path(sys.argv.pop(1)))
    durations.PRUNE_SECONDS = PRUNE_SECONDS
    main()

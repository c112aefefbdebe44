"""
The journal's clock: it survives restarts of the gateway, and no correction of the wall clock moves it.
"""

import sys
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, slots=True)
class JournalClock:
    """Seconds since an epoch that has a name. Times of another epoch mean nothing."""

    epoch: str
    now: Callable[[], float]


def journal_clock() -> JournalClock:
    """Linux: the time since boot, suspend included. Elsewhere the process's own, so ages count from its start."""
    if sys.platform == "linux" and _BOOT_ID.exists():
        return JournalClock(f"boot {_BOOT_ID.read_text().strip()}", lambda: time.clock_gettime(time.CLOCK_BOOTTIME))
    return JournalClock(f"process {uuid.uuid4()}", time.monotonic)

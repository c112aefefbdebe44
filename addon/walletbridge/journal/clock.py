"""
The journal's clock. It survives restarts of the gateway, and corrections of the wall clock do not move it.
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
    """Seconds since a named epoch. Times of another epoch mean nothing."""

    epoch: str
    now: Callable[[], float]


def journal_clock() -> JournalClock:
    """
    Linux: the time since boot, including suspend. Elsewhere: the process's own clock, so ages count from its start.
    """
    if sys.platform == "linux" and _BOOT_ID.exists():
        return JournalClock(f"boot {_BOOT_ID.read_text().strip()}", lambda: time.clock_gettime(time.CLOCK_BOOTTIME))
    return JournalClock(f"process {uuid.uuid4()}", time.monotonic)

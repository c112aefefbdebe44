"""
Measures how long a process has held a lock of the journal.

A look sees the holder at that moment, and under load there always is one. Two looks show the same hold only if no
process has written in between: each write changes SQLite's log (`-wal`).
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from walletbridge.journal.holder import Hold, Lock, holds

type _Key = tuple[Hold, tuple[int, int] | None]


class Held(NamedTuple):
    """A lock that has not been given back since a look first found it."""

    hold: Hold
    seconds: float
    """Seconds since the first look that found it."""

    @property
    def since(self) -> str:
        """When it was first seen, by the wall clock, as ISO 8601."""
        return (datetime.now(UTC) - timedelta(seconds=self.seconds)).isoformat(timespec="seconds")

    def __str__(self) -> str:
        return f"{self.hold}, since {self.since} ({self.seconds:.0f} s)"


class LockWatch:
    """Compares successive looks. For one thread at a time."""

    def __init__(self, journal: Path, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._journal = journal
        self._clock = clock
        self._since: dict[_Key, float] = {}

    def look(self) -> list[Held]:
        """The present holders of locks, and how long successive looks have found them."""
        now = self._clock()
        written = _written(self._journal)
        # The holder of the queue does not prevent writes but only delays them, so a write does not end its hold.
        found = [(hold, written if hold.lock is Lock.WRITE else None) for hold in holds(self._journal)]
        self._since = {key: self._since.get(key, now) for key in found}
        return [Held(hold, now - since) for (hold, _), since in self._since.items()]

    def clear(self) -> None:
        """Forgets earlier looks: the locks were free meanwhile, or not looked at."""
        self._since = {}


def _written(journal: Path) -> tuple[int, int] | None:
    """A value that differs after each commit; None if it is not visible."""
    journal = journal.resolve()  # as SQLite does
    try:
        found = journal.with_name(f"{journal.name}-wal").stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size

"""
Since when a process has held a lock of the journal without giving it back.

A look sees who holds it at that moment, and under load somebody always does. So it counts as one hold only where nobody
has written meanwhile: whoever writes changes SQLite's log (`-wal`).
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from walletbridge.journal.holder import Hold, Lock, holds

type _Key = tuple[Hold, tuple[int, int] | None]


class Held(NamedTuple):
    """A lock that has not been given back since it was first looked at."""

    hold: Hold
    seconds: float
    """For how long, as far as it was looked at."""

    @property
    def since(self) -> str:
        """When it was first seen, by the wall clock, as ISO 8601."""
        return (datetime.now(UTC) - timedelta(seconds=self.seconds)).isoformat(timespec="seconds")

    def __str__(self) -> str:
        return f"{self.hold}, since {self.since} ({self.seconds:.0f} s)"


class LockWatch:
    """What several looks show together. For one thread at a time."""

    def __init__(self, journal: Path, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._journal = journal
        self._clock = clock
        self._since: dict[_Key, float] = {}

    def look(self) -> list[Held]:
        """Who holds a lock now, and since which look in a row."""
        now = self._clock()
        written = _written(self._journal)
        # Whoever has the queue alone keeps nobody from writing, but only makes them wait.
        found = [(hold, written if hold.lock is Lock.WRITE else None) for hold in holds(self._journal)]
        self._since = {key: self._since.get(key, now) for key in found}
        return [Held(hold, now - since) for (hold, _), since in self._since.items()]

    def clear(self) -> None:
        """Forgets what was seen: the locks were free meanwhile, or nobody has looked."""
        self._since = {}


def _written(journal: Path) -> tuple[int, int] | None:
    """What is another after each commit; None where it cannot be seen."""
    journal = journal.resolve()  # as SQLite does
    try:
        found = journal.with_name(f"{journal.name}-wal").stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size

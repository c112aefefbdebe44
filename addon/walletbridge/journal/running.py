"""
Counts how long a journal has been at work: rows at rest age by this time.

It accumulates only while a process has the journal open, on a clock that cannot be set. So neither a wrong wall clock
nor a machine that was off for a year makes a row old enough to be deleted (RULES 12).
"""

import apsw

from walletbridge.journal.clock import JournalClock

EVERY_SECONDS = 60.0
"""Least seconds between two writes of the count. A killed process loses its time since the last write."""
STEP_SECONDS_MAX = 7200.0
"""The most seconds counted at once. A process counts every hour; any more is time in which the machine slept."""


class Running:
    """For one connection, inside its transactions."""

    def __init__(self, db: apsw.Connection, clock: JournalClock) -> None:
        """The file must be of the latest version. Raises apsw.Error."""
        self._db = db
        self._clock = clock
        self._opened_at = clock.now()
        self._seconds = 0.0
        self._counted_at = self._opened_at
        self.read()

    def read(self) -> None:
        """Reads the count of all processes. Raises apsw.Error."""
        self._seconds, self._counted_at = self._db.execute("SELECT running, running_at FROM meta").get

    def seconds(self) -> float:
        """Seconds that the journal has been at work by now."""
        now = self._clock.now()
        # Another process's last count may be of another boot, and in the future on this clock. The time since this
        # process opened the journal is certain.
        since = self._opened_at if self._counted_at > now else max(self._counted_at, self._opened_at)
        return self._seconds + max(0.0, min(now - since, STEP_SECONDS_MAX))

    def count(self) -> None:
        """Writes down the accumulated time. Raises apsw.Error."""
        self.read()
        self._seconds, self._counted_at = self.seconds(), self._clock.now()
        self._db.execute("UPDATE meta SET running = ?, running_at = ?", (self._seconds, self._counted_at))

    def count_sometimes(self) -> None:
        """The same, if the last count is EVERY_SECONDS ago. For a transaction that writes anyway."""
        if abs(self._clock.now() - max(self._counted_at, self._opened_at)) >= EVERY_SECONDS:
            self.count()

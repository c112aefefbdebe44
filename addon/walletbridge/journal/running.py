"""
How long a journal has been at work: the time by which rows at rest grow old.

It accumulates only while somebody has the journal open, on a clock that nobody sets. So neither a wall clock that is
wrong nor a machine that was off for a year makes a row old enough to be deleted (RULES 12).
"""

import apsw

from walletbridge.journal.clock import JournalClock

EVERY_SECONDS = 60.0
"""How often what has accumulated goes to disk, at most: what a process that is killed does not count."""
STEP_SECONDS_MAX = 7200.0
"""What is counted at once, at most. A process counts every hour, so more is time in which the machine slept."""


class Running:
    """For one connection, inside its transactions."""

    def __init__(self, db: apsw.Connection, clock: JournalClock) -> None:
        """Of a file of the last version. Raises apsw.Error."""
        self._db = db
        self._clock = clock
        self._opened_at = clock.now()
        self._seconds = 0.0
        self._counted_at = self._opened_at
        self.read()

    def read(self) -> None:
        """Takes over what others have counted meanwhile. Raises apsw.Error."""
        self._seconds, self._counted_at = self._db.execute("SELECT running, running_at FROM meta").get

    def seconds(self) -> float:
        """How long the journal has been at work by now."""
        now = self._clock.now()
        # The time at which another process counted last may be of another boot, and of the future on this one's clock.
        # From our own opening on we are sure.
        since = self._opened_at if self._counted_at > now else max(self._counted_at, self._opened_at)
        return self._seconds + max(0.0, min(now - since, STEP_SECONDS_MAX))

    def count(self) -> None:
        """Writes down what has accumulated. Raises apsw.Error."""
        self.read()
        self._seconds, self._counted_at = self.seconds(), self._clock.now()
        self._db.execute("UPDATE meta SET running = ?, running_at = ?", (self._seconds, self._counted_at))

    def count_sometimes(self) -> None:
        """The same, where the last time is long enough ago. For a transaction that writes anyway."""
        if abs(self._clock.now() - max(self._counted_at, self._opened_at)) >= EVERY_SECONDS:
            self.count()

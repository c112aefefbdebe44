"""
Whether the wallet answers at all: a state machine that is told what came of each call, and knows no wallet.

Without it every callback would hold its place until its deadline while the wallet is down, and each bet and win would
be one more of which nobody knows what came. What is refused instead is certain not to have been sent.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

from walletbridge.protocol.callbacks import Command

_KINDS_MIN = 2
"""How many commands must have failed for the wallet as a whole to count as silent. One alone may be that command's own
fault, and the probe soon adds a second where it is not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """When a wallet counts as down."""

    failures: int
    """After so many calls in a row without an answer; 0 for never."""
    patience: float
    """How long a call must have waited, in seconds, for its missing answer to be the wallet's fault."""
    away_seconds: float
    """After so long without a connection."""


class Breaker:
    """
    Closed while the wallet answers, open while it is down.

    It counts failures in a row and no share of them: a wallet that answers some of its calls is slow or has a slow
    player, and to refuse everybody would make that worse. So one answer closes it, whichever command it is for. Rows
    of one command are counted as well: a wallet may hang in one method and be well in all others, and then that
    command is *stuck*, until one of its calls is answered.
    """

    def __init__(
        self,
        limits: Limits,
        *,
        clock: Callable[[], float],
        on_change: Callable[[bool], None] = lambda _: None,
        on_stuck: Callable[[Command, bool], None] = lambda _, __: None,
    ) -> None:
        """
        `on_change` is told when failures have opened it (True) and when an answer has closed it (False); `on_stuck`
        when a command alone is stuck (True), and when it no longer is (False).
        """
        self._limits = limits
        self._clock = clock
        self._on_change = on_change
        self._on_stuck = on_stuck
        self._row = 0
        self._row_since = 0.0
        self._row_of: set[Command] = set()
        self._rows: dict[Command, int] = {}
        """Never empty while `_row` is not 0."""
        self._told_stuck: set[Command] = set()
        self._is_silent = False
        self._away_since: float | None = None
        self.failed_at = -math.inf
        """When a call last had no answer, on the clock."""

    @property
    def is_open(self) -> bool:
        """Whether calls that can be refused are to be refused."""
        return self._is_silent or self.is_away

    @property
    def is_silent(self) -> bool:
        """Whether it is open for want of answers: then a probe finds out when they are back."""
        return self._is_silent

    @property
    def is_away(self) -> bool:
        """Whether it is open for want of a connection."""
        if self._away_since is None or not self._limits.failures:
            return False
        return self._clock() - self._away_since >= self._limits.away_seconds

    @property
    def wants_probe(self) -> bool:
        """
        Whether a question of the gateway's own would tell something: nothing was answered since a call failed. Where
        the connection is gone, its return tells.
        """
        if not self._limits.failures or self._away_since is not None:
            return False
        return self._row > 0 or self.is_stuck(Command.BALANCE)

    @property
    def unanswered_for(self) -> float:
        """How long ago the first call of those that have failed since the last answer did so; 0 if there is none."""
        return self._clock() - self._row_since if self._row else 0.0

    def is_stuck(self, command: Command) -> bool:
        """Whether the last calls of this command had no answer, so many that a few are enough to find out more."""
        # First what costs nothing while all is well.
        return bool(self._rows) and 0 < self._limits.failures <= self._rows.get(command, 0)

    def answered(self, command: Command) -> None:
        """The wallet has answered a call, whatever it said."""
        if not self._rows:
            return
        self._row = 0
        self._row_of.clear()
        if self._is_silent:
            self._is_silent = False
            # What failed together with all else says nothing of its own method.
            self._rows.clear()
            self._on_change(False)  # noqa: FBT003 - a callback's one argument
        else:
            self._rows.pop(command, None)
        for freed in self._told_stuck - self._rows.keys():
            self._told_stuck.discard(freed)
            self._on_stuck(freed, False)  # noqa: FBT003 - whether it is

    def timed_out(self, command: Command, waited: float) -> None:
        """A call has ended at its deadline after so many seconds. One that had next to none of them says nothing."""
        if waited >= self._limits.patience:
            self.broke(command)

    def broke(self, command: Command) -> None:
        """A call has ended without an answer."""
        self.failed_at = self._clock()
        if not self._row:
            self._row_since = self.failed_at
        self._row += 1
        self._row_of.add(command)
        self._rows[command] = self._rows.get(command, 0) + 1
        is_silent = 0 < self._limits.failures <= self._row and len(self._row_of) >= _KINDS_MIN
        if is_silent and not self._is_silent:
            self._is_silent = True
            self._on_change(True)  # noqa: FBT003 - a callback's one argument
        elif self.is_stuck(command) and not self._is_silent and command not in self._told_stuck:
            self._told_stuck.add(command)
            self._on_stuck(command, True)  # noqa: FBT003 - whether it is

    def connected(self, *, ready: bool) -> None:
        """The connection to the wallet is there, or is gone."""
        if ready:
            self._away_since = None
        elif self._away_since is None:
            self._away_since = self._clock()

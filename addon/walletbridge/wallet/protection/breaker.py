"""
Decides whether the wallet answers at all: a state machine that gets the end of each call, and knows no wallet.

Without it, while the wallet is down, every callback would hold its place until its deadline, and each bet and win would
be one more unknown outcome. A refused call is certain not to have been sent.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

from walletbridge.protocol.callbacks import Command

_KINDS_MIN = 2
"""How many commands must have failed before the whole wallet counts as silent. A single command may itself be at fault;
if it is not, the probe soon adds a second command."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """When a wallet counts as down."""

    failures: int
    """After this many calls in a row without an answer; 0 for never."""
    patience: float
    """How long a call must have waited, in seconds, before its missing answer counts."""
    away_seconds: float
    """After this many seconds without a connection."""


class Breaker:
    """
    Closed while the wallet answers, open while it is down.

    It counts failures in a row, not their share: a wallet that answers some of its calls is slow or has a slow player,
    and refusing all calls would make that worse. So one answer to any command closes it. It also counts failures in a
    row of each command: a wallet may hang in one method and be well in all others. That command is then *stuck*, until
    one of its calls is answered.
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
        `on_change` gets True when failures open it, and False when an answer closes it; `on_stuck` gets True when a
        command alone is stuck, and False when it no longer is.
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
        """The clock's time when a call last had no answer."""

    @property
    def is_open(self) -> bool:
        """Whether to refuse the calls that may be refused."""
        return self._is_silent or self.is_away

    @property
    def is_silent(self) -> bool:
        """Whether missing answers opened it: a probe then finds out when the wallet answers again."""
        return self._is_silent

    @property
    def is_away(self) -> bool:
        """Whether a missing connection opened it."""
        if self._away_since is None or not self._limits.failures:
            return False
        return self._clock() - self._away_since >= self._limits.away_seconds

    @property
    def wants_probe(self) -> bool:
        """
        Whether a probe is useful: a call failed and none was answered since, or `balance` is stuck. Where the
        connection is gone, its return is the sign instead.
        """
        if not self._limits.failures or self._away_since is not None:
            return False
        return self._row > 0 or self.is_stuck(Command.BALANCE)

    @property
    def unanswered_for(self) -> float:
        """Seconds since the first failure after the last answer; 0 if there is none."""
        return self._clock() - self._row_since if self._row else 0.0

    def is_stuck(self, command: Command) -> bool:
        """Whether this command's last calls, at least `failures`, had no answer: then a few trial calls are enough."""
        # The cheap test first: `_rows` is empty while all is well.
        return bool(self._rows) and 0 < self._limits.failures <= self._rows.get(command, 0)

    def answered(self, command: Command) -> None:
        """The wallet has answered a call, with any result."""
        if not self._rows:
            return
        self._row = 0
        self._row_of.clear()
        if self._is_silent:
            self._is_silent = False
            # Commands that failed together with the wallet are not stuck by themselves.
            self._rows.clear()
            self._on_change(False)  # noqa: FBT003 - a callback's one argument
        else:
            self._rows.pop(command, None)
        for freed in self._told_stuck - self._rows.keys():
            self._told_stuck.discard(freed)
            self._on_stuck(freed, False)  # noqa: FBT003 - whether it is

    def timed_out(self, command: Command, waited: float) -> None:
        """A call has ended at its deadline after `waited` seconds. Below `patience` it does not count."""
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

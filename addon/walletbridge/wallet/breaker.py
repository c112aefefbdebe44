"""
Whether the wallet answers at all: a state machine that is told what came of each call, and knows no wallet.

Without it every callback would hold its place until its deadline while the wallet is down, and each bet and win would
be one more of which nobody knows what came. What is refused instead is certain not to have been sent.
"""

from collections.abc import Callable
from dataclasses import dataclass


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
    player, and to refuse everybody would make that worse. So one answer closes it, whichever call it is for.
    """

    def __init__(
        self, limits: Limits, *, clock: Callable[[], float], on_change: Callable[[bool], None] = lambda _: None
    ) -> None:
        """`on_change` is told when failures have opened it (True) and when an answer has closed it (False)."""
        self._limits = limits
        self._clock = clock
        self._on_change = on_change
        self._failures = 0
        self._away_since: float | None = None

    @property
    def is_open(self) -> bool:
        """Whether calls that can be refused are to be refused."""
        return self.is_silent or self._is_away

    @property
    def is_silent(self) -> bool:
        """Whether it is open for want of answers: then a probe finds out when they are back."""
        return 0 < self._limits.failures <= self._failures

    def answered(self) -> None:
        """The wallet has answered a call, whatever it said."""
        was_silent = self.is_silent
        self._failures = 0
        if was_silent:
            self._on_change(self.is_silent)

    def timed_out(self, waited: float) -> None:
        """A call has ended at its deadline after so many seconds. One that had next to none of them says nothing."""
        if waited >= self._limits.patience:
            self.broke()

    def broke(self) -> None:
        """A call has ended without an answer."""
        was_silent = self.is_silent
        self._failures += 1
        if self.is_silent and not was_silent:
            self._on_change(self.is_silent)

    def connected(self, *, ready: bool) -> None:
        """The connection to the wallet is there, or is gone."""
        if ready:
            self._away_since = None
        elif self._away_since is None:
            self._away_since = self._clock()

    @property
    def _is_away(self) -> bool:
        if self._away_since is None or not self._limits.failures:
            return False
        return self._clock() - self._away_since >= self._limits.away_seconds

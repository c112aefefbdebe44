"""
The provider's book: every bet and win that it sent, and what it believes became of it.
"""

from dataclasses import dataclass
from enum import StrEnum

from walletbridge.protocol.callbacks import Command
from walletbridge.simulator.wire.calls import Call


class Belief(StrEnum):
    """What the provider believes became of a transaction."""

    APPLIED = "applied"
    CANCELLED = "cancelled"
    REFUSED = "refused"
    GIVEN_UP = "given_up"
    """Nobody answered, the retries are over: a win is still owed."""


@dataclass(slots=True)
class Transaction:
    """A bet or a win."""

    call: Call
    belief: Belief = Belief.GIVEN_UP
    settled: bool = False
    """Whether a definite answer says what `belief` says."""
    cancel_sent: bool = False
    wallet_says: str | None = None
    """The answer to the last `status`: OK, CANCELED or UNKNOWN."""

    @property
    def is_applied(self) -> bool:
        """Whether the provider believes that it was made."""
        return self.belief is Belief.APPLIED

    @property
    def delta(self) -> int:
        """What the transaction does to the balance when it is made, in units of 10**-8."""
        return -self.call.amount if self.call.command is Command.BET else self.call.amount

    def settle(self, belief: Belief) -> None:
        """A definite answer came."""
        self.belief, self.settled = belief, True

    def doubt(self, belief: Belief) -> None:
        """The provider acts as if, but nobody told it so."""
        self.belief, self.settled = belief, False

"""
The provider's book: every bet and win that it sent, and its belief about each.
"""

from dataclasses import dataclass
from enum import StrEnum

from walletbridge.protocol.callbacks import Command
from walletbridge.simulator.wire.calls import Call


class Belief(StrEnum):
    """The outcome that the provider assumes."""

    APPLIED = "applied"
    CANCELLED = "cancelled"
    REFUSED = "refused"
    GIVEN_UP = "given_up"
    """No answer came and the retries are used up. A win is still owed."""


@dataclass(slots=True)
class Transaction:
    """A bet or a win."""

    call: Call
    belief: Belief = Belief.GIVEN_UP
    settled: bool = False
    """Whether a definite answer supports `belief`."""
    cancel_sent: bool = False
    wallet_says: str | None = None
    """The answer to the last `status`: OK, CANCELED or UNKNOWN."""

    @property
    def is_applied(self) -> bool:
        """Whether the provider believes that the transaction was made."""
        return self.belief is Belief.APPLIED

    @property
    def delta(self) -> int:
        """The change of the balance when the transaction is made, in units of 10**-8."""
        return -self.call.amount if self.call.command is Command.BET else self.call.amount

    def settle(self, belief: Belief) -> None:
        """Sets the belief that a definite answer supports."""
        self.belief, self.settled = belief, True

    def doubt(self, belief: Belief) -> None:
        """Sets the belief that the provider acts on without an answer."""
        self.belief, self.settled = belief, False

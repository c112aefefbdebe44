"""
How the wallet of a run is for some time. Pure.
"""

from collections.abc import Mapping

import msgspec
from tests.money.faults.plan import WalletFault


class Mood(msgspec.Struct, frozen=True, kw_only=True):
    """Times are those of the protocol, to be divided by the scale."""

    shares: dict[str, float] = {}
    """How likely each single fault is, for each call, by its name."""
    refuses: bool = False
    """It answers 99 to all that moves money, as a wallet that warms up."""
    seconds: float = 0.0
    """How long it takes before it looks at a call."""
    hangs: str = ""
    """`bet`, `win` or `cancel`: what it never answers."""
    lag: float = 0.0
    """By how many seconds the copy is behind from which it answers status."""

    @property
    def faults(self) -> Mapping[WalletFault, float]:
        """The shares by fault."""
        return {WalletFault(name): share for name, share in self.shares.items()}

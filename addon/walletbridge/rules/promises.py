"""
A wallet's promises beyond the calls themselves. The gateway makes up for each promise of wallet.v1 that it lacks.
"""

from enum import StrEnum

from msgspec import Struct

from walletbridge.protocol.checks import Check


class Repeats(StrEnum):
    """How a wallet treats the repeat of a movement that it has made."""

    REPORTED = "reported"
    """It reports the repeat (41)."""
    REPLAYED = "replayed"
    """It returns the first result again, without reporting the repeat."""
    UNPROTECTED = "unprotected"
    """It moves the money twice."""


class Promises(Struct, frozen=True, kw_only=True):
    """The defaults are the promises of wallet.v1."""

    late_bets_refused: bool
    """It remembers the cancel of an unknown transaction, and refuses a later bet or win of it."""
    repeats: Repeats = Repeats.REPORTED
    checks: frozenset[int] = frozenset(Check)
    """The checks that the wallet makes itself."""
    checks_balance_first: bool = False
    """It answers 31 before it looks for a repeat (41)."""
    has_cancel: bool = True
    """False: a cancel is sent as the opposite movement (`callbacks.Undo`)."""
    has_status: bool = True
    """False: the journal answers `status`."""
    cancels_repeat_safely: bool = True
    """A cancel or undo may be sent again."""

"""
What a wallet promises beyond the calls themselves. Where it promises less than wallet.v1, the gateway makes up for it.
"""

from enum import StrEnum

from msgspec import Struct


class Repeats(StrEnum):
    """What a wallet does with a movement that it has made before."""

    REPORTED = "reported"
    """It says of a repeat that it is one (41)."""
    REPLAYED = "replayed"
    """It gives the first result again, with no word that it was one."""
    UNPROTECTED = "unprotected"
    """It would move the money twice."""


class Promises(Struct, frozen=True, kw_only=True):
    """By default those of wallet.v1."""

    late_bets_refused: bool
    """It remembers the cancel of a transaction that it does not know, and refuses what comes later."""
    repeats: Repeats = Repeats.REPORTED
    checks: frozenset[int] = frozenset({21, 22, 31, 41, 42})
    """The checks that the wallet makes itself."""
    checks_balance_first: bool = False
    """It answers 31 before it looks for a repeat (41)."""
    has_cancel: bool = True
    """False: a cancel is the opposite movement (`callbacks.Undo`)."""
    has_status: bool = True
    """False: the journal answers `status`."""
    cancels_repeat_safely: bool = True
    """A cancel or undo may be sent again."""

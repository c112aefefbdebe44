"""
The demo wallet's checks, made in the given order: the first check that fails decides the outcome.
"""

from collections.abc import Iterable, Mapping

from walletbridge.protocol.checks import Check
from walletbridge.protocol.outcomes import Result


class UnknownCheck(ValueError):
    """Raised by the read-only operations for a check that they do not know, because no result of theirs reports it."""


def first_refusal(checks: Iterable[int], holds: Mapping[int, bool]) -> Result | None:
    """
    Returns the result of the first check that fails, or None.

    `holds` contains the checks that the operation supports. Any other check is refused with FAILED, because the
    operation may not answer with that check's own result. Every check in `holds` is about a player, so the player must
    exist.
    """
    for check in checks:
        if check not in holds:
            return Result.FAILED
        if not holds[Check.PLAYER_EXISTS]:
            return Result.PLAYER_NOT_FOUND
        if not holds[check]:
            return Result(check)
    return None


def refusal_of_read(checks: Iterable[int], holds: Mapping[int, bool]) -> Result | None:
    """Like `first_refusal`, for an operation without FAILED: raises UnknownCheck instead."""
    refusal = first_refusal((*checks, Check.PLAYER_EXISTS), holds)
    if refusal is Result.FAILED:
        raise UnknownCheck(f"expected checks among {', '.join(str(int(check)) for check in sorted(holds))}")
    return refusal

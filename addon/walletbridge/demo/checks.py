"""
The checks that the demo wallet makes: in the order given, the first that does not hold is the outcome.
"""

from collections.abc import Iterable, Mapping
from enum import IntEnum

from walletbridge.protocol.outcomes import Result


class UnknownCheck(ValueError):
    """
    Raised by the operations that only read, for a check that they do not know: they have no result that says so.
    """


class Check(IntEnum):
    """What can be asked. A check has the number of the result that stands for its failure (PROTOCOL: Checks)."""

    PLAYER_EXISTS = 21
    PLAYER_ACTIVE = 22
    BALANCE_SUFFICIENT = 31
    NOT_PROCESSED = 41
    TRANSACTION_EXISTS = 42


def first_refusal(checks: Iterable[int], holds: Mapping[int, bool]) -> Result | None:
    """
    The result of the first check that does not hold, or None.

    `holds` has the checks that make sense for the operation. Any other is refused with FAILED: its own result is not
    one that the operation may answer. Every check in `holds` is about a player, so there must be one.
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
    """Like `first_refusal`, for an operation that has no FAILED. Raises UnknownCheck instead."""
    refusal = first_refusal((*checks, Check.PLAYER_EXISTS), holds)
    if refusal is Result.FAILED:
        raise UnknownCheck(f"expected checks among {', '.join(str(int(check)) for check in sorted(holds))}")
    return refusal

"""
The outcome of each check of a callback, as far as its answer shows. Pure. PROTOCOL: Checks.
"""

from enum import StrEnum
from typing import NamedTuple

from walletbridge.protocol.checks import MEANINGS
from walletbridge.protocol.outcomes import Result
from walletbridge.proxy.live_view.record import Record

_HTTP_OK = 200


class Went(StrEnum):
    """The outcome of a check."""

    HELD = "✓"
    FAILED = "✗"
    NOT_REACHED = "not reached"
    NOT_TOLD = "?"
    """The answer does not show it."""


class CheckMark(NamedTuple):
    """A check of a callback."""

    number: int
    meaning: str
    went: Went


def checks(record: Record) -> list[CheckMark]:
    """
    Returns the checks in the provider's order. The first that fails decides the answer; later ones are not reached.
    """
    found: list[CheckMark] = []
    has_failed = False
    is_told = record.http_status == _HTTP_OK and record.result != Result.FAILED and _names_a_check(record)
    for number in record.checks:
        if not is_told:
            went = Went.NOT_TOLD
        elif has_failed:
            went = Went.NOT_REACHED
        elif number == record.result:
            went, has_failed = Went.FAILED, True
        else:
            went = Went.HELD
        found.append(CheckMark(number, MEANINGS.get(number, "a check of the wallet's own"), went))
    return found


def _names_a_check(record: Record) -> bool:
    """
    Whether the result is 0 or a requested check. A journal may answer 41, and a wallet any refusal, without its check.
    """
    return record.result == 0 or record.result in record.checks

"""
Which calls may be repeated, and which the journal answers instead, by the wallet's promises.
"""

from walletbridge.protocol.checks import Check
from walletbridge.rules.promises import Promises, Repeats

RECORD_DAYS_MIN = 400
"""The least for a journal that is the record: the longest dispute."""
DAYS = 30
"""The default for any other journal."""


def repeats_are_told(promises: Promises) -> bool:
    """
    Whether the wallet answers 41 to the repeat of a movement that it has made.

    Not if the wallet or the gateway checks the balance first: a repeated bet would be 31.
    """
    return (
        promises.repeats is Repeats.REPORTED
        and Check.NOT_PROCESSED in promises.checks
        and Check.BALANCE_SUFFICIENT in promises.checks
        and not promises.checks_balance_first
    )


def cancels_may_repeat(promises: Promises) -> bool:
    """Whether a cancel or Undo may be sent again while its outcome is unknown."""
    return promises.cancels_repeat_safely and promises.repeats is not Repeats.UNPROTECTED


def cancels_are_checked(promises: Promises) -> bool:
    """Whether the wallet has its own cancel, and answers 42 for an unknown transaction."""
    return promises.has_cancel and Check.TRANSACTION_EXISTS in promises.checks


def is_the_record(promises: Promises) -> bool:
    """Whether the journal is the only record of some answers: without it the wallet could not answer the provider."""
    is_whole = promises.has_cancel and promises.has_status and promises.repeats is Repeats.REPORTED
    return not (is_whole and {Check.NOT_PROCESSED, Check.TRANSACTION_EXISTS} <= promises.checks)


def keep_days(wanted: int | None, promises: Promises) -> int:
    """
    For how many days rows at rest are kept; `wanted` is None if the settings do not set it.

    Rows of all kinds are kept alike, also refusals and cancels of unknown transactions: they too decide the answer to a
    repeat. Raises ValueError if `wanted` is too short for a journal that is the record.
    """
    if not is_the_record(promises):
        return DAYS if wanted is None else wanted
    if wanted is None:
        return RECORD_DAYS_MIN
    if wanted < RECORD_DAYS_MIN:
        raise ValueError(
            f"expected at least {RECORD_DAYS_MIN}, got {wanted}: with what this wallet promises, the journal is the "
            "only record of some transactions"
        )
    return wanted

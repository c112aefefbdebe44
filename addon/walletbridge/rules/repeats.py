"""
What may be sent to the wallet again, and what the journal answers instead, by what the wallet promises.
"""

from walletbridge.rules.promises import Promises, Repeats

BALANCE_SUFFICIENT, NOT_PROCESSED, TRANSACTION_EXISTS = 31, 41, 42
"""Checks. PROTOCOL: Checks."""
RECORD_DAYS_MIN = 400
"""How long a journal that is the record keeps its rows: the longest dispute."""
DAYS = 30
"""How long any other journal does."""


def repeats_are_told(promises: Promises) -> bool:
    """
    Whether the wallet can be asked again for a movement that it has made, and says then that it has (41).

    Not if the balance is looked at first, by the wallet or by the gateway: a repeat of a bet would be 31.
    """
    return (
        promises.repeats is Repeats.REPORTED
        and NOT_PROCESSED in promises.checks
        and BALANCE_SUFFICIENT in promises.checks
        and not promises.checks_balance_first
    )


def cancels_may_repeat(promises: Promises) -> bool:
    """Whether a cancel, or the movement that undoes another, may be sent again while its outcome is unknown."""
    return promises.cancels_repeat_safely and promises.repeats is not Repeats.UNPROTECTED


def cancels_are_checked(promises: Promises) -> bool:
    """Whether the wallet has a cancel of its own, and says of a transaction that it does not know it (42)."""
    return promises.has_cancel and TRANSACTION_EXISTS in promises.checks


def is_the_record(promises: Promises) -> bool:
    """Whether what the journal forgets nobody knows, or nobody says: the wallet alone could not answer the provider."""
    is_whole = promises.has_cancel and promises.has_status and promises.repeats is Repeats.REPORTED
    return not (is_whole and {NOT_PROCESSED, TRANSACTION_EXISTS} <= promises.checks)


def keep_days(wanted: int | None, promises: Promises) -> int:
    """
    For how many days rows at rest are kept; `wanted` is None where nobody has said it.

    All kinds alike, refused ones and cancels of what never came included: they too say what a repeat is answered.
    Raises ValueError where `wanted` is too short for a journal that is the record.
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

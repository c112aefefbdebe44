"""
What people see of a row, and what they may decide about it.
"""

from enum import StrEnum

from msgspec.structs import replace

from walletbridge.journal.row import CancelState, Movement, Row, Told
from walletbridge.journal.rules import absorb
from walletbridge.trace import Standing


class Decision(StrEnum):
    """How a person settles a row."""

    APPLIED = "applied"
    """The bet or win stands: its money has moved."""
    CANCELLED = "cancelled"
    """It does not: it was never made, or it was taken back."""
    RETRY = "retry"
    """The resolver shall try again."""


def decide(row: Row, decision: Decision) -> Row:
    """
    The row after a person's decision. What the person says is believed: no wallet call is made for it.

    Raises ValueError where the decision makes no sense for the row.
    """
    row = replace(absorb(row), tries=0, next_try_at=None, for_human="")
    if decision is Decision.RETRY:
        return row
    settled = replace(row, movement_unresolved_since=None, cancel_unresolved=False, rechecks_left=0)
    if decision is Decision.CANCELLED:
        cancel = CancelState.DONE if row.movement is Movement.CONFIRMED else CancelState.NOT_FOUND
        return replace(settled, cancel=cancel)
    if row.kind is None:
        raise ValueError("only a cancel is known of this transaction; it can be cancelled or tried again")
    return replace(settled, cancel=CancelState.NONE, movement=Movement.CONFIRMED, told=Told.YES)


def state(row: Row) -> str:
    """One sentence that says where the row stands."""
    what = row.kind.value if row.kind else "transaction"
    if row.for_human:
        return f"left to a person: {row.for_human}"
    if row.call is not None:
        return f"a {row.call.value} is at the wallet"
    if row.cancel is not CancelState.NONE:
        return _of_cancelled(row, what)
    if row.is_unresolved:
        return f"nobody knows whether the {what} was made"
    return _of_movement(row, what)


def standing(row: Row) -> Standing:
    """Where the row stands if the answer that was just made goes out."""
    told = replace(row, told=Told.YES) if row.told is Told.MAYBE else row
    return Standing(state(told), told.told.value, told.is_open, told.for_human)


def _of_cancelled(row: Row, what: str) -> str:
    if row.cancel is CancelState.OWED:
        return f"a cancel of the {what} is owed"
    if row.cancel is CancelState.DONE:
        return f"the {what} was cancelled"
    again = f"; it is asked again {row.rechecks_left} times" if row.rechecks_left else ""
    return f"cancelled: the wallet did not know the {what}{again}"


def _of_movement(row: Row, what: str) -> str:
    if row.is_written_off:
        return "the bet was made, but nothing but 500 went out for it"
    if row.is_win_owed:
        return "the win is owed"
    if row.movement is Movement.CONFIRMED:
        doubt = "; whether the provider was told so is not known" if row.told is Told.MAYBE else ""
        return f"the {what} was made{doubt}"
    if row.movement is Movement.REFUSED and row.result is not None:
        return f"the {what} was refused: {row.result.name}"
    return f"the {what} was not sent to the wallet"

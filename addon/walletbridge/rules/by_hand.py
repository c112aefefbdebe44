"""
Describes a row to people, and applies their decisions about it.
"""

from enum import StrEnum
from typing import NamedTuple

from msgspec.structs import replace

from walletbridge.rules.decisions import absorb
from walletbridge.rules.row import CancelState, Kind, Movement, Row, Told
from walletbridge.rules.words import Word, with_word, word_of


class Decision(StrEnum):
    """How a person settles a row."""

    APPLIED = "applied"
    """The bet or win stands: its money has moved."""
    CANCELLED = "cancelled"
    """The bet or win does not stand: it was never made, or it was taken back."""
    RETRY = "retry"
    """The resolver tries again."""


class Standing(NamedTuple):
    """The state of a transaction in the journal, in words for people."""

    state: str
    """A sentence."""
    told: str
    """A value of `row.Told`: which answer to the bet or win went out."""
    is_open: bool
    for_human: str
    """Why the row is left to a person; empty if it is not."""


SETTLED = "it is settled"
"""How the refusal to decide an unlisted row begins."""


def consequence(row: Row, decision: Decision) -> str:
    """The consequence of a decision about the row, in a sentence for the person who takes it."""
    what = row.kind.value if row.kind else "transaction"
    if decision is Decision.RETRY:
        return "the gateway tries again; nothing is decided"
    if decision is Decision.CANCELLED:
        return (
            f"you say that the {what} does not stand: it was never made, or its money went back. The gateway undoes "
            "nothing, and sends no bet or win of this transaction any more"
        )
    paid = "the stake was taken" if row.kind is Kind.BET else "the win was paid"
    return f"you say that the {what} stands: {paid}. The gateway moves no money for it, and does not cancel it"


def decide(row: Row, word: Word) -> Row:
    """
    The row after a person's decision. It keeps every decision but RETRY. No wallet call is made (RULES 16).

    Raises ValueError if the decision makes no sense for the row, or if the row is settled and the person does not force
    the decision.
    """
    absorbed = absorb(row)
    if not (absorbed.is_listed or word.is_forced):
        raise ValueError(f"{SETTLED}: {state(row)}")
    decision = Decision(word.decision)
    if row.kind is None and decision is Decision.APPLIED:
        raise ValueError("only a cancel is known of this transaction; it can be cancelled or tried again")
    word = replace(word, is_forced=not absorbed.is_listed, knew_cancel=row.cancel_by_provider)
    row = replace(absorbed, tries=0, refused_since=None, next_try_at=None, for_human="")
    if decision is Decision.RETRY:
        return row
    settled = replace(row, movement_unresolved_since=None, cancel_unresolved=False, rechecks_left=0)
    if decision is Decision.CANCELLED:
        cancel = CancelState.DONE if row.movement is Movement.CONFIRMED else CancelState.NOT_FOUND
        return with_word(replace(settled, cancel=cancel), word)
    made = replace(settled, cancel=CancelState.NONE, movement=Movement.CONFIRMED, told=Told.YES)
    return with_word(made, word)


def state(row: Row) -> str:
    """Describes the row's state in one sentence, and names the person who decided it, if any."""
    word = word_of(row)
    where = _state(row)
    return where if word is None or row.for_human else f"{where}; {word.name} called it {word.decision}"


def _state(row: Row) -> str:
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
    """The row's standing, provided that the answer just made is delivered."""
    told = replace(row, told=Told.YES) if row.told is Told.MAYBE else row
    return Standing(state(told), told.told.value, told.is_open, told.for_human)


def _of_cancelled(row: Row, what: str) -> str:
    if row.cancel is CancelState.OWED:
        return f"a cancel of the {what} is owed"
    if row.cancel is CancelState.DONE:
        return f"the {what} was cancelled"
    if row.cancel is CancelState.REFUSED:
        return f"a cancel was refused, and no {what} is known that it could undo"
    again = f"; it is asked again {row.rechecks_left} times" if row.rechecks_left else ""
    return f"cancelled: the wallet did not know the {what}{again}"


def _of_movement(row: Row, what: str) -> str:
    if row.is_written_off:
        return "the bet was made, but nothing but 500 went out for it"
    if row.is_win_owed:
        return "the win is owed"
    if row.is_rolled_back:
        return "the win was made and never heard of, and a bet of its round was cancelled"
    if row.movement is Movement.CONFIRMED:
        doubt = "; whether the provider was told so is not known" if row.told is Told.MAYBE else ""
        return f"the {what} was made{doubt}"
    if row.movement is Movement.REFUSED and row.result is not None:
        return f"the {what} was refused: {row.result.name}"
    return f"the {what} was not sent to the wallet"

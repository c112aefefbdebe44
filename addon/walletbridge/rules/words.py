"""
A person's decision about a row: name, time, reason, and whether it overruled something definite. RULES 16.
"""

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from walletbridge.rules.row import CancelState, Row

UNDONE = "to be cancelled at the wallet"
"""In place of a decision: the person had the wallet cancel the transaction."""


class Word(Struct, frozen=True, kw_only=True):
    """A person's decision, as the row stores it."""

    decision: str
    """A value of `by_hand.Decision`, or UNDONE."""
    name: str
    at: int
    """Unix seconds, by the wall clock."""
    reason: str
    is_forced: bool = False
    """The row was not listed: its state was definite, and the person overruled it."""
    knew_cancel: bool = False
    """The provider had cancelled the transaction before the decision."""


_DECODER = msgspec.json.Decoder(Word)
_ENCODER = msgspec.json.Encoder()


def with_word(row: Row, word: Word) -> Row:
    """The row with the decision in it."""
    return replace(row, word=_ENCODER.encode(word).decode())


def word_of(row: Row) -> Word | None:
    """The decision in the row; None if there is none."""
    return _DECODER.decode(row.word) if row.word else None


def rests_on_word(row: Row) -> bool:
    """Whether the row's state rests on a person's decision."""
    word = word_of(row)
    return word is not None and word.decision != UNDONE


def is_cancelled_by_word_alone(row: Row) -> bool:
    """Whether a person called the transaction cancelled before the provider did: it was not undone for the provider."""
    if not row.word or row.cancel in {CancelState.NONE, CancelState.OWED}:
        return False
    word = word_of(row)
    return word is not None and word.decision == "cancelled" and not word.knew_cancel


def is_made_by_force(row: Row) -> bool:
    """Whether a person called a movement made, against the wallet's answer."""
    word = word_of(row)
    return word is not None and word.decision == "applied" and word.is_forced

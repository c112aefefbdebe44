"""
What a person decided about a row: who, when, why, and against which rule. RULES 16.
"""

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from walletbridge.rules.row import CancelState, Row

UNDONE = "to be cancelled at the wallet"
"""In place of a decision: the person believed nothing, but had the wallet asked."""


class Word(Struct, frozen=True, kw_only=True):
    """A person's decision, as it stands in the row."""

    decision: str
    """Of `by_hand.Decision`, or UNDONE."""
    name: str
    at: int
    """Unix seconds, by the wall clock."""
    reason: str
    is_forced: bool = False
    """The row was not listed: what stood in it was definite, and the person overruled it."""
    knew_cancel: bool = False
    """The provider had cancelled the transaction before."""


_DECODER = msgspec.json.Decoder(Word)
_ENCODER = msgspec.json.Encoder()


def with_word(row: Row, word: Word) -> Row:
    """The row with the decision on record."""
    return replace(row, word=_ENCODER.encode(word).decode())


def word_of(row: Row) -> Word | None:
    """The decision that stands in the row."""
    return _DECODER.decode(row.word) if row.word else None


def rests_on_word(row: Row) -> bool:
    """Whether what the row says is what a person said."""
    word = word_of(row)
    return word is not None and word.decision != UNDONE


def is_cancelled_by_word_alone(row: Row) -> bool:
    """Whether a person called the transaction cancelled before the provider did: nobody has undone it on its behalf."""
    if not row.word or row.cancel in {CancelState.NONE, CancelState.OWED}:
        return False
    word = word_of(row)
    return word is not None and word.decision == "cancelled" and not word.knew_cancel


def is_made_by_force(row: Row) -> bool:
    """Whether a person called a movement made, against what the wallet had said of it."""
    word = word_of(row)
    return word is not None and word.decision == "applied" and word.is_forced

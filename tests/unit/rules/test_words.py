"""What a person decided stands in the row, and says what rests on it."""

from msgspec.structs import replace
from tests.support.rows import DONE, GONE, MADE, OWED

from walletbridge.rules.words import Word, is_cancelled_by_word_alone, is_made_by_force, with_word, word_of

CANCELLED = Word(decision="cancelled", name="Zoë \U0001f415", at=1_700_000_000, reason='"', knew_cancel=False)
APPLIED = replace(CANCELLED, decision="applied")


def test_a_word_comes_back_as_it_was_said() -> None:
    assert word_of(with_word(MADE, CANCELLED)) == CANCELLED
    assert word_of(MADE) is None


def test_what_a_person_cancelled_before_the_provider_did_rests_on_that_alone() -> None:
    assert is_cancelled_by_word_alone(with_word(DONE, CANCELLED))
    assert is_cancelled_by_word_alone(with_word(GONE, CANCELLED))
    assert not is_cancelled_by_word_alone(with_word(DONE, replace(CANCELLED, knew_cancel=True)))
    assert not is_cancelled_by_word_alone(with_word(OWED, CANCELLED))
    assert not is_cancelled_by_word_alone(with_word(MADE, APPLIED))
    assert not is_cancelled_by_word_alone(DONE)


def test_only_what_a_person_called_made_against_the_wallet_is_made_by_force() -> None:
    assert is_made_by_force(with_word(MADE, replace(APPLIED, is_forced=True)))
    assert not is_made_by_force(with_word(MADE, APPLIED))
    assert not is_made_by_force(with_word(DONE, replace(CANCELLED, is_forced=True)))
    assert not is_made_by_force(MADE)

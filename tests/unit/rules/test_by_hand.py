"""What people see of a row, and what follows from what they decide."""

import pytest
from msgspec.structs import replace

from walletbridge.protocol.outcomes import Result
from walletbridge.rules.by_hand import Decision, consequence, decide, standing, state
from walletbridge.rules.row import CancelState, Kind, Movement, Row, Told
from walletbridge.rules.words import Word, word_of

BET = Row(account="test1234", trans_id="1", kind=Kind.BET, amount=100, request="{}")
WIN = replace(BET, kind=Kind.WIN)
CANCEL = Row(account="test1234", trans_id="1", cancel=CancelState.OWED, request="{}")
UNRESOLVED = replace(BET, movement_unresolved_since=5.0)
CANCEL_REFUSED = replace(CANCEL, cancel=CancelState.REFUSED)
ROLLED_BACK = replace(WIN, movement=Movement.CONFIRMED, round_cancelled=True)
LEFT = replace(UNRESOLVED, for_human="refused 5 times", tries=5, next_try_at=9.0)


def said(decision: Decision, *, is_forced: bool = False) -> Word:
    return Word(decision=decision.value, name="anna", at=1_700_000_000, reason="looked it up", is_forced=is_forced)


STATES = [
    (LEFT, "left to a person: refused 5 times"),
    (replace(BET, call=Kind.BET), "a bet is at the wallet"),
    (replace(BET, call=Kind.CANCEL, cancel=CancelState.OWED), "a cancel is at the wallet"),
    (CANCEL, "a cancel of the transaction is owed"),
    (replace(WIN, cancel=CancelState.OWED), "a cancel of the win is owed"),
    (replace(BET, cancel=CancelState.DONE), "the bet was cancelled"),
    (CANCEL_REFUSED, "a cancel was refused, and no transaction is known that it could undo"),
    (ROLLED_BACK, "the win was made and never heard of, and a bet of its round was cancelled"),
    (replace(BET, cancel=CancelState.NOT_FOUND), "cancelled: the wallet did not know the bet"),
    (
        replace(BET, cancel=CancelState.NOT_FOUND, rechecks_left=2),
        "cancelled: the wallet did not know the bet; it is asked again 2 times",
    ),
    (UNRESOLVED, "nobody knows whether the bet was made"),
    (replace(BET, movement=Movement.CONFIRMED), "the bet was made, but nothing but 500 went out for it"),
    (
        replace(BET, movement=Movement.CONFIRMED, told=Told.MAYBE),
        "the bet was made; whether the provider was told so is not known",
    ),
    (replace(BET, movement=Movement.CONFIRMED, told=Told.YES), "the bet was made"),
    (
        replace(BET, movement=Movement.REFUSED, told=Told.REFUSED, result=Result.BALANCE_INSUFFICIENT),
        "the bet was refused: BALANCE_INSUFFICIENT",
    ),
    (WIN, "the win is owed"),
    (BET, "the bet was not sent to the wallet"),
]


@pytest.mark.parametrize(("row", "sentence"), STATES, ids=[sentence for _, sentence in STATES])
def test_a_row_says_where_it_stands(row: Row, sentence: str) -> None:
    assert state(row) == sentence


def test_applied_means_that_it_stands_and_that_the_provider_believes_so() -> None:
    row = decide(LEFT, said(Decision.APPLIED))

    assert (row.movement, row.told, row.cancel) == (Movement.CONFIRMED, Told.YES, CancelState.NONE)
    assert not row.is_listed


def test_only_a_movement_can_be_applied() -> None:
    with pytest.raises(ValueError, match="only a cancel is known"):
        decide(CANCEL, said(Decision.APPLIED))


@pytest.mark.parametrize(
    ("row", "cancel"),
    [
        (LEFT, CancelState.NOT_FOUND),
        (CANCEL, CancelState.NOT_FOUND),
        (replace(BET, movement=Movement.CONFIRMED, for_human="x"), CancelState.DONE),
    ],
)
def test_cancelled_means_that_no_bet_or_win_of_it_is_sent_any_more(row: Row, cancel: CancelState) -> None:
    settled = decide(row, said(Decision.CANCELLED))

    assert settled.cancel is cancel
    assert not settled.is_listed


def test_retry_gives_a_row_back_to_the_resolver_as_it_was() -> None:
    row = decide(LEFT, said(Decision.RETRY))

    assert (row.for_human, row.tries, row.next_try_at) == ("", 0, None)
    assert row.is_unresolved


def test_a_call_that_was_cut_off_is_not_forgotten_by_a_retry() -> None:
    row = decide(replace(BET, call=Kind.BET, call_ends_at=7.0), said(Decision.RETRY))

    assert (row.call, row.movement_unresolved_since) == (None, 7.0)


def test_a_standing_is_that_of_the_answer_that_goes_out() -> None:
    made = standing(replace(BET, movement=Movement.CONFIRMED, told=Told.MAYBE))

    assert made == ("the bet was made", "yes", False, "")
    assert standing(LEFT) == ("left to a person: refused 5 times", "nothing", True, "refused 5 times")


def test_what_a_person_decided_stands_in_the_row() -> None:
    row = decide(LEFT, said(Decision.APPLIED))

    assert word_of(row) == said(Decision.APPLIED)
    assert state(row) == "the bet was made; anna called it applied"


def test_it_says_whether_the_provider_had_cancelled_by_then() -> None:
    before, after = decide(LEFT, said(Decision.CANCELLED)), decide(CANCEL_COME, said(Decision.CANCELLED))

    assert [word.knew_cancel for row in (before, after) if (word := word_of(row))] == [False, True]


CANCEL_COME = replace(LEFT, cancel=CancelState.OWED, cancel_by_provider=True)
MADE = replace(BET, movement=Movement.CONFIRMED, told=Told.YES)


@pytest.mark.parametrize("decision", Decision)
def test_what_is_settled_is_not_decided_by_a_mistyped_number(decision: Decision) -> None:
    with pytest.raises(ValueError, match="it is settled: the bet was made"):
        decide(MADE, said(decision))


def test_unless_the_person_overrules_that_which_is_recorded() -> None:
    row = decide(MADE, said(Decision.CANCELLED, is_forced=True))

    assert (row.cancel, word_of(row)) == (CancelState.DONE, said(Decision.CANCELLED, is_forced=True))


def test_force_that_was_not_needed_is_not_recorded() -> None:
    assert word_of(decide(LEFT, said(Decision.APPLIED, is_forced=True))) == said(Decision.APPLIED)


@pytest.mark.parametrize(
    ("row", "decision", "words"),
    [
        (LEFT, Decision.APPLIED, "the stake was taken"),
        (WIN, Decision.APPLIED, "the win was paid"),
        (WIN, Decision.CANCELLED, "the win does not stand"),
        (CANCEL, Decision.CANCELLED, "the transaction does not stand"),
        (LEFT, Decision.RETRY, "nothing is decided"),
    ],
)
def test_a_person_is_told_what_follows(row: Row, decision: Decision, words: str) -> None:
    assert words in consequence(row, decision)

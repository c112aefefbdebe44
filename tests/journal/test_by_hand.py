"""What people see of a row, and what follows from what they decide."""

import pytest
from msgspec.structs import replace

from walletbridge.journal.by_hand import Decision, decide, standing, state
from walletbridge.journal.row import CancelState, Kind, Movement, Row, Told
from walletbridge.outcomes import Result

BET = Row(account="test1234", trans_id="1", kind=Kind.BET, amount=100, request="{}")
WIN = replace(BET, kind=Kind.WIN)
CANCEL = Row(account="test1234", trans_id="1", cancel=CancelState.OWED, request="{}")
UNRESOLVED = replace(BET, movement_unresolved_since=5.0)
LEFT = replace(UNRESOLVED, for_human="refused 5 times", tries=5, next_try_at=9.0)

STATES = [
    (LEFT, "left to a person: refused 5 times"),
    (replace(BET, call=Kind.BET), "a bet is at the wallet"),
    (replace(BET, call=Kind.CANCEL, cancel=CancelState.OWED), "a cancel is at the wallet"),
    (CANCEL, "a cancel of the transaction is owed"),
    (replace(WIN, cancel=CancelState.OWED), "a cancel of the win is owed"),
    (replace(BET, cancel=CancelState.DONE), "the bet was cancelled"),
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
    row = decide(LEFT, Decision.APPLIED)

    assert (row.movement, row.told, row.cancel) == (Movement.CONFIRMED, Told.YES, CancelState.NONE)
    assert not row.is_listed


def test_only_a_movement_can_be_applied() -> None:
    with pytest.raises(ValueError, match="only a cancel is known"):
        decide(CANCEL, Decision.APPLIED)


@pytest.mark.parametrize(
    ("row", "cancel"),
    [
        (LEFT, CancelState.NOT_FOUND),
        (CANCEL, CancelState.NOT_FOUND),
        (replace(BET, movement=Movement.CONFIRMED, for_human="x"), CancelState.DONE),
    ],
)
def test_cancelled_means_that_no_bet_or_win_of_it_is_sent_any_more(row: Row, cancel: CancelState) -> None:
    settled = decide(row, Decision.CANCELLED)

    assert settled.cancel is cancel
    assert not settled.is_listed


def test_retry_gives_a_row_back_to_the_resolver_as_it_was() -> None:
    row = decide(LEFT, Decision.RETRY)

    assert (row.for_human, row.tries, row.next_try_at) == ("", 0, None)
    assert row.is_unresolved


def test_a_call_that_was_cut_off_is_not_forgotten_by_a_retry() -> None:
    row = decide(replace(BET, call=Kind.BET, call_ends_at=7.0), Decision.RETRY)

    assert (row.call, row.movement_unresolved_since) == (None, 7.0)


def test_a_standing_is_that_of_the_answer_that_goes_out() -> None:
    made = standing(replace(BET, movement=Movement.CONFIRMED, told=Told.MAYBE))

    assert made == ("the bet was made", "yes", False, "")
    assert standing(LEFT) == ("left to a person: refused 5 times", "nothing", True, "refused 5 times")

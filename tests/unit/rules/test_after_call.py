"""What may be answered, rule by rule, from rows alone."""

import pytest
from msgspec.structs import replace
from tests.support.rows import (
    BET,
    CANCEL,
    DONE,
    FAILED,
    FORGETS,
    GONE,
    INACTIVE,
    INSUFFICIENT,
    MADE,
    NO_PLAYER,
    NOT_FOUND,
    NOT_SENT,
    NOW,
    OK,
    OWED,
    REFUSED,
    REMEMBERS,
    REPEATED,
    SENT,
    STANDS,
    TIMES,
    WIN,
    WRITTEN_OFF,
    callback,
    look,
    row_of,
)

from walletbridge.protocol.callbacks import Bet, Win
from walletbridge.protocol.outcomes import Outcome, Result, TransactionState
from walletbridge.rules import after_call, decisions
from walletbridge.rules.decisions import Step
from walletbridge.rules.promises import Promises
from walletbridge.rules.row import CancelState, Kind, Movement, Row, Told


@pytest.mark.parametrize(
    ("row", "end", "answer", "movement", "is_open"),
    [
        (BET, OK, OK, Movement.CONFIRMED, False),
        (BET, SENT, None, Movement.NONE, True),
        (BET, NOT_SENT, None, Movement.NONE, False),
        (BET, INSUFFICIENT, INSUFFICIENT, Movement.REFUSED, False),
        # We know nothing of it but the wallet does.
        (BET, REPEATED, REPEATED, Movement.CONFIRMED, False),
        (WIN, OK, OK, Movement.CONFIRMED, False),
        (WIN, REPEATED, REPEATED, Movement.CONFIRMED, False),
        (WIN, SENT, None, Movement.NONE, True),
        (WIN, NOT_SENT, None, Movement.NONE, True),
        # A refusal speaks for its own call.
        (replace(WIN, movement_unresolved_since=90.0), FAILED, None, Movement.NONE, True),
        (replace(WIN, movement_unresolved_since=90.0), REPEATED, REPEATED, Movement.CONFIRMED, False),
        # A repeat of what is on record can no longer change anything.
        (replace(MADE, call=Kind.BET), SENT, None, Movement.CONFIRMED, False),
        (replace(MADE, call=Kind.BET), REPEATED, REPEATED, Movement.CONFIRMED, False),
        # Nor does the refusal of a repeat say that the first was not made; only the player is checked before that.
        (replace(MADE, call=Kind.BET), FAILED, None, Movement.CONFIRMED, False),
        (replace(MADE, call=Kind.BET), INACTIVE, INACTIVE, Movement.CONFIRMED, False),
        (replace(DONE, call=Kind.BET), FAILED, FAILED, Movement.CONFIRMED, False),
        # It was refused before, asked for again, and made though nobody was told so.
        (replace(REFUSED, call=Kind.BET), REPEATED, None, Movement.CONFIRMED, False),
        # A refusal that may not hold any more.
        (replace(REFUSED, kind=Kind.WIN, call=Kind.WIN), NOT_SENT, None, Movement.NONE, True),
        # What landed after its cancel has to be taken back.
        (replace(OWED, call=Kind.BET), OK, None, Movement.CONFIRMED, True),
        (replace(DONE, call=Kind.BET), OK, None, Movement.CONFIRMED, True),
        (replace(DONE, call=Kind.BET), REPEATED, REPEATED, Movement.CONFIRMED, False),
    ],
)
def test_what_a_movement_comes_to(
    row: Row, end: decisions.End, answer: Outcome | None, movement: Movement, *, is_open: bool
) -> None:
    verdict = after_call.end_movement(row, end, now=NOW)

    assert (verdict.answer, verdict.row.movement, verdict.row.call) == (answer, movement, None)
    assert verdict.row.is_open is is_open


@pytest.mark.parametrize(
    ("row", "end", "promises", "answer", "state"),
    [
        (CANCEL, OK, REMEMBERS, OK, CancelState.DONE),
        (CANCEL, SENT, REMEMBERS, None, CancelState.OWED),
        (CANCEL, NOT_SENT, REMEMBERS, None, CancelState.OWED),
        # A refusal goes out, and is the end of it, where nothing is known that could be undone.
        (CANCEL, FAILED, REMEMBERS, FAILED, CancelState.REFUSED),
        (CANCEL, NO_PLAYER, REMEMBERS, NO_PLAYER, CancelState.REFUSED),
        (replace(REFUSED, cancel=CancelState.OWED), INACTIVE, REMEMBERS, INACTIVE, CancelState.REFUSED),
        # Else it is owed: 99 would say that nothing is undone, and 22 speaks of the player alone.
        (replace(MADE, cancel=CancelState.OWED), FAILED, REMEMBERS, None, CancelState.OWED),
        (replace(MADE, cancel=CancelState.OWED), INACTIVE, REMEMBERS, INACTIVE, CancelState.OWED),
        (OWED, FAILED, REMEMBERS, None, CancelState.OWED),
        (replace(OWED, movement_unresolved_since=90.1), NO_PLAYER, REMEMBERS, NO_PLAYER, CancelState.OWED),
        # A person has it, and nobody else is going to undo it.
        (replace(OWED, for_human="x"), FAILED, REMEMBERS, FAILED, CancelState.OWED),
        # It is cancelled, whatever the wallet says of a second cancel.
        (DONE, FAILED, REMEMBERS, OK, CancelState.DONE),
        (DONE, INACTIVE, REMEMBERS, INACTIVE, CancelState.DONE),
        # It may have landed late, and is asked for again.
        (replace(GONE, rechecks_left=1), FAILED, FORGETS, None, CancelState.NOT_FOUND),
        (GONE, FAILED, FORGETS, FAILED, CancelState.NOT_FOUND),
        (replace(CANCEL, cancel_unresolved=True), FAILED, REMEMBERS, None, CancelState.OWED),
        # Nothing was ever sent for it, or the wallet refuses what comes late: the 42 is believed.
        (CANCEL, NOT_FOUND, FORGETS, NOT_FOUND, CancelState.NOT_FOUND),
        (OWED, NOT_FOUND, REMEMBERS, NOT_FOUND, CancelState.NOT_FOUND),
        # Just not yet, and just so.
        (replace(OWED, movement_unresolved_since=90.1), NOT_FOUND, FORGETS, None, CancelState.OWED),
        (replace(OWED, movement_unresolved_since=90.0), NOT_FOUND, FORGETS, NOT_FOUND, CancelState.NOT_FOUND),
        # Never for what was confirmed.
        (replace(MADE, cancel=CancelState.OWED), NOT_FOUND, REMEMBERS, None, CancelState.OWED),
        (DONE, NOT_FOUND, REMEMBERS, None, CancelState.DONE),
        (GONE, NOT_FOUND, REMEMBERS, NOT_FOUND, CancelState.NOT_FOUND),
    ],
)
def test_what_a_cancel_comes_to(
    row: Row, end: decisions.End, promises: Promises, answer: Outcome | None, state: CancelState
) -> None:
    verdict = after_call.end_cancel(replace(row, call=Kind.CANCEL), end, promises, TIMES, now=NOW, for_provider=True)

    assert (verdict.answer, verdict.row.cancel, verdict.row.call) == (answer, state, None)


@pytest.mark.parametrize(
    ("row", "state"),
    [
        (CANCEL, CancelState.REFUSED),
        (replace(CANCEL, cancel_unresolved=True), CancelState.REFUSED),
        # What may have been made for somebody who is not there has landed or not by then.
        (OWED, CancelState.REFUSED),
        (replace(OWED, movement_unresolved_since=90.1), CancelState.OWED),
        (replace(MADE, cancel=CancelState.OWED), CancelState.OWED),
    ],
)
def test_the_resolver_settles_the_cancel_of_a_player_that_the_wallet_does_not_know(
    row: Row, state: CancelState
) -> None:
    verdict = after_call.end_cancel(row, NO_PLAYER, REMEMBERS, TIMES, now=NOW, for_provider=False)

    assert verdict.row.cancel is state


def test_refusals_are_counted_from_the_first_of_them() -> None:
    owed = replace(MADE, cancel=CancelState.OWED)
    first = after_call.end_cancel(owed, FAILED, REMEMBERS, TIMES, now=NOW, for_provider=False).row
    second = after_call.end_cancel(first, FAILED, REMEMBERS, TIMES, now=NOW + 9, for_provider=False).row

    assert [(row.tries, row.refused_since) for row in (first, second)] == [(1, NOW), (2, NOW)]
    done = after_call.end_cancel(second, OK, REMEMBERS, TIMES, now=NOW + 10, for_provider=False).row
    assert (done.tries, done.refused_since) == (0, None)


def test_what_was_believed_on_time_alone_is_asked_again() -> None:
    row = replace(OWED, call=Kind.CANCEL, movement_unresolved_since=80.0)
    verdict = after_call.end_cancel(row, NOT_FOUND, FORGETS, TIMES, now=NOW, for_provider=True)

    assert (verdict.row.rechecks_left, verdict.row.next_try_at) == (2, NOW + 60)


@pytest.mark.parametrize(("sent", "told"), [(True, Told.YES), (False, Told.NOTHING)])
def test_whether_an_answer_went_out_is_kept(*, sent: bool, told: Told) -> None:
    made = after_call.end_movement(BET, OK, now=NOW).row
    bet = callback("bet")
    assert isinstance(bet, Bet)

    assert made.told is Told.MAYBE
    assert after_call.delivered(made, bet, sent=sent).told is told
    assert after_call.delivered(MADE, bet, sent=False).told is Told.YES


def test_a_status_that_was_answered_ok_counts_as_belief() -> None:
    maybe = replace(MADE, told=Told.MAYBE)
    verdict = after_call.end_status(maybe, STANDS)

    assert verdict is not None
    assert verdict.row.status_said_ok
    assert after_call.end_status(MADE, STANDS) is None
    assert after_call.end_status(None, STANDS) is None
    assert after_call.end_status(maybe, Outcome(Result.OK, 5, TransactionState.CANCELED)) is None


def test_a_status_that_finds_what_was_cancelled_is_no_answer() -> None:
    """The bet landed after its cancel was answered 42: it is taken back, and nobody is told that it stands."""
    verdict = after_call.end_status(GONE, STANDS)

    assert verdict is not None
    assert (verdict.answer, verdict.row.cancel, verdict.row.is_open) == (None, CancelState.OWED, True)


def test_a_person_looks_at_a_repeat_that_was_refused_until_it_is_answered() -> None:
    refused = after_call.end_movement(replace(MADE, call=Kind.BET), INACTIVE, now=NOW).row
    assert refused.for_human == "it was made, but a repeat was answered 22"

    assert after_call.end_movement(replace(refused, call=Kind.BET), REPEATED, now=NOW).row.for_human == ""


def test_the_answer_to_a_conflict_says_nothing_of_the_row() -> None:
    maybe = replace(MADE, told=Told.MAYBE)
    for other in (callback("bet", amount=7), callback("win")):
        assert isinstance(other, Bet | Win)
        for sent in (True, False):
            assert after_call.delivered(maybe, other, sent=sent) == maybe


@pytest.mark.parametrize("command", ["bet", "win"])
def test_a_refusal_that_did_not_go_out_leaves_everything_as_if_nothing_had_been_answered(command: str) -> None:
    """A bet is written off then, and a win is owed."""
    wanted = callback(command)
    assert isinstance(wanted, Bet | Win)
    refused = after_call.end_movement(row_of(command), FAILED, now=NOW).row
    assert after_call.delivered(refused, wanted, sent=True) == refused

    unheard = after_call.delivered(refused, wanted, sent=False)
    assert (unheard.told, unheard.movement) == (Told.NOTHING, Movement.NONE)
    assert unheard.is_win_owed is (command == "win")
    assert look(unheard, command).step is (Step.SEND if command == "win" else Step.UNKNOWN)


@pytest.mark.parametrize("row", [CANCEL, replace(GONE, rechecks_left=2)])
def test_a_refusal_settles_no_cancel_and_counts_as_a_try(row: Row) -> None:
    for end in (FAILED, INACTIVE):
        verdict = after_call.end_cancel(row, end, FORGETS, TIMES, now=NOW, for_provider=False)

        assert (verdict.row.cancel, verdict.row.tries) == (row.cancel, 1)


@pytest.mark.parametrize("is_unresolved", [True, False])
def test_a_refusal_settles_no_win_and_counts_as_a_try(*, is_unresolved: bool) -> None:
    row = replace(WIN, movement_unresolved_since=90.0 if is_unresolved else None)
    verdict = after_call.end_movement(row, FAILED, now=NOW, for_provider=False)

    assert (verdict.row.movement, verdict.row.tries, verdict.row.is_open) == (Movement.NONE, 1, True)


def test_a_movement_that_undoes_another_was_made_before() -> None:
    promises = Promises(late_bets_refused=False, has_cancel=False)
    owed = replace(MADE, cancel=CancelState.OWED, call=Kind.CANCEL)
    verdict = after_call.end_cancel(owed, REPEATED, promises, TIMES, now=NOW, for_provider=True)

    assert (verdict.row.cancel, verdict.answer) == (CancelState.DONE, OK)


@pytest.mark.parametrize("for_provider", [True, False])
def test_a_win_that_is_spent_cannot_be_undone_for_now(*, for_provider: bool) -> None:
    """31 is no answer to a cancel: it is 500, and owed until a person is asked."""
    promises = Promises(late_bets_refused=False, has_cancel=False)
    owed = replace(MADE, kind=Kind.WIN, cancel=CancelState.OWED, call=Kind.CANCEL)
    verdict = after_call.end_cancel(owed, INSUFFICIENT, promises, TIMES, now=NOW, for_provider=for_provider)

    assert (verdict.answer, verdict.row.cancel, verdict.row.is_open) == (None, CancelState.OWED, True)
    assert verdict.row.tries == (0 if for_provider else 1)


@pytest.mark.parametrize(
    ("command", "end", "movement", "told"),
    [
        ("bet", Outcome(Result.OK, None), Movement.CONFIRMED, Told.NOTHING),
        ("win", Outcome(Result.ALREADY_PROCESSED, None), Movement.CONFIRMED, Told.NOTHING),
        ("bet", Outcome(Result.BALANCE_INSUFFICIENT, None), Movement.NONE, Told.NOTHING),
        ("win", Outcome(Result.FAILED, None), Movement.NONE, Told.NOTHING),
    ],
)
def test_what_is_known_is_kept_though_its_balance_is_not(
    command: str, end: Outcome, movement: Movement, told: Told
) -> None:
    verdict = after_call.without_balance(after_call.end_movement(row_of(command), end, now=NOW), callback(command))

    assert (verdict.answer, verdict.row.movement, verdict.row.told) == (None, movement, told)
    assert "balance could not be read" in verdict.reason


@pytest.mark.parametrize("end", [OK, INACTIVE, replace(INACTIVE, balance=None), SENT])
def test_what_can_be_answered_is(end: decisions.End) -> None:
    verdict = after_call.end_movement(row_of("bet"), end, now=NOW)

    assert after_call.without_balance(verdict, callback("bet")) is verdict


@pytest.mark.parametrize(("row", "is_told"), [(MADE, True), (DONE, False), (GONE, False), (None, False)])
def test_a_repeat_that_is_refused_for_its_player_is_for_a_person(row: Row | None, *, is_told: bool) -> None:
    after = after_call.repeat_refused(row, INACTIVE)

    assert bool(after and after.for_human) is is_told


def test_a_persons_own_question_does_not_make_the_provider_believe() -> None:
    assert after_call.end_status(WRITTEN_OFF, STANDS, for_provider=False) is None
    # What landed late is taken back all the same.
    verdict = after_call.end_status(GONE, STANDS, for_provider=False)
    assert verdict is not None
    assert verdict.row.cancel is CancelState.OWED

"""What the resolver does next, from rows alone."""

import pytest
from msgspec.structs import replace

from walletbridge.protocol.outcomes import Outcome, Result
from walletbridge.rules import decisions
from walletbridge.rules.decisions import Times, Verdict
from walletbridge.rules.promises import Promises, Repeats
from walletbridge.rules.resolver_plan import Action, Plan, Round, Switches, after, plan, take
from walletbridge.rules.row import CancelState, Kind, Movement, Row, Told

NOW = 1000.0
TIMES = Times(settle_after=10, abandon_after=60, redeliver_for=500, recheck_after=(60, 600), give_up_after=300)
ALL = Switches()
ALONE, WITH_WIN, WITH_CANCELLED_BET = Round(), Round(has_win=True), Round(has_cancelled_bet=True)

BASE = Row(account="test1234", trans_id="1", kind=Kind.BET, amount=100, request="{}", created_at=900.0, told_at=900.0)
BET = replace(BASE, movement_unresolved_since=900.0)
WRITTEN_OFF = replace(BASE, movement=Movement.CONFIRMED)
MAYBE = replace(BASE, movement=Movement.CONFIRMED, told=Told.MAYBE)
WIN = replace(BASE, kind=Kind.WIN)
SILENT = replace(WIN, movement=Movement.CONFIRMED, round_id="r")
OWED = replace(BASE, cancel=CancelState.OWED)
BELIEVED = replace(BASE, cancel=CancelState.NOT_FOUND, rechecks_left=2, next_try_at=NOW)


@pytest.mark.parametrize(
    ("row", "around", "action"),
    [
        # A win is sent again while it can still be owed.
        (WIN, ALONE, Action.REDELIVER),
        (replace(WIN, movement_unresolved_since=900.0), ALONE, Action.REDELIVER),
        (WIN, WITH_CANCELLED_BET, Action.LEAVE),
        (replace(WIN, created_at=500.0), ALONE, Action.REDELIVER),
        (replace(WIN, created_at=499.9), ALONE, Action.LEAVE),
        (replace(WIN, movement=Movement.REFUSED, told=Told.REFUSED), ALONE, Action.NOTHING),
        (replace(WIN, movement=Movement.CONFIRMED), ALONE, Action.NOTHING),
        # One that was made and never heard of: whether its round is void is looked up once, and noted from then on.
        (SILENT, ALONE, Action.SEE_ROUND),
        (replace(SILENT, told=Told.MAYBE), ALONE, Action.SEE_ROUND),
        (replace(SILENT, told_at=NOW), ALONE, Action.WAIT),
        (replace(SILENT, round_cancelled=False), WITH_CANCELLED_BET, Action.NOTHING),
        (replace(SILENT, round_cancelled=True), ALONE, Action.LEAVE),
        (replace(SILENT, told=Told.YES, round_cancelled=True), ALONE, Action.NOTHING),
        (replace(WIN, round_cancelled=True), ALONE, Action.LEAVE),
        # A cancel is owed until it is settled.
        (OWED, ALONE, Action.CANCEL),
        (replace(OWED, kind=None), ALONE, Action.CANCEL),
        (replace(OWED, cancel=CancelState.DONE), ALONE, Action.NOTHING),
        # A bet that its sender has written off is cancelled, but only if nobody believes in it.
        (BET, ALONE, Action.ABANDON),
        (WRITTEN_OFF, ALONE, Action.ABANDON),
        (replace(BET, told_at=NOW - 60), ALONE, Action.ABANDON),
        (replace(BET, told_at=NOW - 59.9), ALONE, Action.WAIT),
        (BET, WITH_WIN, Action.LEAVE),
        (replace(BET, status_said_ok=True), ALONE, Action.LEAVE),
        (BASE, ALONE, Action.NOTHING),
        # One whose answer may have gone out is nobody's to cancel.
        (MAYBE, ALONE, Action.LEAVE),
        (MAYBE, WITH_WIN, Action.BELIEVE),
        (replace(MAYBE, told_at=NOW), ALONE, Action.WAIT),
        (replace(MAYBE, told=Told.YES), ALONE, Action.NOTHING),
        # What was believed on time alone is asked again.
        (BELIEVED, ALONE, Action.RECHECK),
        (replace(BELIEVED, next_try_at=NOW + 1), ALONE, Action.WAIT),
        (replace(BELIEVED, rechecks_left=0), ALONE, Action.NOTHING),
        # What is a person's stays a person's, and what was refused often enough becomes one's.
        (replace(WIN, for_human="x"), ALONE, Action.NOTHING),
        (replace(OWED, tries=99, refused_since=0.0), ALONE, Action.CANCEL),
        # But what the provider does shows whether it has heard of a bet, also when a person has it.
        (replace(MAYBE, for_human="x"), WITH_WIN, Action.BELIEVE),
        (replace(MAYBE, for_human="x", status_said_ok=True), ALONE, Action.BELIEVE),
        (replace(MAYBE, status_said_ok=True), ALONE, Action.BELIEVE),
        (replace(MAYBE, for_human="x"), ALONE, Action.LISTEN),
        (replace(MAYBE, for_human="x", next_try_at=NOW + 1), ALONE, Action.WAIT),
        # A call that was cut off.
        (replace(BASE, kind=Kind.WIN, call=Kind.WIN, call_ends_at=990.0), ALONE, Action.REDELIVER),
        (replace(BASE, call=Kind.BET, call_ends_at=930.0), ALONE, Action.ABANDON),
        (replace(BASE, call=Kind.BET, call_ends_at=990.0), ALONE, Action.WAIT),
    ],
)
def test_the_next_step(row: Row, around: Round, action: Action) -> None:
    assert plan(row, around, TIMES, ALL, now=NOW).action is action


@pytest.mark.parametrize(
    ("row", "switches"),
    [(WIN, Switches(wins=False)), (BET, Switches(bets=False)), (OWED, Switches(bets=False))],
)
def test_what_is_switched_off_is_not_done(row: Row, switches: Switches) -> None:
    assert plan(row, ALONE, TIMES, switches, now=NOW).action is Action.NOTHING


def test_a_pause_ends_early_when_the_wallet_is_back() -> None:
    """But not the time after which a cancel is asked again: that is no pause."""
    early = replace(WIN, next_try_at=NOW + 5)

    assert plan(early, ALONE, TIMES, ALL, now=NOW).action is Action.WAIT
    assert plan(early, ALONE, TIMES, ALL, now=NOW, eager=True).action is Action.REDELIVER
    later = replace(BELIEVED, next_try_at=NOW + 5)
    assert plan(later, ALONE, TIMES, ALL, now=NOW, eager=True).action is Action.WAIT


@pytest.mark.parametrize(
    ("row", "call", "cancel"),
    [
        (WIN, Kind.WIN, CancelState.NONE),
        (OWED, Kind.CANCEL, CancelState.OWED),
        (BET, Kind.CANCEL, CancelState.OWED),
        (BELIEVED, Kind.CANCEL, CancelState.NOT_FOUND),
    ],
)
def test_the_intent_is_written_with_the_row(row: Row, call: Kind, cancel: CancelState) -> None:
    chosen = plan(row, ALONE, TIMES, ALL, now=NOW)
    taken = take(row, chosen, now=NOW, seconds=1)

    assert (taken.call, taken.call_ends_at, taken.cancel) == (call, NOW + 1, cancel)


def test_what_is_left_to_a_person_says_why() -> None:
    chosen = plan(WIN, WITH_CANCELLED_BET, TIMES, ALL, now=NOW)

    assert take(WIN, chosen, now=NOW, seconds=1).for_human == chosen.reason != ""


def test_what_is_still_open_is_tried_again_after_a_pause() -> None:
    row = after(Verdict(OWED, None), OWED, TIMES, now=NOW, pause=0.5)

    assert row.next_try_at == NOW + 0.5


def test_rechecks_grow_apart_and_end() -> None:
    answered = Verdict(replace(BELIEVED, result=Result.TRANSACTION_NOT_FOUND), Outcome(Result.TRANSACTION_NOT_FOUND))
    second = after(answered, BELIEVED, TIMES, now=NOW, pause=0.5)
    assert (second.rechecks_left, second.next_try_at) == (1, NOW + 600)

    last = after(Verdict(second, answered.answer), second, TIMES, now=NOW, pause=0.5)
    assert (last.rechecks_left, last.next_try_at) == (0, None)


def test_a_refusal_does_not_use_up_a_recheck() -> None:
    """It does not say whether the transaction is known; after some the row is a person's."""
    refused = Verdict(replace(BELIEVED, result=Result.FAILED, tries=1), Outcome(Result.FAILED))
    row = after(refused, BELIEVED, TIMES, now=NOW, pause=0.5)
    assert (row.rechecks_left, row.next_try_at, row.tries) == (2, NOW + 0.5, 1)


def refuse(row: Row, at: float) -> Row:
    refused = decisions.refused(replace(row, result=Result.FAILED), at)
    return after(Verdict(refused, None), row, TIMES, now=at, pause=0.1)


def test_what_is_refused_is_tried_at_growing_pauses_and_given_up_by_time() -> None:
    row, at, pauses = OWED, NOW, []
    while not row.for_human:
        row = refuse(row, at)
        pauses.append((row.next_try_at or 0) - at)
        at = row.next_try_at or 0

    assert pauses[:5] == [0.25, 0.5, 1, 2, 4]
    assert row.for_human == f"refused {row.tries} times in {at - pauses[-1] - NOW:.0f} s"
    assert NOW + TIMES.give_up_after <= at <= NOW + 2 * TIMES.give_up_after + 300


def test_a_pause_between_refusals_has_an_end() -> None:
    assert refuse(replace(OWED, tries=10**6, refused_since=NOW), NOW).next_try_at == NOW + TIMES.refused_pause_max


def test_what_was_refused_long_ago_is_tried_once_more() -> None:
    """The gateway was away meanwhile: nobody has asked the wallet since."""
    old = replace(OWED, tries=3, refused_since=NOW - 10 * TIMES.give_up_after)

    assert plan(old, ALONE, TIMES, ALL, now=NOW).action is Action.CANCEL
    assert refuse(old, NOW).for_human


ROLLBACK = Switches(rollback=True)


@pytest.mark.parametrize(
    ("row", "around", "action"),
    [
        (replace(SILENT, round_cancelled=True), WITH_CANCELLED_BET, Action.CANCEL),
        (WIN, WITH_CANCELLED_BET, Action.CANCEL),
        # Another bet of the round stands: the provider may have cancelled a double of it.
        (WIN, Round(has_cancelled_bet=True, has_standing_bet=True), Action.LEAVE),
        (replace(SILENT, round_cancelled=True), Round(has_standing_bet=True), Action.LEAVE),
        (SILENT, ALONE, Action.SEE_ROUND),
    ],
)
def test_where_the_provider_rolls_back_rounds_their_wins_go_back(row: Row, around: Round, action: Action) -> None:
    assert plan(row, around, TIMES, ROLLBACK, now=NOW).action is action


@pytest.mark.parametrize("around", [ALONE, WITH_CANCELLED_BET])
def test_what_became_of_the_round_is_noted(around: Round) -> None:
    taken = take(SILENT, Plan(Action.SEE_ROUND), now=NOW, seconds=1, around=around)

    assert taken.round_cancelled is around.has_cancelled_bet
    assert taken.is_listed is around.has_cancelled_bet


def test_a_win_that_is_sent_again_knows_its_round_by_then() -> None:
    assert take(WIN, Plan(Action.REDELIVER), now=NOW, seconds=1).round_cancelled is False
    assert take(LOST_WIN, Plan(Action.ASK), now=NOW, seconds=1).round_cancelled is False


def test_whether_a_bet_was_heard_of_is_seen_at_growing_pauses() -> None:
    left = replace(MAYBE, for_human="x", told_at=NOW - 400)
    listening = take(left, Plan(Action.LISTEN), now=NOW, seconds=1)

    assert (listening.next_try_at, listening.for_human) == (NOW + 100, "x")
    heard = take(listening, Plan(Action.BELIEVE), now=NOW, seconds=1)
    assert (heard.told, heard.is_listed) == (Told.YES, False)


def test_an_unknown_recheck_is_made_again_after_a_pause() -> None:
    row = after(Verdict(BELIEVED, None), BELIEVED, TIMES, now=NOW, pause=0.5)

    assert (row.rechecks_left, row.next_try_at) == (2, NOW + 0.5)


def test_a_recheck_that_was_answered_forgets_the_refusals_before_it() -> None:
    answered = Verdict(replace(BELIEVED, result=Result.TRANSACTION_NOT_FOUND, tries=2), Outcome(Result.OK))

    assert after(answered, BELIEVED, TIMES, now=NOW, pause=0.5).tries == 0


V1 = Promises(late_bets_refused=True)
NO_CANCEL = replace(V1, has_cancel=False)
NO_STATUS = replace(V1, has_status=False)
NEITHER = replace(NO_CANCEL, has_status=False)
ONCE = replace(V1, repeats=Repeats.UNPROTECTED)
ONCE_NEITHER = replace(NEITHER, repeats=Repeats.UNPROTECTED)
LOST_WIN = replace(WIN, movement_unresolved_since=900.0)
MADE_OWED = replace(OWED, movement=Movement.CONFIRMED)


@pytest.mark.parametrize(
    ("row", "promises", "action"),
    [
        # A win that may have been made is sent again only to a wallet that makes it once.
        (LOST_WIN, replace(V1, repeats=Repeats.REPLAYED), Action.REDELIVER),
        (LOST_WIN, ONCE, Action.ASK),
        (LOST_WIN, ONCE_NEITHER, Action.LEAVE),
        (WIN, ONCE_NEITHER, Action.REDELIVER),
        # A bet is given up by the wallet's cancel, or undone once it is certain that it was made.
        (WRITTEN_OFF, NEITHER, Action.ABANDON),
        (BET, ONCE, Action.ABANDON),
        (BET, NO_CANCEL, Action.ASK),
        (BET, NEITHER, Action.LEAVE),
        (replace(BET, told_at=NOW), NEITHER, Action.WAIT),
        (replace(WRITTEN_OFF, amount=0), NEITHER, Action.SETTLE),
        # A cancel.
        (MADE_OWED, NEITHER, Action.CANCEL),
        (OWED, NEITHER, Action.SETTLE),
        (replace(OWED, movement_unresolved_since=995.0), NO_CANCEL, Action.ASK),
        (replace(MADE_OWED, cancel_unresolved=True), V1, Action.CANCEL),
        (replace(MADE_OWED, cancel_unresolved=True), ONCE, Action.ASK),
        (replace(MADE_OWED, cancel_unresolved=True), ONCE_NEITHER, Action.LEAVE),
        (
            replace(OWED, movement_unresolved_since=995.0),
            replace(NO_STATUS, late_bets_refused=False, checks=V1.checks - {42}),
            Action.WAIT,
        ),
        # What was believed on time alone.
        (BELIEVED, NO_CANCEL, Action.ASK),
        (BELIEVED, NEITHER, Action.LEAVE),
        (BELIEVED, ONCE, Action.RECHECK),
        (replace(BELIEVED, cancel_unresolved=True), ONCE, Action.ASK),
    ],
)
def test_the_next_step_is_one_that_the_wallet_can_take(row: Row, promises: Promises, action: Action) -> None:
    assert plan(row, ALONE, TIMES, ALL, now=NOW, promises=promises).action is action


def test_a_bet_that_is_given_up_is_cancelled_before_it_is_asked_for() -> None:
    """So that what is found to have landed is taken back, whatever happens next."""
    taken = take(BET, plan(BET, ALONE, TIMES, ALL, now=NOW, promises=NO_CANCEL), now=NOW, seconds=1)
    assert (taken.cancel, taken.cancel_by_provider, taken.call) == (CancelState.OWED, False, None)

    asked = take(LOST_WIN, plan(LOST_WIN, ALONE, TIMES, ALL, now=NOW, promises=ONCE), now=NOW, seconds=1)
    assert asked == replace(LOST_WIN, round_cancelled=False)


@pytest.mark.parametrize(
    ("row", "state"), [(OWED, CancelState.NOT_FOUND), (replace(MADE_OWED, amount=0), CancelState.DONE)]
)
def test_what_needs_no_call_is_settled_by_the_journal(row: Row, state: CancelState) -> None:
    taken = take(row, plan(row, ALONE, TIMES, ALL, now=NOW, promises=NEITHER), now=NOW, seconds=1)

    assert (taken.cancel, taken.call, taken.is_open) == (state, None, False)

"""What may be sent and what may be answered, rule by rule, from rows alone."""

from dataclasses import replace

import pytest
from tests.helpers.callbacks import body, make_callback

from walletbridge.callbacks import Bet, Cancel, Win, decode
from walletbridge.errors import OutcomeUnknown
from walletbridge.journal import rules
from walletbridge.journal.row import CancelState, Kind, Movement, Row, Told
from walletbridge.journal.rules import Look, Promises, Step, Times
from walletbridge.outcomes import Outcome, Result, TransactionState

NOW = 100.0
TIMES = Times(settle_after=10, abandon_after=60, redeliver_for=1000, recheck_after=(60, 600), tries_max=3)
REMEMBERS, FORGETS = Promises(late_bets_refused=True), Promises(late_bets_refused=False)
SENT, NOT_SENT = OutcomeUnknown("no answer", sent=True), OutcomeUnknown("no connection", sent=False)
OK, REPEATED = Outcome(Result.OK, 5), Outcome(Result.ALREADY_PROCESSED, 5)
NOT_FOUND, FAILED = Outcome(Result.TRANSACTION_NOT_FOUND, 5), Outcome(Result.FAILED, 5)
INSUFFICIENT, INACTIVE = Outcome(Result.BALANCE_INSUFFICIENT, 5), Outcome(Result.PLAYER_INACTIVE)
STANDS = Outcome(Result.OK, 5, TransactionState.OK)


def callback(command: str, **data: object) -> Bet | Win | Cancel:
    decoded = decode(body(make_callback(command, **data)), currency_decimals=2)
    assert isinstance(decoded, Bet | Win | Cancel)
    return decoded


def look(row: Row | None, command: str, *, promises: Promises = REMEMBERS, other: Row | None = None) -> Look:
    wanted = callback(command)
    if isinstance(wanted, Cancel):
        return rules.look_cancel(row, other, wanted, now=NOW, seconds=2)
    return rules.look_movement(row, other, wanted, promises, now=NOW, seconds=2)


def row_of(command: str) -> Row:
    """The row that a first look of the command makes."""
    row = look(None, command).row
    assert row is not None
    return row


BET, WIN, CANCEL = row_of("bet"), row_of("win"), row_of("cancel")
UNRESOLVED = replace(BET, call=None, movement_unresolved_since=90.0)
MADE = replace(BET, call=None, movement=Movement.CONFIRMED, told=Told.YES, sends=1)
WRITTEN_OFF = replace(MADE, told=Told.NOTHING)
REFUSED = replace(BET, call=None, movement=Movement.REFUSED, told=Told.REFUSED, sends=1)
OWED = replace(UNRESOLVED, cancel=CancelState.OWED, cancel_by_provider=True)
DONE = replace(MADE, cancel=CancelState.DONE, cancel_by_provider=True)
GONE = replace(UNRESOLVED, movement_unresolved_since=None, cancel=CancelState.NOT_FOUND, cancel_by_provider=True)


@pytest.mark.parametrize(
    ("row", "command", "step"),
    [
        # Nothing is known.
        (None, "bet", Step.SEND),
        (None, "win", Step.SEND),
        (None, "cancel", Step.SEND),
        # A bet is sent again only where its sender cannot have written it off.
        (UNRESOLVED, "bet", Step.UNKNOWN),
        (WRITTEN_OFF, "bet", Step.UNKNOWN),
        (replace(MADE, told=Told.MAYBE), "bet", Step.UNKNOWN),
        (MADE, "bet", Step.SEND),
        (REFUSED, "bet", Step.SEND),
        # A win is sent until it is made.
        (replace(WIN, call=None), "win", Step.SEND),
        (replace(WIN, call=None, movement_unresolved_since=90.0), "win", Step.SEND),
        # A call that was cut off is unresolved.
        (BET, "bet", Step.UNKNOWN),
        (WIN, "win", Step.SEND),
        # No bet or win passes a cancel that is not settled.
        (OWED, "bet", Step.UNKNOWN),
        (replace(CANCEL, call=None), "bet", Step.UNKNOWN),
        (CANCEL, "win", Step.UNKNOWN),
        # After 0 the wallet says that it is a repeat; after 42 it is 99.
        (DONE, "bet", Step.SEND),
        (GONE, "bet", Step.FAILED),
        # After the resolver's own cancel a bet is 41 only to a sender that had been told that it was made.
        (replace(DONE, cancel_by_provider=False), "bet", Step.SEND),
        (replace(DONE, cancel_by_provider=False, told=Told.NOTHING), "bet", Step.UNKNOWN),
        (replace(DONE, cancel_by_provider=False, told=Told.REFUSED), "bet", Step.UNKNOWN),
        (replace(DONE, told=Told.NOTHING), "bet", Step.SEND),
        # A cancel is always sent.
        (UNRESOLVED, "cancel", Step.SEND),
        (MADE, "cancel", Step.SEND),
        (OWED, "cancel", Step.SEND),
        (DONE, "cancel", Step.SEND),
        (GONE, "cancel", Step.SEND),
        # Another kind under the same id is a conflict.
        (MADE, "win", Step.REPEATED),
        (UNRESOLVED, "win", Step.UNKNOWN),
    ],
)
def test_what_may_be_sent(row: Row | None, command: str, step: Step) -> None:
    assert look(row, command).step is step


def test_a_look_that_sends_says_so_in_the_row() -> None:
    """The intent: what is known if nothing else is ever written."""
    assert (BET.call, BET.call_ends_at, BET.amount, BET.round_id) == (Kind.BET, NOW + 2, 100000, "818395446")
    assert (CANCEL.call, CANCEL.cancel, CANCEL.kind) == (Kind.CANCEL, CancelState.OWED, None)


@pytest.mark.parametrize("command", ["bet", "win", "cancel"])
def test_a_number_of_another_account_is_a_conflict(command: str) -> None:
    found = look(None, command, other=replace(MADE, account="somebody"))

    assert found.is_conflict
    assert found.row == replace(MADE, account="somebody", conflicts=1)
    assert found.step is (Step.UNKNOWN if command == "cancel" else Step.REPEATED)


def test_a_wallet_that_reports_no_repeats_is_not_asked_for_one() -> None:
    promises = Promises(late_bets_refused=True, repeats_reported=False)

    assert look(DONE, "bet", promises=promises).step is Step.REPEATED
    assert look(MADE, "bet", promises=promises).step is Step.REPEATED


@pytest.mark.parametrize(
    ("row", "step"),
    [(None, Step.SEND), (MADE, Step.SEND), (REFUSED, Step.SEND), (DONE, Step.SEND), (GONE, Step.SEND)]
    + [(row, Step.UNKNOWN) for row in (UNRESOLVED, WRITTEN_OFF, OWED, BET, CANCEL, replace(WIN, call=None))],
)
def test_a_status_is_not_asked_while_something_is_open(row: Row | None, step: Step) -> None:
    assert rules.look_status(row).step is step


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
    row: Row, end: rules.End, answer: Outcome | None, movement: Movement, *, is_open: bool
) -> None:
    verdict = rules.end_movement(row, end, now=NOW)

    assert (verdict.answer, verdict.row.movement, verdict.row.call) == (answer, movement, None)
    assert verdict.row.is_open is is_open


@pytest.mark.parametrize(
    ("row", "end", "promises", "answer", "state"),
    [
        (CANCEL, OK, REMEMBERS, OK, CancelState.DONE),
        (CANCEL, SENT, REMEMBERS, None, CancelState.OWED),
        (CANCEL, NOT_SENT, REMEMBERS, None, CancelState.OWED),
        (CANCEL, FAILED, REMEMBERS, FAILED, CancelState.OWED),
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
    row: Row, end: rules.End, promises: Promises, answer: Outcome | None, state: CancelState
) -> None:
    verdict = rules.end_cancel(replace(row, call=Kind.CANCEL), end, promises, TIMES, now=NOW, for_provider=True)

    assert (verdict.answer, verdict.row.cancel, verdict.row.call) == (answer, state, None)


def test_what_was_believed_on_time_alone_is_asked_again() -> None:
    row = replace(OWED, call=Kind.CANCEL, movement_unresolved_since=80.0)
    verdict = rules.end_cancel(row, NOT_FOUND, FORGETS, TIMES, now=NOW, for_provider=True)

    assert (verdict.row.rechecks_left, verdict.row.next_try_at) == (2, NOW + 60)


@pytest.mark.parametrize(("sent", "told"), [(True, Told.YES), (False, Told.NOTHING)])
def test_whether_an_answer_went_out_is_kept(*, sent: bool, told: Told) -> None:
    made = rules.end_movement(BET, OK, now=NOW).row
    bet = callback("bet")
    assert isinstance(bet, Bet)

    assert made.told is Told.MAYBE
    assert rules.delivered(made, bet, sent=sent).told is told
    assert rules.delivered(MADE, bet, sent=False).told is Told.YES


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (BET, replace(BET, call=None, movement_unresolved_since=NOW + 2, told_at=NOW + 2)),
        (CANCEL, replace(CANCEL, call=None, cancel_unresolved=True, told_at=NOW + 2)),
        (replace(MADE, call=Kind.BET, call_ends_at=NOW), replace(MADE, call_ends_at=NOW, told_at=NOW)),
        (MADE, MADE),
    ],
)
def test_a_call_that_was_cut_off_ended_at_its_deadline(row: Row, expected: Row) -> None:
    assert rules.absorb(row) == expected


def test_a_status_that_was_answered_ok_counts_as_belief() -> None:
    maybe = replace(MADE, told=Told.MAYBE)
    verdict = rules.end_status(maybe, STANDS)

    assert verdict is not None
    assert verdict.row.status_said_ok
    assert rules.end_status(MADE, STANDS) is None
    assert rules.end_status(None, STANDS) is None
    assert rules.end_status(maybe, Outcome(Result.OK, 5, TransactionState.CANCELED)) is None


def test_a_status_that_finds_what_was_cancelled_is_no_answer() -> None:
    """The bet landed after its cancel was answered 42: it is taken back, and nobody is told that it stands."""
    verdict = rules.end_status(GONE, STANDS)

    assert verdict is not None
    assert (verdict.answer, verdict.row.cancel, verdict.row.is_open) == (None, CancelState.OWED, True)


def test_a_person_looks_at_a_repeat_that_was_refused_until_it_is_answered() -> None:
    refused = rules.end_movement(replace(MADE, call=Kind.BET), INACTIVE, now=NOW).row
    assert refused.for_human == "it was made, but a repeat was answered 22"

    assert rules.end_movement(replace(refused, call=Kind.BET), REPEATED, now=NOW).row.for_human == ""


def test_the_answer_to_a_conflict_says_nothing_of_the_row() -> None:
    maybe = replace(MADE, told=Told.MAYBE)
    for other in (callback("bet", amount=7), callback("win")):
        assert isinstance(other, Bet | Win)
        for sent in (True, False):
            assert rules.delivered(maybe, other, sent=sent) == maybe


@pytest.mark.parametrize("command", ["bet", "win"])
def test_a_refusal_that_did_not_go_out_leaves_everything_as_if_nothing_had_been_answered(command: str) -> None:
    """A bet is written off then, and a win is owed."""
    wanted = callback(command)
    assert isinstance(wanted, Bet | Win)
    refused = rules.end_movement(row_of(command), FAILED, now=NOW).row
    assert rules.delivered(refused, wanted, sent=True) == refused

    unheard = rules.delivered(refused, wanted, sent=False)
    assert (unheard.told, unheard.movement) == (Told.NOTHING, Movement.NONE)
    assert unheard.is_win_owed is (command == "win")
    assert look(unheard, command).step is (Step.SEND if command == "win" else Step.UNKNOWN)


def not_sent(row: Row | None, command: str, *, other: Row | None = None, **data: object) -> Row:
    return rules.not_sent(row, other, callback(command, **data), now=NOW)


def test_what_was_not_sent_has_its_row_all_the_same() -> None:
    new = not_sent(None, "win")

    assert (new.kind, new.call, new.told_at, new.is_win_owed) == (Kind.WIN, None, NOW, True)
    assert not not_sent(None, "bet").is_open
    assert not_sent(None, "cancel").cancel is CancelState.OWED
    assert not_sent(MADE, "bet") == replace(MADE, created_at=NOW, told_at=NOW)


def test_a_cancel_that_was_not_sent_stops_the_call_that_is_at_work() -> None:
    row = not_sent(BET, "cancel")

    assert (row.call, row.cancel, row.cancel_by_provider) == (Kind.BET, CancelState.OWED, True)
    assert not_sent(DONE, "cancel").cancel is CancelState.DONE


def test_a_win_that_was_refused_and_then_not_sent_is_owed() -> None:
    refused = replace(REFUSED, kind=Kind.WIN)

    assert not_sent(refused, "win").is_win_owed
    assert not not_sent(REFUSED, "bet").is_open


def test_a_conflict_that_was_not_sent_is_counted_and_changes_nothing() -> None:
    refused = replace(REFUSED, kind=Kind.WIN)

    assert not_sent(refused, "win", amount=7) == replace(refused, conflicts=1)
    assert not_sent(refused, "bet") == replace(refused, conflicts=1)
    assert not_sent(None, "win", other=replace(MADE, account="x")) == replace(MADE, account="x", conflicts=1)


def test_a_row_at_rest_that_is_used_again_is_as_old_as_that() -> None:
    """Its times may be of another boot, and lie in the future."""
    old = replace(REFUSED, created_at=9e6, told_at=9e6, next_try_at=9e6, tries=2)
    row = look(old, "bet").row

    assert row is not None
    assert (row.created_at, row.told_at, row.next_try_at, row.tries) == (NOW, None, None, 0)
    assert rules.absorb(row).told_at == NOW + 2


def test_a_row_that_is_open_or_asked_again_keeps_its_age() -> None:
    for old in (replace(WIN, call=None, tries=2), replace(GONE, rechecks_left=1)):
        row = look(replace(old, created_at=5.0, next_try_at=150.0), "win" if old.kind is Kind.WIN else "bet").row

        assert row is not None
        assert (row.created_at, row.next_try_at) == (5.0, 150.0)


def test_a_cancel_of_the_provider_ends_all_doubt() -> None:
    """It wants the transaction undone: the resolver may see to that, whatever it had left to a person before."""
    left = replace(MADE, told=Told.MAYBE, for_human="nobody knows", tries=3, next_try_at=9e6)
    for row in (look(left, "cancel").row, not_sent(left, "cancel")):
        assert row is not None
        assert (row.cancel, row.for_human, row.tries, row.next_try_at) == (CancelState.OWED, "", 0, None)

    contradicted = replace(left, cancel=CancelState.OWED)
    assert not_sent(contradicted, "cancel").for_human == "nobody knows"


@pytest.mark.parametrize("row", [CANCEL, replace(GONE, rechecks_left=2)])
def test_a_refusal_settles_no_cancel_and_counts_as_a_try(row: Row) -> None:
    for end in (FAILED, INACTIVE):
        verdict = rules.end_cancel(row, end, FORGETS, TIMES, now=NOW, for_provider=False)

        assert (verdict.row.cancel, verdict.row.tries) == (row.cancel, 1)


@pytest.mark.parametrize("is_unresolved", [True, False])
def test_a_refusal_settles_no_win_and_counts_as_a_try(*, is_unresolved: bool) -> None:
    row = replace(WIN, movement_unresolved_since=90.0 if is_unresolved else None)
    verdict = rules.end_movement(row, FAILED, now=NOW, for_provider=False)

    assert (verdict.row.movement, verdict.row.tries, verdict.row.is_open) == (Movement.NONE, 1, True)


def test_a_persons_own_cancel_is_not_the_providers() -> None:
    """So a repeat of the bet is not answered as if its sender knew of the cancel."""
    wanted = callback("cancel")
    assert isinstance(wanted, Cancel)
    row = rules.look_cancel(MADE, None, wanted, now=NOW, seconds=2, is_providers=False).row

    assert row is not None
    assert (row.cancel, row.cancel_by_provider) == (CancelState.OWED, False)


def test_a_persons_own_question_does_not_make_the_provider_believe() -> None:
    assert rules.end_status(WRITTEN_OFF, STANDS, for_provider=False) is None
    # What landed late is taken back all the same.
    verdict = rules.end_status(GONE, STANDS, for_provider=False)
    assert verdict is not None
    assert verdict.row.cancel is CancelState.OWED

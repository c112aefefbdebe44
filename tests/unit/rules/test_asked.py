"""What the wallet's status says of a row that is in doubt."""

import pytest
from msgspec.structs import replace

from walletbridge.protocol.errors import OutcomeUnknown
from walletbridge.protocol.outcomes import Outcome, Result, TransactionState
from walletbridge.rules.asked import end_question
from walletbridge.rules.decisions import Times
from walletbridge.rules.row import CancelState, Kind, Movement, Row

NOW = 100.0
TIMES = Times(settle_after=10, abandon_after=60, redeliver_for=1000, recheck_after=(60, 600), give_up_after=300)
STANDS = Outcome(Result.OK, None, TransactionState.OK)
CANCELED = Outcome(Result.OK, None, TransactionState.CANCELED)
UNKNOWN = Outcome(Result.TRANSACTION_NOT_FOUND, None)

BASE = Row(account="test1234", trans_id="1", kind=Kind.BET, amount=1000, request="{}", call_ends_at=95.0)
IN_DOUBT = replace(BASE, movement_unresolved_since=95.0, cancel=CancelState.OWED)
CERTAIN = replace(IN_DOUBT, movement_unresolved_since=90.0)
STRAY = replace(BASE, kind=None, amount=None, cancel=CancelState.OWED)
WIN = replace(BASE, kind=Kind.WIN, movement_unresolved_since=90.0)
MADE = replace(BASE, movement=Movement.CONFIRMED, cancel=CancelState.OWED)
TRIED = replace(MADE, cancel_unresolved=True)
BELIEVED = replace(BASE, cancel=CancelState.NOT_FOUND, rechecks_left=2)


@pytest.mark.parametrize(
    ("row", "end", "movement", "state"),
    [
        # A yes settles at once what was in doubt; what is owed can be undone then.
        (IN_DOUBT, STANDS, Movement.CONFIRMED, CancelState.OWED),
        (WIN, STANDS, Movement.CONFIRMED, CancelState.NONE),
        (STRAY, STANDS, Movement.CONFIRMED, CancelState.OWED),
        (IN_DOUBT, CANCELED, Movement.CONFIRMED, CancelState.DONE),
        (TRIED, CANCELED, Movement.CONFIRMED, CancelState.DONE),
        # It landed after its cancel was answered.
        (BELIEVED, STANDS, Movement.CONFIRMED, CancelState.OWED),
        # A no is believed where nothing was sent, or once it must have landed.
        (STRAY, UNKNOWN, Movement.NONE, CancelState.NOT_FOUND),
        (CERTAIN, UNKNOWN, Movement.NONE, CancelState.NOT_FOUND),
        (BELIEVED, UNKNOWN, Movement.NONE, CancelState.NOT_FOUND),
    ],
)
def test_what_an_answer_settles(row: Row, end: Outcome, movement: Movement, state: CancelState) -> None:
    verdict = end_question(row, end, TIMES, now=NOW)

    assert verdict.answer is end
    assert (verdict.row.movement, verdict.row.cancel, verdict.row.is_unresolved) == (movement, state, False)
    assert not verdict.row.for_human


@pytest.mark.parametrize(
    ("row", "end"),
    [(IN_DOUBT, UNKNOWN), (replace(WIN, movement_unresolved_since=90.1), UNKNOWN), (TRIED, UNKNOWN), (TRIED, STANDS)],
)
def test_a_no_proves_nothing_while_a_call_may_still_land(row: Row, end: Outcome) -> None:
    row = row if row.movement is Movement.NONE or end is STANDS else replace(row, movement=Movement.NONE)
    verdict = end_question(row, end, TIMES, now=NOW)

    assert (verdict.answer, verdict.ask_again) == (None, True)
    assert (verdict.row.cancel, verdict.row.is_unresolved) == (row.cancel, row.is_unresolved)
    assert not verdict.row.for_human


def test_what_is_believed_on_time_alone_is_asked_again() -> None:
    row = end_question(CERTAIN, UNKNOWN, TIMES, now=NOW).row
    assert (row.rechecks_left, row.next_try_at) == (2, NOW + 60)

    stray = end_question(STRAY, UNKNOWN, TIMES, now=NOW).row
    assert (stray.rechecks_left, stray.next_try_at) == (0, None)


@pytest.mark.parametrize(
    ("row", "end", "reason"),
    [
        (WIN, UNKNOWN, "gets it only once"),
        (MADE, UNKNOWN, "that it had confirmed"),
        (WIN, CANCELED, "nobody has sent a cancel"),
        (replace(TRIED, call_ends_at=90.0), STANDS, "sent once"),
    ],
)
def test_what_contradicts_or_cannot_be_sent_again_is_a_persons(row: Row, end: Outcome, reason: str) -> None:
    verdict = end_question(row, end, TIMES, now=NOW)

    assert verdict.answer is None
    assert reason in verdict.row.for_human
    assert verdict.row.is_listed


def test_an_unanswered_question_changes_nothing_and_a_refused_one_counts() -> None:
    unanswered = end_question(IN_DOUBT, OutcomeUnknown("no answer", sent=True), TIMES, now=NOW)
    assert (unanswered.row, unanswered.answer, unanswered.reason) == (IN_DOUBT, None, "no answer")

    refused = end_question(IN_DOUBT, Outcome(Result.PLAYER_NOT_FOUND), TIMES, now=NOW)
    assert refused.answer is None
    assert (refused.row.tries, refused.row.cancel, refused.row.is_unresolved) == (1, CancelState.OWED, True)

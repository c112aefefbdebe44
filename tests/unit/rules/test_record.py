"""What the journal says of a transaction where the wallet does not."""

import pytest
from msgspec.structs import replace

from walletbridge.protocol.outcomes import Outcome, Result, TransactionState
from walletbridge.rules.decisions import Step
from walletbridge.rules.promises import Promises
from walletbridge.rules.record import end_status, look_status, look_status_unwritten
from walletbridge.rules.row import CancelState, Kind, Movement, Row, Told

V1 = Promises(late_bets_refused=True)
NO_STATUS = replace(V1, has_status=False)
NO_CANCEL = replace(V1, has_cancel=False)
NEITHER = replace(NO_STATUS, has_cancel=False)

BASE = Row(account="test1234", trans_id="1", kind=Kind.BET, amount=1000, request="{}")
MADE = replace(BASE, movement=Movement.CONFIRMED, told=Told.YES)
REFUSED = replace(BASE, movement=Movement.REFUSED, told=Told.REFUSED)
DONE = replace(MADE, cancel=CancelState.DONE)
GONE = replace(BASE, cancel=CancelState.NOT_FOUND)
STANDS = Outcome(Result.OK, None, TransactionState.OK)
CANCELED = Outcome(Result.OK, None, TransactionState.CANCELED)
UNKNOWN = Outcome(Result.TRANSACTION_NOT_FOUND, None)


@pytest.mark.parametrize(
    ("row", "promises", "told"),
    [
        (None, NO_STATUS, UNKNOWN),
        (MADE, NO_STATUS, STANDS),
        (DONE, NO_STATUS, CANCELED),
        (GONE, NO_STATUS, UNKNOWN),
        (REFUSED, NEITHER, UNKNOWN),
        (BASE, NEITHER, UNKNOWN),
        # The wallet's status knows nothing of the opposite movement.
        (DONE, NO_CANCEL, CANCELED),
    ],
)
def test_what_the_journal_says(row: Row | None, promises: Promises, told: Outcome) -> None:
    look = look_status(row, promises)

    assert (look.step, look.told) == (Step.TOLD, told)
    assert look.row == row


@pytest.mark.parametrize(
    ("row", "promises"),
    [(row, V1) for row in (None, MADE, DONE, GONE, REFUSED)] + [(row, NO_CANCEL) for row in (None, MADE, GONE)],
)
def test_what_the_wallet_knows_it_is_asked(row: Row | None, promises: Promises) -> None:
    look = look_status(row, promises)

    assert (look.step, look.told) == (Step.SEND, None)


@pytest.mark.parametrize("promises", [V1, NO_STATUS, NO_CANCEL, NEITHER])
@pytest.mark.parametrize(
    "row",
    [
        replace(BASE, movement_unresolved_since=1.0),
        replace(MADE, cancel=CancelState.OWED),
        replace(MADE, told=Told.NOTHING),
        replace(BASE, call=Kind.BET),
    ],
)
def test_what_is_open_is_500(row: Row, promises: Promises) -> None:
    look = look_status(row, promises)

    assert (look.step, look.told) == (Step.UNKNOWN, None)


def test_an_ok_from_the_journal_is_noted_where_nothing_else_may_have_told_it() -> None:
    maybe = replace(MADE, told=Told.MAYBE)
    look = look_status(maybe, NO_STATUS)

    assert look.told == STANDS
    assert look.row is not None
    assert look.row.status_said_ok
    # Where that cannot be written, it must not go out.
    assert look_status_unwritten(maybe, NO_STATUS).step is Step.UNKNOWN
    assert look_status_unwritten(look.row, NO_STATUS).told == look_status_unwritten(MADE, NO_STATUS).told == STANDS
    assert look_status_unwritten(maybe, V1).step is Step.SEND
    assert look_status_unwritten(None, NO_STATUS).told == UNKNOWN


@pytest.mark.parametrize(("promises", "movement"), [(V1, Movement.NONE), (NO_CANCEL, Movement.CONFIRMED)])
def test_what_landed_after_its_cancel_is_owed_and_can_be_undone(promises: Promises, movement: Movement) -> None:
    verdict = end_status(GONE, STANDS, promises)

    assert verdict is not None
    assert (verdict.answer, verdict.row.cancel, verdict.row.movement) == (None, CancelState.OWED, movement)
    assert end_status(DONE, CANCELED, promises) is None
    assert end_status(MADE, STANDS, promises) is None

"""How a cancel is settled where the wallet's own cancel does not do it."""

import pytest
from msgspec.structs import replace
from tests.support.callbacks import body, make_callback

from walletbridge.protocol.callbacks import Cancel, Command, Undo, decode
from walletbridge.rules import before_call
from walletbridge.rules.by_hand import decide
from walletbridge.rules.cancel_strategy import Way, as_sent, certain_at, look_cancel, way
from walletbridge.rules.decisions import Look, Step, Times
from walletbridge.rules.promises import Promises, Repeats
from walletbridge.rules.row import CancelState, Kind, Movement, Row, Told
from walletbridge.rules.words import Word, with_word

NOW = 100.0
TIMES = Times(settle_after=10, abandon_after=60, redeliver_for=1000, recheck_after=(60,), give_up_after=300)
V1 = Promises(late_bets_refused=True)
NO_CANCEL = replace(V1, has_cancel=False)
NEITHER = replace(NO_CANCEL, has_status=False)
ONCE = replace(V1, repeats=Repeats.UNPROTECTED)
UNCHECKED = replace(V1, late_bets_refused=False, checks=V1.checks - {42})

BASE = Row(account="test1234", trans_id="1676358190", kind=Kind.BET, amount=1000, request="{}", created_at=50.0)
STRAY = replace(BASE, kind=None, amount=None)
MADE = replace(BASE, movement=Movement.CONFIRMED, told=Told.YES)
REFUSED = replace(BASE, movement=Movement.REFUSED, told=Told.REFUSED)
UNRESOLVED = replace(BASE, movement_unresolved_since=95.0)
CERTAIN = replace(BASE, movement_unresolved_since=90.0)
TRIED = replace(MADE, cancel=CancelState.OWED, cancel_unresolved=True)


def cancel() -> Cancel:
    decoded = decode(body(make_callback("cancel")), currency_decimals=2)
    assert isinstance(decoded, Cancel)
    return decoded


def look(found: Row | None, promises: Promises, *, other: Row | None = None) -> Look:
    return look_cancel(found, other, cancel(), promises, TIMES, now=NOW, seconds=2)


@pytest.mark.parametrize(
    ("row", "promises", "chosen"),
    [
        # The wallet has a cancel, and says what it does not know.
        (UNRESOLVED, V1, Way.SEND),
        (STRAY, V1, Way.SEND),
        (TRIED, V1, Way.SEND),
        # Sent once, with an unknown outcome: never again.
        (TRIED, ONCE, Way.ASK),
        (TRIED, replace(V1, cancels_repeat_safely=False), Way.ASK),
        (TRIED, replace(ONCE, has_status=False), Way.LEAVE),
        # The status of what was undone knows nothing of that.
        (TRIED, replace(ONCE, has_cancel=False), Way.LEAVE),
        (TRIED, NO_CANCEL, Way.SEND),
        # Only what was certainly made is undone.
        (MADE, NO_CANCEL, Way.SEND),
        (MADE, NEITHER, Way.SEND),
        (replace(MADE, amount=0), NEITHER, Way.NOTHING_MOVED),
        (replace(MADE, kind=None, amount=None), NO_CANCEL, Way.LEAVE),
        (UNRESOLVED, NO_CANCEL, Way.ASK),
        (UNRESOLVED, NEITHER, Way.LEAVE),
        (CERTAIN, NEITHER, Way.LEAVE),
        (BASE, NO_CANCEL, Way.NOT_MADE),
        (REFUSED, NEITHER, Way.NOT_MADE),
        # What the journal does not know the wallet may.
        (STRAY, NO_CANCEL, Way.ASK),
        (STRAY, NEITHER, Way.NOT_MADE),
        # A cancel that is answered 0 whatever the wallet knows.
        (MADE, UNCHECKED, Way.SEND),
        (REFUSED, UNCHECKED, Way.NOT_MADE),
        (UNRESOLVED, UNCHECKED, Way.ASK),
        (UNRESOLVED, replace(UNCHECKED, late_bets_refused=True), Way.SEND),
        (UNRESOLVED, replace(UNCHECKED, has_status=False), Way.WAIT),
        (CERTAIN, replace(UNCHECKED, has_status=False), Way.SEND),
    ],
)
def test_what_settles_a_cancel(row: Row, promises: Promises, chosen: Way) -> None:
    assert way(row, promises, TIMES, now=NOW) is chosen


def test_it_is_certain_once_what_was_sent_must_have_landed() -> None:
    assert certain_at(UNRESOLVED, TIMES) == 105.0


@pytest.mark.parametrize(
    ("row", "promises", "step", "state"),
    [
        (None, V1, Step.SEND, CancelState.OWED),
        (None, NO_CANCEL, Step.ASK, CancelState.OWED),
        (None, NEITHER, Step.NOT_FOUND, CancelState.NOT_FOUND),
        (REFUSED, NEITHER, Step.NOT_FOUND, CancelState.NOT_FOUND),
        (MADE, NEITHER, Step.SEND, CancelState.OWED),
        (replace(MADE, amount=0), NEITHER, Step.CANCELLED, CancelState.DONE),
        (UNRESOLVED, NEITHER, Step.UNKNOWN, CancelState.OWED),
        # Cancelling what is cancelled changes nothing and succeeds.
        (replace(MADE, cancel=CancelState.DONE), V1, Step.SEND, CancelState.DONE),
        (replace(MADE, cancel=CancelState.DONE), NO_CANCEL, Step.CANCELLED, CancelState.DONE),
        (replace(MADE, cancel=CancelState.DONE), ONCE, Step.CANCELLED, CancelState.DONE),
        (replace(BASE, cancel=CancelState.NOT_FOUND), V1, Step.SEND, CancelState.NOT_FOUND),
        (replace(BASE, cancel=CancelState.NOT_FOUND), NO_CANCEL, Step.NOT_FOUND, CancelState.NOT_FOUND),
        (replace(BASE, cancel=CancelState.NOT_FOUND), ONCE, Step.NOT_FOUND, CancelState.NOT_FOUND),
        # A call that was cut off.
        (replace(BASE, call=Kind.BET, call_ends_at=99.0), NEITHER, Step.UNKNOWN, CancelState.OWED),
        (replace(MADE, call=Kind.CANCEL, call_ends_at=99.0), ONCE, Step.ASK, CancelState.OWED),
    ],
)
def test_what_a_cancel_may_do(row: Row | None, promises: Promises, step: Step, state: CancelState) -> None:
    looked = look(row, promises)

    assert looked.row is not None
    assert (looked.step, looked.row.cancel, looked.row.cancel_by_provider) == (step, state, True)
    assert (looked.row.call is Kind.CANCEL) is (step is Step.SEND)


@pytest.mark.parametrize("promises", [V1, NO_CANCEL, NEITHER])
def test_the_late_bet_of_a_cancel_is_refused_from_the_journal(promises: Promises) -> None:
    row = look(None, NEITHER).row
    bet = decode(body(make_callback("bet")), currency_decimals=2)

    looked = before_call.look_movement(row, None, bet, promises, now=NOW, seconds=2)  # type: ignore[arg-type]
    assert looked.step is Step.FAILED


@pytest.mark.parametrize("promises", [V1, NEITHER])
def test_a_cancel_of_another_accounts_transaction_is_42(promises: Promises) -> None:
    looked = look(None, promises, other=replace(MADE, account="somebody"))

    assert (looked.step, looked.is_conflict) == (Step.NOT_FOUND, True)


SAID = Word(decision="cancelled", name="anna", at=0, reason="")


@pytest.mark.parametrize("state", [CancelState.DONE, CancelState.NOT_FOUND])
@pytest.mark.parametrize("promises", [NO_CANCEL, NEITHER, ONCE])
def test_what_a_person_called_cancelled_is_not_0_to_the_providers_cancel(
    state: CancelState, promises: Promises
) -> None:
    """Nobody has undone it on the provider's behalf: it goes to a person once more, whose next word is believed."""
    row = with_word(replace(MADE, cancel=state), SAID)
    first = look(row, promises)

    assert (first.step, first.row is not None and first.row.for_human) == (
        Step.UNKNOWN,
        "a person called it cancelled before its cancel came",
    )
    assert first.row is not None
    again = decide(first.row, SAID)
    assert look(again, promises).step in {Step.CANCELLED, Step.NOT_FOUND}


def test_a_wallet_that_can_be_asked_has_the_last_word_over_a_persons() -> None:
    assert look(with_word(replace(MADE, cancel=CancelState.DONE), SAID), V1).step is Step.SEND


def test_a_cancel_that_was_refused_is_tried_anew_when_it_comes_again() -> None:
    looked = look(replace(STRAY, cancel=CancelState.REFUSED), V1)

    assert looked.row is not None
    assert (looked.step, looked.row.cancel) == (Step.SEND, CancelState.OWED)


@pytest.mark.parametrize("kind", [Kind.BET, Kind.WIN])
def test_the_opposite_movement_has_the_amount_and_the_account_of_the_row(kind: Kind) -> None:
    undo = as_sent(replace(MADE, kind=kind), cancel(), NO_CANCEL)

    assert isinstance(undo, Undo)
    assert (undo.undone, undo.amount, undo.account, undo.trans_key) == (Command(kind), 1000, "test1234", "1676358190")
    assert (undo.command, undo.checks) == (Command.CANCEL, (21, 22, 42))
    assert as_sent(MADE, cancel(), V1) == cancel()

"""What may be sent, rule by rule, from rows alone."""

import pytest
from msgspec.structs import replace
from tests.support.rows import (
    BET,
    CANCEL,
    DONE,
    FAILED,
    GONE,
    INACTIVE,
    INSUFFICIENT,
    MADE,
    NOW,
    OWED,
    REFUSED,
    UNRESOLVED,
    WIN,
    WRITTEN_OFF,
    callback,
    look,
)

from walletbridge.protocol.callbacks import Cancel
from walletbridge.protocol.outcomes import Outcome, Result
from walletbridge.rules import before_call, decisions
from walletbridge.rules.decisions import Step
from walletbridge.rules.promises import Promises, Repeats
from walletbridge.rules.row import CancelState, Kind, Movement, Row, Told
from walletbridge.rules.words import Word, with_word

_PAID = replace(WIN, call=None, movement=Movement.CONFIRMED, told=Told.YES)
APPLIED = with_word(_PAID, Word(decision="applied", name="anna", at=0, reason=""))
FORCED = with_word(_PAID, Word(decision="applied", name="anna", at=0, reason="", is_forced=True))


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
        # A bet that was refused is a double: what was heard of the first stands.
        (REFUSED, "bet", Step.TOLD),
        (replace(REFUSED, kind=Kind.WIN), "win", Step.SEND),
        (replace(CANCEL, call=None, cancel=CancelState.REFUSED), "bet", Step.FAILED),
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
    assert found.step is (Step.NOT_FOUND if command == "cancel" else Step.REPEATED)


def test_a_wallet_that_reports_no_repeats_is_not_asked_for_one() -> None:
    promises = Promises(late_bets_refused=True, repeats=Repeats.REPLAYED)

    assert look(DONE, "bet", promises=promises).step is Step.REPEATED
    assert look(MADE, "bet", promises=promises).step is Step.REPEATED


@pytest.mark.parametrize(
    ("row", "step"),
    [(None, Step.SEND), (MADE, Step.SEND), (REFUSED, Step.SEND), (DONE, Step.SEND), (GONE, Step.SEND)]
    + [(row, Step.UNKNOWN) for row in (UNRESOLVED, WRITTEN_OFF, OWED, BET, CANCEL, replace(WIN, call=None))],
)
def test_a_status_is_not_asked_while_something_is_open(row: Row | None, step: Step) -> None:
    assert before_call.look_status(row).step is step


def not_sent(row: Row | None, command: str, *, other: Row | None = None, **data: object) -> Row:
    return before_call.not_sent(row, other, callback(command, **data), now=NOW)


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
    old = replace(REFUSED, kind=Kind.WIN, created_at=9e6, told_at=9e6, next_try_at=9e6, tries=2)
    row = look(old, "win").row

    assert row is not None
    assert (row.created_at, row.told_at, row.next_try_at, row.tries) == (NOW, None, None, 0)
    assert decisions.absorb(row).told_at == NOW + 2


@pytest.mark.parametrize("refusal", [INSUFFICIENT, FAILED, INACTIVE])
def test_a_bet_that_was_refused_is_refused_in_the_same_way_again(refusal: Outcome) -> None:
    """However much the player has by now: the provider plays on as if there were no such bet."""
    refused = replace(REFUSED, result=refusal.result)

    assert look(refused, "bet").told == Outcome(refusal.result, None)


def test_a_status_of_another_accounts_transaction_is_42() -> None:
    assert before_call.look_status(None, replace(MADE, account="somebody")).told == Outcome(
        Result.TRANSACTION_NOT_FOUND, None
    )


def test_what_a_person_called_made_by_force_is_listed_when_it_comes_again() -> None:
    found = look(FORCED, "win", promises=Promises(late_bets_refused=True, repeats=Repeats.UNPROTECTED))

    assert found.row is not None
    assert (found.row.for_human, found.row.word) == ("a person called it made, and it comes again", "")


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


@pytest.mark.parametrize(
    ("row", "command", "repeats", "step"),
    [
        # Nothing was ever made, or it is certain that it was not.
        (None, "bet", Repeats.UNPROTECTED, Step.SEND),
        (None, "win", Repeats.UNPROTECTED, Step.SEND),
        (REFUSED, "bet", Repeats.UNPROTECTED, Step.TOLD),
        # A person called it made against the wallet's word: it is asked for where that is safe.
        (FORCED, "win", Repeats.REPLAYED, Step.SEND),
        (FORCED, "win", Repeats.UNPROTECTED, Step.UNKNOWN),
        (FORCED, "win", Repeats.REPORTED, Step.SEND),
        (APPLIED, "win", Repeats.UNPROTECTED, Step.REPEATED),
        (replace(WIN, call=None), "win", Repeats.UNPROTECTED, Step.SEND),
        # What may have been made is sent again only where that cannot move money.
        (replace(WIN, call=None, movement_unresolved_since=90.0), "win", Repeats.UNPROTECTED, Step.UNKNOWN),
        (replace(WIN, call=None, movement_unresolved_since=90.0), "win", Repeats.REPLAYED, Step.SEND),
        (WIN, "win", Repeats.UNPROTECTED, Step.UNKNOWN),
        (replace(REFUSED, movement_unresolved_since=90.0), "bet", Repeats.UNPROTECTED, Step.UNKNOWN),
        # What was made is the journal's to tell.
        (MADE, "bet", Repeats.UNPROTECTED, Step.REPEATED),
        (MADE, "bet", Repeats.REPLAYED, Step.REPEATED),
        (WRITTEN_OFF, "bet", Repeats.REPLAYED, Step.UNKNOWN),
        (DONE, "bet", Repeats.UNPROTECTED, Step.REPEATED),
        (GONE, "bet", Repeats.UNPROTECTED, Step.FAILED),
        (DONE, "bet", Repeats.REPORTED, Step.SEND),
    ],
)
def test_a_wallet_that_tells_no_repeats_is_sent_a_movement_once(
    row: Row | None, command: str, repeats: Repeats, step: Step
) -> None:
    assert look(row, command, promises=Promises(late_bets_refused=True, repeats=repeats)).step is step


def test_what_the_wallet_may_not_know_is_not_sent_after_its_cancel() -> None:
    """A wallet that answers 0 to any cancel, and forgets it, would make it now."""
    promises = Promises(late_bets_refused=False, checks=frozenset({21, 22, 31, 41}))
    done = replace(DONE, movement=Movement.NONE)

    assert look(done, "bet", promises=promises).step is Step.REPEATED
    assert look(done, "bet").step is Step.SEND
    assert look(DONE, "bet", promises=promises).step is Step.SEND


def test_a_persons_own_cancel_is_not_the_providers() -> None:
    """So a repeat of the bet is not answered as if its sender knew of the cancel."""
    wanted = callback("cancel")
    assert isinstance(wanted, Cancel)
    row = before_call.look_cancel(MADE, None, wanted, now=NOW, seconds=2, is_providers=False).row

    assert row is not None
    assert (row.cancel, row.cancel_by_provider) == (CancelState.OWED, False)


@pytest.mark.parametrize("told", [Told.YES, Told.MAYBE, Told.NOTHING])
def test_a_win_that_comes_again_was_not_known_to_be_heard(told: Told) -> None:
    paid = replace(_PAID, told=told)
    expected = Told.MAYBE if told is Told.YES else told
    sent = look(paid, "win").row
    unsent = before_call.not_sent(paid, None, callback("win"), now=NOW)

    assert sent is not None
    assert (sent.told, unsent.told) == (expected, expected)


def test_a_bet_that_comes_again_says_nothing_of_the_first() -> None:
    sent = look(MADE, "bet").row

    assert sent is not None
    assert sent.told is Told.YES

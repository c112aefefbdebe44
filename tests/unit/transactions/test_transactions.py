"""One caller at a time, the intent on disk before the wallet is called, the outcome on disk before the answer."""

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from tests.support.fake_wallet import OK, Held
from tests.support.money import NOT_SENT, SENT, TIMES, House, house

from walletbridge.journal.port import Busy, Change, Found
from walletbridge.observe.trace import Trace
from walletbridge.protocol.callbacks import Command, Status, Undo
from walletbridge.protocol.outcomes import Outcome, Result, TransactionState
from walletbridge.rules.promises import Promises, Repeats
from walletbridge.rules.row import CancelState, Movement, Told

REPEATED = Outcome(Result.ALREADY_PROCESSED, 5)
NOT_FOUND = Outcome(Result.TRANSACTION_NOT_FOUND, 5)
REFUSED = Outcome(Result.BALANCE_INSUFFICIENT, 5)
FAILED = Outcome(Result.FAILED, 5)
STANDS = Outcome(Result.OK, 5, TransactionState.OK)
NO_BALANCE = Outcome(Result.OK, None)
INACTIVE = Outcome(Result.PLAYER_INACTIVE)
V1 = Promises(late_bets_refused=True)
REPLAYED = replace(V1, repeats=Repeats.REPLAYED)
NEITHER = replace(V1, has_cancel=False, has_status=False)
NO_CANCEL = replace(V1, has_cancel=False)
UNPROTECTED = replace(NEITHER, repeats=Repeats.UNPROTECTED)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


@pytest.mark.parametrize("command", ["bet", "win", "cancel"])
async def test_the_intent_is_on_disk_while_the_wallet_is_called(path: Path, command: str) -> None:
    async with house(path) as one, house(path) as other:
        held = Held()
        one.script(held)
        call = asyncio.ensure_future(one.send(command))
        await held.arrived.wait()

        row = await other.journal.look("test1234", "1676358190", _row_of, seconds=0)
        assert (await other.rows()) == {}
        assert isinstance(row, Busy)
        held.release()
        assert await call == "OK"


@pytest.mark.parametrize("end", [SENT, NOT_SENT])
@pytest.mark.parametrize("command", ["bet", "win", "cancel"])
async def test_every_movement_and_cancel_has_its_row(path: Path, command: str, end: Exception) -> None:
    async with house(path) as one:
        one.script(end)
        assert await one.send(command) == str(end)

        rows = await one.rows()
    is_open = command != "bet" or end is SENT
    assert list(rows) == (["1676358190"] if is_open else [])


async def test_a_bet_that_nobody_answered_is_not_sent_again(path: Path) -> None:
    async with house(path) as one:
        one.script(SENT, OK)
        await one.send("bet")

        assert "nothing but 500" in await one.send("bet")
        assert one.commands == ["bet"]
        assert "not settled" in await one.send("status")


async def test_a_bet_that_was_answered_is_41(path: Path) -> None:
    async with house(path) as one:
        one.script(OK, REPEATED)
        assert [await one.send("bet"), await one.send("bet")] == ["OK", "ALREADY_PROCESSED"]


@pytest.mark.parametrize("sent", [False, None])
async def test_a_bet_whose_answer_may_not_have_gone_out_is_500(path: Path, *, sent: bool | None) -> None:
    async with house(path) as one:
        one.script(OK)
        await one.send("bet", sent=sent)

        assert "nothing but 500" in await one.send("bet")


async def test_a_refusal_speaks_for_its_own_call(path: Path) -> None:
    async with house(path) as one:
        one.script(SENT, FAILED, OK)
        await one.send("win")

        assert "earlier call is unresolved" in await one.send("win")
        assert (await one.rows())["1676358190"].is_open
        assert await one.send("win") == "OK"
        assert await one.rows() == {}


async def test_a_refused_bet_is_refused_again_with_the_balance_of_now(path: Path) -> None:
    """The provider never sends a bet twice, so it is a double, and what was heard of the first stands."""
    async with house(path) as one:
        one.script(REFUSED, Outcome(Result.OK, 10**6))
        assert [await one.send("bet"), await one.send("bet")] == ["BALANCE_INSUFFICIENT", "BALANCE_INSUFFICIENT"]
        assert one.commands == ["bet", "balance"]


async def test_a_bet_of_a_player_who_may_not_play_is_refused_again_without_a_question(path: Path) -> None:
    async with house(path) as one:
        one.script(INACTIVE)
        assert [await one.send("bet"), await one.send("bet")] == ["PLAYER_INACTIVE", "PLAYER_INACTIVE"]
        assert one.commands == ["bet"]


async def test_a_refused_win_may_be_sent_again(path: Path) -> None:
    async with house(path) as one:
        one.script(FAILED, OK)
        assert [await one.send("win"), await one.send("win")] == ["FAILED", "OK"]


@pytest.mark.parametrize("data", [{"amount": 7}, {"account": "somebody"}])
async def test_another_callback_of_the_same_number_is_a_conflict(path: Path, data: dict[str, Any]) -> None:
    async with house(path) as one:
        one.script(OK)
        await one.send("bet")

        assert await one.send("bet", **data) == "ALREADY_PROCESSED"
        assert one.commands == ["bet", "balance"]
        assert [event for event, _ in one.events] == ["conflict: this trans_id stands for something else"]


async def test_a_conflict_with_something_open_is_500(path: Path) -> None:
    async with house(path) as one:
        one.script(SENT)
        await one.send("bet")

        assert await one.send("win") == "another callback has used this trans_id"
        assert one.commands == ["bet"]


@pytest.mark.parametrize("end", [OK, SENT, REFUSED])
@pytest.mark.parametrize("promises", [None, NEITHER])
async def test_a_cancel_or_status_of_another_accounts_transaction_is_42(
    path: Path, end: Outcome | Exception, promises: Promises | None
) -> None:
    """Whatever became of it there. PROTOCOL: Checks."""
    async with house(path, promises=promises) as one:
        one.script(end)
        await one.send("bet")
        one.script(OK)

        assert await one.send("cancel", account="somebody") == "TRANSACTION_NOT_FOUND"
        assert await one.send("status", account="somebody") == "TRANSACTION_NOT_FOUND"
        assert one.commands == ["balance", "balance"]
        one.script(INACTIVE)
        assert await one.send("cancel", account="somebody") == "PLAYER_INACTIVE"
        found = await one.journal.look("test1234", "1676358190", _peek, seconds=0)
        assert isinstance(found, Found)
        assert found.row is not None
        assert found.row.cancel is CancelState.NONE


async def test_a_cancel_of_another_account_that_comes_first_keeps_nobody_from_playing(path: Path) -> None:
    async with house(path) as one:
        one.script(NOT_FOUND, OK, OK)
        assert await one.send("cancel", account="somebody") == "TRANSACTION_NOT_FOUND"
        assert await one.send("bet") == "OK"
        assert await one.send("cancel") == "OK"


async def test_no_bet_passes_an_unsettled_cancel(path: Path) -> None:
    async with house(path) as one:
        one.script(SENT, NOT_FOUND, OK)
        await one.send("cancel")
        assert "not settled" in await one.send("bet")
        assert await one.send("cancel") == "TRANSACTION_NOT_FOUND"

        assert await one.send("bet") == "FAILED"
        assert one.commands == ["cancel", "cancel", "balance"]


async def test_after_a_cancel_that_was_made_a_repeat_is_41(path: Path) -> None:
    async with house(path) as one:
        one.script(OK, OK, REPEATED)
        assert [await one.send(command) for command in ("bet", "cancel", "bet")] == ["OK", "OK", "ALREADY_PROCESSED"]


async def test_a_wallet_that_forgets_is_believed_only_after_a_while(path: Path) -> None:
    """The cancel holds its answer and asks again; what it is told last is its answer."""
    async with house(path, late_bets_refused=False) as one:
        one.script(SENT, NOT_FOUND, OK)
        await one.send("bet")

        assert await one.send("cancel") == "OK"
        assert one.commands == ["bet", "cancel", "cancel"]


async def test_what_was_believed_on_time_alone_is_asked_again_later(path: Path) -> None:
    async with house(path, late_bets_refused=False) as one:
        one.script(SENT, NOT_FOUND)
        await one.send("bet")
        await asyncio.sleep(TIMES.settle_after)

        assert await one.send("cancel") == "TRANSACTION_NOT_FOUND"
        assert (await one.rows())["1676358190"].rechecks_left == len(TIMES.recheck_after)


async def test_a_42_for_what_was_confirmed_is_not_believed(path: Path) -> None:
    async with house(path) as one:
        one.script(OK, NOT_FOUND)
        await one.send("bet")

        assert "had confirmed" in await one.send("cancel")
        assert (await one.rows())["1676358190"].for_human


async def test_a_status_says_what_the_wallet_says(path: Path) -> None:
    async with house(path) as one:
        one.script(OK, STANDS)
        await one.send("bet")

        assert await one.send("status") == "OK"
        assert await one.rows() == {}


async def test_a_status_that_was_answered_ok_is_kept_with_a_bet_that_was_not(path: Path) -> None:
    async with house(path) as one:
        one.script(OK, STANDS)
        await one.send("bet", sent=None)
        await one.send("status")

        row = (await one.rows())["1676358190"]
        assert (row.told, row.status_said_ok) == (Told.MAYBE, True)


async def test_a_conflict_that_is_not_answered_does_not_unsay_the_answer_to_the_bet(path: Path) -> None:
    async with house(path) as one:
        one.script(OK)
        await one.send("bet", sent=None)
        assert await one.send("bet", amount=7, sent=False) == "ALREADY_PROCESSED"

        assert (await one.rows())["1676358190"].told is Told.MAYBE


async def test_a_status_that_finds_what_was_cancelled_takes_it_back(path: Path) -> None:
    async with house(path, late_bets_refused=False) as one:
        one.script(NOT_FOUND, STANDS)
        await one.send("cancel")

        assert "after its cancel" in await one.send("status")
        assert (await one.rows())["1676358190"].cancel is CancelState.OWED


@pytest.mark.parametrize("command", ["bet", "win", "cancel"])
async def test_a_balance_that_is_missing_is_asked_for_within_the_budget(path: Path, command: str) -> None:
    async with house(path) as one:
        one.script(NO_BALANCE, OK)

        assert await one.send(command) == "OK"
        assert one.commands == [command, "balance"]
        assert await one.rows() == {}


@pytest.mark.parametrize("command", ["bet", "win", "cancel"])
async def test_what_was_made_is_recorded_though_its_balance_cannot_be_read(path: Path, command: str) -> None:
    """A bet is written off then, and whoever repeats a win or cancel hears what became of it."""
    async with house(path) as one:
        one.script(NO_BALANCE, SENT, OK if command == "cancel" else REPEATED)
        assert "the balance could not be read" in await one.send(command)

        rows = await one.rows()
        if command == "bet":
            assert (rows["1676358190"].is_written_off, rows["1676358190"].movement) == (True, Movement.CONFIRMED)
        else:
            assert [row for row in rows.values() if row.is_listed] == []
            assert await one.send(command) == ("OK" if command == "cancel" else "ALREADY_PROCESSED")


async def test_a_repeat_is_told_by_the_journal_with_the_balance_of_now(path: Path) -> None:
    async with house(path, promises=REPLAYED) as one:
        one.script(OK, Outcome(Result.OK, 7))
        assert [await one.send("win"), await one.send("win")] == ["OK", "ALREADY_PROCESSED"]

        assert one.commands == ["win", "balance"]
        assert one.wallet.calls[1].callback.checks == (21, 22)


async def test_a_check_of_the_player_comes_before_what_the_journal_knows(path: Path) -> None:
    async with house(path, promises=REPLAYED) as one:
        one.script(OK, INACTIVE)
        assert [await one.send("win"), await one.send("win")] == ["OK", "PLAYER_INACTIVE"]

        assert (await one.rows())["1676358190"].for_human == "it was made, but a repeat was answered 22"
        assert [event for event, _ in one.events] == ["left to a person"]


async def test_an_unprotected_wallet_gets_a_movement_once(path: Path) -> None:
    async with house(path, promises=UNPROTECTED) as one:
        one.script(SENT, OK)
        await one.send("win")

        assert "only once" in await one.send("win")
        assert one.commands == ["win"]
        assert (await one.rows())["1676358190"].is_open


@pytest.mark.parametrize(("command", "undone"), [("bet", Command.BET), ("win", Command.WIN)])
async def test_a_cancel_is_the_opposite_movement_and_is_made_once(path: Path, command: str, undone: Command) -> None:
    async with house(path, promises=UNPROTECTED) as one:
        assert [await one.send(name) for name in (command, "cancel", "cancel")] == ["OK", "OK", "OK"]

        assert one.commands == [command, "cancel", "balance"]
        undo = one.wallet.calls[1].callback
        assert isinstance(undo, Undo)
        assert (undo.undone, undo.amount, undo.trans_key) == (undone, 100000, "1676358190")
        assert await one.send("status") == "OK"
        assert one.commands == [command, "cancel", "balance"]


async def test_what_was_known_is_forgotten_with_a_cancel_that_needs_no_call(path: Path) -> None:
    async with house(path, promises=NEITHER) as one:
        await one.send("win", amount=0)
        question = Status(account="test1234", checks=(42,), requested_at=None, trans_id=1676358190)
        stands = await one.cache.ask(question, _stands, deadline=time.monotonic() + 9)
        assert (stands[0].state, len(one.cache)) == (TransactionState.OK, 1)

        assert await one.send("cancel") == "OK"
        assert one.commands == ["win", "balance"]
        assert len(one.cache) == 0


async def _stands() -> Outcome:
    return STANDS


async def test_a_movement_in_doubt_is_not_undone(path: Path) -> None:
    async with house(path, promises=NEITHER) as one:
        one.script(SENT, OK)
        await one.send("bet")

        assert "nobody can tell" in await one.send("cancel")
        assert one.commands == ["bet"]
        assert (await one.rows())["1676358190"].cancel is CancelState.OWED


async def test_a_movement_in_doubt_is_asked_for_and_undone_if_it_was_made(path: Path) -> None:
    async with house(path, promises=NO_CANCEL) as one:
        one.script(SENT, STANDS, OK)
        await one.send("bet")

        assert await one.send("cancel") == "OK"
        assert one.commands == ["bet", "status", "cancel"]
        assert await one.rows() == {}


async def test_a_no_is_believed_once_the_bet_must_have_landed(path: Path) -> None:
    async with house(path, promises=NO_CANCEL) as one:
        one.script(SENT, NOT_FOUND)
        await one.send("bet")
        assert await one.send("cancel", seconds=0.1) == "it may still land"
        await asyncio.sleep(TIMES.settle_after)
        one.script(NOT_FOUND, OK)

        assert await one.send("cancel") == "TRANSACTION_NOT_FOUND"
        assert one.commands == ["status", "balance"]
        assert (await one.rows())["1676358190"].rechecks_left == len(TIMES.recheck_after)


async def test_a_cancel_of_what_the_journal_does_not_know_is_42_and_refuses_a_late_bet(path: Path) -> None:
    async with house(path, promises=NEITHER) as one:
        assert [await one.send("cancel"), await one.send("bet")] == ["TRANSACTION_NOT_FOUND", "FAILED"]

        assert one.commands == ["balance", "balance"]
        assert await one.rows() == {}


async def test_a_status_is_told_by_the_journal(path: Path) -> None:
    async with house(path, promises=NEITHER) as one:
        one.script(OK, SENT)
        assert await one.send("status") == "TRANSACTION_NOT_FOUND"
        await one.send("bet", trans_id=7)
        assert "not settled" in await one.send("status", trans_id=7)

        one.script(OK)
        await one.send("bet")
        assert await one.send("status") == "OK"
        assert one.commands == ["bet"]
        assert await one.send("status", check="21,22,42") == "OK"
        assert one.commands == ["bet", "balance"]
        one.script(INACTIVE)
        assert await one.send("status", check="21,22,42") == "PLAYER_INACTIVE"


def _peek(found: Found) -> Change[Any]:
    return Change(None, takes_turn=False, value=found)


def _row_of(found: Found) -> Change[None]:
    raise AssertionError(found)


# A question does not hold the turn


@pytest.mark.parametrize("command", ["cancel", "bet", "win"])
async def test_what_moves_money_does_not_wait_for_a_status_that_hangs(path: Path, command: str) -> None:
    async with house(path) as one:
        held = Held()
        one.script(held, OK, NOT_FOUND)
        question = asyncio.ensure_future(one.send("status"))
        await held.arrived.wait()

        assert await one.send(command, seconds=0.5) == "OK"
        held.release(STANDS)
        # What was asked before says nothing of it now, so it is asked anew.
        await question
        assert one.commands == ["status", command, "status"]


async def test_the_answer_of_a_status_that_was_asked_before_its_cancel_is_dropped(path: Path) -> None:
    async with house(path) as one:
        one.script(OK)
        await one.send("bet")
        held = Held()
        one.script(held, OK, CANCELED)
        question = asyncio.ensure_future(_state_of(one))
        await held.arrived.wait()
        assert await one.send("cancel") == "OK"
        held.release(STANDS)

        assert await question is TransactionState.CANCELED


async def test_an_answer_for_which_there_is_no_time_to_ask_anew_is_500(path: Path) -> None:
    async with house(path) as one:
        held = Held()
        one.script(held, OK)
        question = asyncio.ensure_future(one.send("status", seconds=0.2))
        await held.arrived.wait()
        await one.send("bet")
        await asyncio.sleep(0.25)
        held.release(NOT_FOUND)

        assert "changed" in await question


async def test_a_status_behind_a_movement_waits_for_it(path: Path) -> None:
    async with house(path) as one:
        held = Held()
        one.script(held, STANDS)
        bet = asyncio.ensure_future(one.send("bet"))
        await held.arrived.wait()
        question = asyncio.ensure_future(one.send("status"))
        await asyncio.sleep(0)
        held.release(OK)

        assert [await bet, await question] == ["OK", "OK"]
        assert one.commands == ["bet", "status"]


async def _state_of(one: House) -> TransactionState | None:
    question = Status(account="test1234", checks=(21, 42), requested_at=None, trans_id=1676358190)
    outcome = await one.transactions.status(question, deadline=time.monotonic() + 2, trace=Trace())
    return outcome.state


# A replica that lags


CANCELED = Outcome(Result.OK, 5, TransactionState.CANCELED)


@pytest.mark.parametrize("said", [NOT_FOUND, STANDS])
async def test_the_journal_outranks_a_status_that_lags_behind_a_bet(path: Path, said: Outcome) -> None:
    async with house(path) as one:
        one.script(OK, said)
        await one.send("bet")

        assert await _state_of(one) is TransactionState.OK


@pytest.mark.parametrize("said", [NOT_FOUND, STANDS, CANCELED])
async def test_the_journal_outranks_a_status_that_lags_behind_a_cancel(path: Path, said: Outcome) -> None:
    async with house(path) as one:
        one.script(OK, OK, said)
        await one.send("bet")
        await one.send("cancel")

        assert await _state_of(one) is TransactionState.CANCELED


async def test_what_was_cancelled_in_the_wallet_by_somebody_else_is_no_contradiction(path: Path) -> None:
    async with house(path) as one:
        one.script(OK, CANCELED)
        await one.send("bet")

        assert await _state_of(one) is TransactionState.CANCELED


# Ids are opaque


@pytest.mark.parametrize("other", [" 1", "1 ", "01", "-0", "+1", "1.0", "\uff11", "\u0661"])
async def test_a_text_that_only_looks_like_an_id_is_a_transaction_of_its_own(path: Path, other: str) -> None:
    async with house(path) as one:
        one.script(OK)
        assert [await one.send("bet", trans_id=each) for each in (1, other)] == ["OK", "OK"]
        assert await one.send("bet", trans_id="1", amount=7) == "ALREADY_PROCESSED"
        assert {getattr(call.callback, "trans_key", "") for call in one.wallet.calls[:2]} == {"1", other}

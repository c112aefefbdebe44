"""What is open is settled when the wallet can settle it, and left to a person where the rules cannot decide."""

import asyncio
import dataclasses
import re
import time
from pathlib import Path

import apsw
import pytest
from msgspec.structs import replace
from tests.support.clock import FakeClock
from tests.support.fake_wallet import OK, Held
from tests.support.money import NOT_SENT, PACE, SENT, TIMES, House, house
from tests.support.waiting import until

from walletbridge.journal.port import Change, Found
from walletbridge.observe.trace import Trace
from walletbridge.protocol.callbacks import Callback, Command, Undo, Win
from walletbridge.protocol.outcomes import Outcome, Result, TransactionState
from walletbridge.rules.promises import Promises, Repeats
from walletbridge.rules.resolver_plan import Switches
from walletbridge.rules.row import CancelState, Movement
from walletbridge.transactions import resolver

REPEATED = Outcome(Result.ALREADY_PROCESSED, 5)
NOT_FOUND = Outcome(Result.TRANSACTION_NOT_FOUND, 5)
FAILED = Outcome(Result.FAILED, 5)
INACTIVE = Outcome(Result.PLAYER_INACTIVE, 5)
TRANSACTION = "1676358190"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


async def settle(one: House, *, seconds: float = 0.0) -> None:
    """Lets the resolver look at everything, after a while."""
    await asyncio.sleep(seconds)
    await one.resolver.settle_page()


@pytest.mark.parametrize("end", [SENT, NOT_SENT])
@pytest.mark.parametrize("answer", [OK, REPEATED])
async def test_an_unanswered_win_is_sent_again_with_check_41_alone(path: Path, end: Exception, answer: Outcome) -> None:
    async with house(path) as one:
        one.script(end, answer)
        await one.send("win")
        await settle(one)

        assert await one.rows() == {}
        again = one.wallet.calls[-1].callback
        assert isinstance(again, Win)
        assert (again.trans_key, again.amount, again.checks) == (TRANSACTION, 100000, (41,))


@pytest.mark.parametrize("end", [SENT, NOT_SENT])
@pytest.mark.parametrize("answer", [OK, NOT_FOUND])
async def test_an_unanswered_cancel_is_sent_again_with_check_42_alone(
    path: Path, end: Exception, answer: Outcome
) -> None:
    async with house(path) as one:
        one.script(end, answer)
        await one.send("cancel")
        await settle(one)

        assert await one.rows() == {}
        assert one.wallet.calls[-1].callback.checks == (42,)


async def test_while_the_wallet_is_away_it_is_tried_again_without_end(path: Path) -> None:
    async with house(path) as one:
        one.script(NOT_SENT)
        await one.send("win")
        for _ in range(6):
            await settle(one, seconds=PACE.pause_seconds_max)
        assert not (await one.rows())[TRANSACTION].for_human

        one.script(OK)
        one.resolver.wallet_is_back()
        await settle(one)
        assert await one.rows() == {}


@pytest.mark.parametrize(("first", "told_at"), [(NOT_SENT, [1, 2, 4, 8, 16]), (SENT, [2, 4, 8, 16])])
async def test_what_does_not_settle_is_told_of_at_growing_intervals(
    path: Path, first: Exception, told_at: list[int]
) -> None:
    """A send of the callback itself counts, and has a line of its own."""
    clock = FakeClock()
    async with house(path, clock=clock) as one:
        one.script(first, SENT)
        await one.send("win")
        for _ in range(20):
            clock.tick(PACE.pause_seconds_max)
            await one.resolver.settle_page()

        told = [fields for event, fields in one.events if event == "still not settled"]
        assert one.commands == ["win"] * 21
        assert (await one.rows())[TRANSACTION].sends == 20 + (first is SENT)
        assert [fields["sends"] for fields in told] == told_at
        assert {fields["problem"] for fields in told} == {SENT.reason}


async def test_what_did_not_reach_the_wallet_is_not_told_of(path: Path) -> None:
    clock = FakeClock()
    async with house(path, clock=clock) as one:
        one.script(NOT_SENT)
        await one.send("win")
        for _ in range(4):
            clock.tick(PACE.pause_seconds_max)
            await one.resolver.settle_page()

        assert len(one.commands) > 2
        assert [event for event, _ in one.events if event == "still not settled"] == []


async def test_it_pauses_after_a_failure_unless_the_wallet_is_back(path: Path) -> None:
    async with house(path) as one:
        one.script(NOT_SENT, NOT_SENT, OK)
        await one.send("win")
        await settle(one)
        await settle(one)
        assert one.commands == ["win", "win"]

        one.resolver.wallet_is_back()
        await settle(one)
        assert one.commands == ["win", "win", "win"]


async def test_what_the_wallet_keeps_refusing_is_left_to_a_person(path: Path) -> None:
    async with house(path) as one:
        one.script(SENT, INACTIVE)
        await one.send("win")
        for _ in range(4):
            await settle(one, seconds=PACE.pause_seconds_max)

        row = (await one.rows())[TRANSACTION]
        assert re.fullmatch(r"refused \d times in \d s", row.for_human)
        assert one.commands == ["win"] * (1 + row.tries)
        assert "left to a person" in [event for event, _ in one.events]


async def test_a_refused_cancel_of_the_provider_stays_listed(path: Path) -> None:
    async with house(path) as one:
        one.script(OK, INACTIVE, INACTIVE, OK)
        await one.send("bet")
        assert await one.send("cancel") == "PLAYER_INACTIVE"
        assert (await one.rows())[TRANSACTION].is_open

        await settle(one)
        await settle(one, seconds=PACE.pause_seconds_max)
        assert await one.rows() == {}


async def test_a_bet_that_its_sender_has_written_off_is_cancelled_in_time(path: Path) -> None:
    async with house(path) as one:
        one.script(SENT, OK)
        await one.send("bet")
        await settle(one)
        assert one.commands == ["bet"]

        await settle(one, seconds=TIMES.abandon_after)
        assert one.commands == ["bet", "cancel"]
        assert await one.rows() == {}


async def test_a_bet_that_was_made_but_not_answered_is_cancelled_as_well(path: Path) -> None:
    async with house(path) as one:
        one.script(OK)
        await one.send("bet", sent=False)
        await settle(one, seconds=TIMES.abandon_after)

        assert one.commands == ["bet", "cancel"]


async def test_a_bet_whose_answer_may_have_gone_out_is_left_to_a_person(path: Path) -> None:
    async with house(path) as one:
        one.script(OK)
        await one.send("bet", sent=None)
        await settle(one, seconds=TIMES.abandon_after)

        assert one.commands == ["bet"]
        assert "not known whether the provider was told" in (await one.rows())[TRANSACTION].for_human


async def test_a_win_of_its_round_says_that_the_provider_believes_in_a_bet(path: Path) -> None:
    async with house(path) as one:
        one.script(OK)
        await one.send("bet", sent=None)
        await one.send("win", trans_id=2)
        await settle(one, seconds=TIMES.abandon_after)

        assert await one.rows() == {}
        assert one.commands == ["bet", "win"]


async def test_a_bet_in_whose_round_a_win_came_is_not_cancelled(path: Path) -> None:
    async with house(path) as one:
        one.script(SENT, OK)
        await one.send("bet")
        await one.send("win", trans_id=2)
        await settle(one, seconds=TIMES.abandon_after)

        assert one.commands == ["bet", "win"]
        assert "a win of its round came" in (await one.rows())[TRANSACTION].for_human


async def test_a_win_is_not_sent_again_once_a_bet_of_its_round_was_cancelled(path: Path) -> None:
    async with house(path) as one:
        one.script(OK, NOT_SENT, OK)
        await one.send("bet")
        await one.send("win", trans_id=2)
        await one.send("cancel")
        await settle(one)

        assert one.commands == ["bet", "win", "cancel"]
        assert "a bet of its round was cancelled" in (await one.rows())["2"].for_human


async def test_an_unset_round_is_no_round(path: Path) -> None:
    async with house(path) as one:
        one.script(OK, NOT_SENT, OK)
        await one.send("bet", round_id=None)
        await one.send("win", trans_id=2, round_id=None)
        await one.send("cancel", round_id=None)
        await settle(one)

        assert one.commands == ["bet", "win", "cancel", "win"]


@pytest.mark.parametrize(
    ("command", "switches"),
    [("win", Switches(wins=False)), ("bet", Switches(bets=False)), ("cancel", Switches(bets=False))],
)
async def test_what_is_switched_off_waits_for_a_person(path: Path, command: str, switches: Switches) -> None:
    async with house(path, switches=switches) as one:
        one.script(SENT, OK)
        await one.send(command)
        await settle(one, seconds=TIMES.abandon_after)

        assert one.commands == [command]
        assert (await one.rows())[TRANSACTION].is_open


async def test_what_landed_after_its_cancel_was_believed_is_cancelled_then(path: Path) -> None:
    async with house(path, late_bets_refused=False) as one:
        one.script(SENT, NOT_FOUND, NOT_FOUND, OK)
        await one.send("bet")
        await asyncio.sleep(TIMES.settle_after)
        await one.send("cancel")
        await settle(one)
        assert one.commands == ["bet", "cancel"]

        await settle(one, seconds=TIMES.recheck_after[0])
        await settle(one, seconds=TIMES.recheck_after[1])
        assert one.commands == ["bet", "cancel", "cancel", "cancel"]
        assert await one.rows() == {}
        assert "a transaction landed after its cancel, and was cancelled now" in [event for event, _ in one.events]


async def test_it_never_calls_while_a_callback_has_the_turn(path: Path) -> None:
    async with house(path) as one:
        one.script(SENT)
        await one.send("win")
        held = Held()
        one.script(held)
        callback = asyncio.ensure_future(one.send("win"))
        await held.arrived.wait()
        await settle(one)
        assert one.commands == ["win"]

        held.release()
        assert await callback == "OK"


async def test_a_call_that_was_cut_off_is_settled_after_a_restart(path: Path) -> None:
    async with house(path) as one:
        held = Held()
        one.script(held)
        win = asyncio.ensure_future(one.send("win"))
        await held.arrived.wait()
        await one.journal.close()
        held.release()
        await win
    async with house(path) as later:
        later.script(REPEATED)
        for _ in range(300):
            await settle(later, seconds=0.02)
            if later.commands:
                break

        assert later.commands == ["win"]
        assert await later.rows() == {}


async def test_nothing_is_sent_if_the_intent_took_too_long_to_be_written(path: Path) -> None:
    """By then the turn may be another worker's."""
    other = apsw.Connection(str(path))
    async with house(path) as one:
        one.script(NOT_SENT, OK)
        await one.send("win")
        [(_, row)] = await one.journal.to_look_at(after=0, limit=1)
        other.execute("BEGIN IMMEDIATE")
        settling = asyncio.ensure_future(one.resolver.settle(row))
        await asyncio.sleep(PACE.call_seconds)
        other.execute("ROLLBACK")

        assert not await settling
        assert one.commands == ["win"]
        await settle(one, seconds=PACE.pause_seconds_max)
        assert one.commands == ["win", "win"]
    other.close()


async def test_a_row_that_cannot_be_settled_is_left_to_a_person_and_keeps_nobody_waiting(path: Path) -> None:
    def broken(found: Found) -> Change[None]:
        return Change(found.row and replace(found.row, request="{"), takes_turn=False, value=None)

    async with house(path) as one:
        one.script(NOT_SENT, NOT_SENT, OK)
        await one.send("win", trans_id=1)
        await one.send("win", trans_id=2)
        await one.journal.note("test1234", "1", broken)
        await settle(one)

        rows = await one.rows()
        assert list(rows) == ["1"]
        assert rows["1"].for_human.startswith("a fault of the gateway: JSONDecodeError")
        assert [event for event, _ in one.events] == ["left to a person", "settled"]


async def test_when_the_wallet_is_back_it_goes_through_all_pages_without_a_rest(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resolver, "PAGE_ROWS", 2)
    async with house(path) as one:
        one.script(*[OK] * 4, NOT_SENT, OK)
        for number in range(4):
            await one.send("bet", trans_id=number, sent=None)
        await one.send("win", trans_id=9)
        assert [await one.resolver.settle_page() for _ in range(2)] == [False, False]

        one.resolver.wallet_is_back()
        # On from where it was, and once round.
        assert [await one.resolver.settle_page() for _ in range(3)] == [True, True, False]
        assert one.commands[-2:] == ["win", "win"]
        assert not await one.resolver.settle_page()


# Fair by kind and by age, and callbacks first


class OneHangs:
    """A wallet that never answers one command; `calls` are those that reached it."""

    def __init__(self, command: Command) -> None:
        self._command = command
        self.calls: list[Callback] = []
        self.hanging = 0
        self.most = 0

    async def call(self, callback: Callback, *, deadline: float, trace: Trace) -> Outcome:
        self.calls.append(callback)
        trace.tries += 1
        if callback.command is not self._command:
            await asyncio.sleep(0)
            return OK
        self.hanging += 1
        self.most = max(self.most, self.hanging)
        try:
            await asyncio.sleep(deadline - time.monotonic())
        finally:
            self.hanging -= 1
        raise SENT


async def owed(one: House, **counts: int) -> None:
    """So many transactions of each command that nobody could answer, in this order."""
    one.script(NOT_SENT)
    for command, count in counts.items():
        for number in range(count):
            await one.send(command, trans_id=f"{command} {number}", round_id=f"{command} {number}")


async def test_cancels_that_hang_hold_up_no_win(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """More of them than a page has, and before them all; and the wallet comes and goes all the while."""
    monkeypatch.setattr(resolver, "PAGE_ROWS", 5)
    async with house(path) as one:
        await owed(one, cancel=12, win=6)
        wallet = OneHangs(Command.CANCEL)
        one.resolver._wallet = wallet
        running = asyncio.ensure_future(one.resolver.run())

        async def flap() -> None:
            while True:
                one.resolver.wallet_is_back()
                await asyncio.sleep(0.02)

        flapping = asyncio.ensure_future(flap())
        await until(lambda: sum(isinstance(call, Win) for call in wallet.calls) == 6)
        assert wallet.most == 1
        flapping.cancel()
        one.resolver.stop()
        await running
        assert {row.kind for row in (await one.rows()).values()} == {None}


async def test_each_command_has_the_time_that_a_callback_with_it_has(path: Path) -> None:
    async with house(path) as one:
        one.resolver._pace = dataclasses.replace(PACE, budgets={Command.WIN: 1.5, Command.CANCEL: 0.5})
        await owed(one, win=1, cancel=1)
        one.script(OK)
        begun = time.monotonic()
        await settle(one)

        left = {call.callback.command: call.deadline - begun for call in one.wallet.calls}
        assert left == {Command.WIN: pytest.approx(1.5, abs=0.3), Command.CANCEL: pytest.approx(0.5, abs=0.3)}


async def test_while_callbacks_have_no_answer_it_makes_one_call_at_a_time(path: Path) -> None:
    async with house(path) as one:
        await owed(one, win=30)
        one.resolver._trouble_at = time.monotonic
        held = Held()
        one.script(held)
        settling = asyncio.ensure_future(one.resolver.settle_page())
        await held.arrived.wait()
        await asyncio.sleep(0.05)
        assert one.commands == ["win"]

        held.release()
        await settling
        assert one.commands == ["win"] * 30


async def test_stopped_it_leaves_what_it_has_not_begun(path: Path) -> None:
    async with house(path) as one:
        await owed(one, win=10)
        held = Held()
        one.script(held)
        running = asyncio.ensure_future(one.resolver.run())
        await held.arrived.wait()
        one.resolver.stop()
        held.release()
        await running

        assert one.commands == ["win"]
        assert len(await one.rows()) == 9


async def test_without_a_disk_it_waits(tmp_path: Path) -> None:
    async with house(tmp_path / "nowhere" / "journal.db") as one:
        running = asyncio.ensure_future(one.resolver.run())
        await asyncio.sleep(0.05)
        assert not running.done()

        one.resolver.stop()
        await running


async def test_what_is_confirmed_and_cancelled_is_at_rest(path: Path) -> None:
    async with house(path) as one:
        await one.send("bet")
        await one.send("cancel")
        await settle(one, seconds=TIMES.abandon_after)

        assert one.commands == ["bet", "cancel"]
        found = await one.journal.look("test1234", TRANSACTION, _states, seconds=0)
        assert found == (Movement.CONFIRMED, CancelState.DONE)


def _states(found: Found) -> Change[tuple[Movement, CancelState] | None]:
    row = found.row
    return Change(None, takes_turn=False, value=(row.movement, row.cancel) if row else None)


STANDS = Outcome(Result.OK, None, TransactionState.OK)
ONCE = Promises(late_bets_refused=True, repeats=Repeats.UNPROTECTED)
NO_CANCEL = Promises(late_bets_refused=False, has_cancel=False)


async def test_what_may_not_be_sent_twice_is_asked_for(path: Path) -> None:
    async with house(path, promises=ONCE) as one:
        one.script(SENT, STANDS)
        await one.send("win")
        await settle(one)

        assert one.commands == ["win", "status"]
        assert await one.rows() == {}
        assert one.events[-1][0] == "settled"


@pytest.mark.parametrize("has_status", [True, False])
async def test_what_may_not_be_sent_twice_is_a_persons_where_the_wallet_cannot_tell(
    path: Path, *, has_status: bool
) -> None:
    async with house(path, promises=replace(ONCE, has_status=has_status)) as one:
        one.script(SENT, NOT_FOUND)
        await one.send("win")
        await settle(one, seconds=TIMES.settle_after)

        assert "only once" in (await one.rows())[TRANSACTION].for_human
        assert one.commands == ["win", "status"][: 1 + has_status]
        assert one.events[-1][0] == "left to a person"


async def test_a_bet_that_is_given_up_is_asked_for_and_undone(path: Path) -> None:
    async with house(path, promises=NO_CANCEL) as one:
        one.script(SENT, STANDS, OK)
        await one.send("bet")
        await settle(one, seconds=TIMES.abandon_after)
        await settle(one, seconds=PACE.pause_seconds)

        assert one.commands == ["bet", "status", "cancel"]
        undo = one.wallet.calls[-1].callback
        assert isinstance(undo, Undo)
        assert (undo.undone, undo.amount, undo.checks) == (Command.BET, 100000, (42,))
        assert await one.rows() == {}


async def test_a_bet_that_landed_after_all_is_undone(path: Path) -> None:
    async with house(path, promises=NO_CANCEL) as one:
        one.script(SENT, NOT_FOUND, STANDS, OK)
        await one.send("bet")
        await settle(one, seconds=TIMES.abandon_after)
        assert (await one.rows())[TRANSACTION].rechecks_left == len(TIMES.recheck_after)
        await settle(one, seconds=TIMES.recheck_after[0])
        await settle(one, seconds=PACE.pause_seconds)

        assert one.commands == ["bet", "status", "status", "cancel"]
        assert await one.rows() == {}


async def test_a_cancel_that_had_no_turn_is_settled_without_a_call(path: Path) -> None:
    async with house(path, promises=replace(NO_CANCEL, has_status=False)) as one:
        await one.turns.take(TRANSACTION, 0)
        assert "the budget passed" in await one.send("cancel", seconds=0.01)
        one.turns.give_back(TRANSACTION)
        assert (await one.rows())[TRANSACTION].is_open
        await settle(one)

        assert one.commands == []
        assert await one.rows() == {}


# A win of which nobody has heard, and its round


BET_ID, WIN_ID, OTHER_WIN_ID = 7, 8, 9


async def paid_unheard(one: House, *trans_ids: int) -> None:
    """Wins that the provider has given up on, and that the resolver has paid."""
    for trans_id in trans_ids:
        one.script(NOT_SENT, OK)
        await one.send("win", trans_id=trans_id)
        await settle(one)
        one.resolver.wallet_is_back()
        await settle(one)


@pytest.mark.parametrize("wins", [[WIN_ID], [WIN_ID, OTHER_WIN_ID]])
async def test_wins_that_were_paid_unheard_are_a_persons_once_their_bet_is_cancelled(
    path: Path, wins: list[int]
) -> None:
    async with house(path) as one:
        await one.send("bet", trans_id=BET_ID)
        await paid_unheard(one, *wins)
        assert await one.rows() == {}

        one.script(OK)
        assert await one.send("cancel", trans_id=BET_ID) == "OK"
        await settle(one)
        rows = await one.rows()
        assert {key: "never heard of" in row.for_human for key, row in rows.items()} == {str(key): True for key in wins}


async def test_so_are_those_that_are_still_owed(path: Path) -> None:
    async with house(path) as one:
        await one.send("bet", trans_id=BET_ID)
        one.script(NOT_SENT, OK)
        await one.send("win", trans_id=WIN_ID)
        await one.send("cancel", trans_id=BET_ID)
        await settle(one)

        assert "may no longer be owed" in (await one.rows())[str(WIN_ID)].for_human


async def test_a_cancel_while_the_resolver_pays_the_win_is_seen_as_well(path: Path) -> None:
    async with house(path) as one:
        await one.send("bet", trans_id=BET_ID)
        held = Held()
        one.script(NOT_SENT, held, OK)
        await one.send("win", trans_id=WIN_ID)
        settling = asyncio.ensure_future(settle(one))
        await held.arrived.wait()
        assert await one.send("cancel", trans_id=BET_ID) == "OK"
        held.release(OK)
        await settling
        await settle(one)

        assert "never heard of" in (await one.rows())[str(WIN_ID)].for_human


async def test_a_win_of_which_the_provider_has_heard_is_the_providers_to_cancel(path: Path) -> None:
    async with house(path) as one:
        await one.send("bet", trans_id=BET_ID)
        await one.send("win", trans_id=WIN_ID)
        await one.send("cancel", trans_id=BET_ID)
        await settle(one)

        assert await one.rows() == {}


async def test_where_the_provider_rolls_back_rounds_the_win_goes_back(path: Path) -> None:
    async with house(path, switches=Switches(rollback=True)) as one:
        await one.send("bet", trans_id=BET_ID)
        await paid_unheard(one, WIN_ID)
        one.script(OK)
        await one.send("cancel", trans_id=BET_ID)
        await settle(one)

        assert await one.rows() == {}
        assert [
            (call.callback.command.value, str(getattr(call.callback, "trans_id", ""))) for call in one.wallet.calls
        ] == [
            ("cancel", str(BET_ID)),
            ("cancel", str(WIN_ID)),
        ]


async def test_but_not_while_another_bet_of_the_round_stands(path: Path) -> None:
    async with house(path, switches=Switches(rollback=True)) as one:
        await one.send("bet", trans_id=BET_ID)
        await one.send("bet", trans_id=BET_ID + 100)
        await paid_unheard(one, WIN_ID)
        one.script(OK)
        await one.send("cancel", trans_id=BET_ID)
        await settle(one)

        assert "never heard of" in (await one.rows())[str(WIN_ID)].for_human
        assert one.commands == ["cancel"]


# A wallet that is warming up


async def test_a_cancel_that_the_wallet_refuses_for_now_is_500_and_made_later(path: Path) -> None:
    """99 would say that nothing is undone, and two seconds later it would be."""
    async with house(path) as one:
        one.script(OK, FAILED, FAILED, OK)
        await one.send("bet")
        assert "for now" in await one.send("cancel")
        for _ in range(2):
            await settle(one, seconds=PACE.pause_seconds_max)

        assert await one.rows() == {}


async def test_a_cancel_for_a_player_whom_the_wallet_does_not_know_is_no_work_for_anybody(path: Path) -> None:
    async with house(path) as one:
        one.script(Outcome(Result.PLAYER_NOT_FOUND))
        assert await one.send("cancel") == "PLAYER_NOT_FOUND"
        await settle(one)

        assert await one.rows() == {}
        assert one.commands == ["cancel"]


async def test_nor_is_it_where_nothing_but_500_went_out(path: Path) -> None:
    async with house(path) as one:
        one.script(NOT_SENT, Outcome(Result.PLAYER_NOT_FOUND))
        await one.send("cancel")
        await settle(one)

        assert await one.rows() == {}


# Whether a bet was heard of


async def test_a_win_of_its_round_shows_that_a_bet_was_heard_of_also_when_a_person_has_it(path: Path) -> None:
    async with house(path) as one:
        await one.send("bet", trans_id=BET_ID, sent=None)
        await settle(one, seconds=TIMES.abandon_after)
        assert "not known whether" in (await one.rows())[str(BET_ID)].for_human
        await one.send("win", trans_id=WIN_ID)
        # It listens at growing pauses, of which the first has not passed.
        row = (await one.rows())[str(BET_ID)]
        await one.journal.note(
            row.account, row.trans_id, lambda _: Change(replace(row, next_try_at=0.0), takes_turn=False, value=None)
        )
        await settle(one)

        assert await one.rows() == {}


async def test_so_does_a_status_that_was_answered_ok(path: Path) -> None:
    async with house(path) as one:
        one.script(OK, Outcome(Result.OK, 5, TransactionState.OK))
        await one.send("bet", sent=None)
        assert await one.send("status") == "OK"
        await settle(one)

        assert await one.rows() == {}

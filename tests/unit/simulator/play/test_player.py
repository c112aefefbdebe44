"""The provider's own behaviour: what it sends again, what it cancels, what it believes."""

import asyncio

import pytest
from tests.unit.simulator.play.test_conversation import UNIT, playing, rules
from tests.unit.simulator.wrong_handlers import Handler, RefusesLosses, Scripted

from walletbridge.protocol.callbacks import Callback, Command
from walletbridge.simulator.books.transactions import Belief
from walletbridge.simulator.plan import DEPOSIT_WAIT
from walletbridge.simulator.play.player import Player
from walletbridge.simulator.report.cases import Case


async def test_a_bet_that_is_answered_is_believed() -> None:
    async with playing(Handler()) as player:
        made = await player.bet(10 * UNIT)
        refused = await player.bet(10**9 * UNIT, Case.BET_UNCOVERED)

    assert (made.belief, made.settled) == (Belief.APPLIED, True)
    assert (refused.belief, refused.settled) == (Belief.REFUSED, True)


async def test_a_bet_is_never_sent_again_but_cancelled() -> None:
    handler = Scripted()
    async with playing(handler) as player:
        handler.script("bet", 500)
        bet = await player.bet(10 * UNIT)

    assert handler.asked == ["balance", "bet", "cancel"]
    assert (bet.belief, bet.settled) == (Belief.CANCELLED, True)
    assert rules(player) == []


@pytest.mark.parametrize(("retries", "failures", "sent"), [(3, 3, 4), (3, 9, 4), (50, 50, 51), (0, 1, 1)])
async def test_a_win_is_sent_again(retries: int, failures: int, sent: int) -> None:
    handler = Scripted()
    async with playing(handler, retries=retries) as player:
        handler.script("win", *[500] * failures)
        win = await player.win(10 * UNIT)

    answered = failures < sent
    assert handler.asked == ["balance"] + ["win"] * sent
    assert win.belief is (Belief.APPLIED if answered else Belief.GIVEN_UP)
    assert win.settled is answered
    assert player.pauses == [DEPOSIT_WAIT] * (sent - 1)
    assert rules(player) == []


@pytest.mark.parametrize(("failures", "sent", "settled"), [(3, 4, True), (9, 4, False)])
async def test_a_cancel_is_sent_again(failures: int, sent: int, settled: bool) -> None:  # noqa: FBT001 - a table
    """In the end it counts as made, but nobody said so."""
    handler = Scripted()
    async with playing(handler) as player:
        bet = await player.bet(10 * UNIT)
        handler.script("cancel", *[500] * failures)
        await player.cancel(bet, Case.CANCEL_BET)

    assert handler.asked == ["balance", "bet"] + ["cancel"] * sent
    assert (bet.belief, bet.settled) == (Belief.CANCELLED, settled)


async def test_a_cancel_that_is_refused_changes_no_belief() -> None:
    handler = Handler()
    handler.cancel = lambda callback: handler.error(99, callback)  # type: ignore[method-assign]
    async with playing(handler) as player:
        bet = await player.bet(10 * UNIT)
        await player.cancel(bet, Case.CANCEL_BET)

    assert (bet.belief, bet.settled) == (Belief.APPLIED, True)
    assert rules(player) == []


async def test_a_win_that_is_refused_is_not_sent_again() -> None:
    handler = RefusesLosses()
    async with playing(handler) as player:
        win = await player.win(0, Case.LOSS)

    assert (win.belief, win.settled) == (Belief.REFUSED, True)
    assert handler.count_of("win") == 1


async def test_a_win_on_which_it_hung_up_is_sent_again_at_once() -> None:
    handler = Handler()
    async with playing(handler) as player:
        win = await player.win(10 * UNIT, Case.HUNG_UP_WIN, hang_up=True)

    assert (win.belief, win.settled) == (Belief.APPLIED, True)
    assert handler.balances == {"test1234": 501000}
    assert player.pauses == []


async def test_a_status_is_kept() -> None:
    async with playing(Handler()) as player:
        bet = await player.bet(10 * UNIT)
        said = [bet.wallet_says]
        await player.status(bet)
        said.append(bet.wallet_says)
        await player.cancel(bet, Case.CANCEL_BET)
        await player.status(bet, Case.STATUS_CANCELED)
        said.append(bet.wallet_says)
        unknown = player.open(player.new_call(Command.BET, amount=UNIT))
        await player.status(unknown, Case.STATUS_UNKNOWN)

    assert said == [None, "OK", "CANCELED"]
    assert unknown.wallet_says == "UNKNOWN"


@pytest.mark.parametrize(("hundredths", "funded"), [(0, True), (1999, True), (2000, False), (500000, False)])
async def test_a_small_balance_is_funded_by_a_win(hundredths: int, funded: bool) -> None:  # noqa: FBT001 - a table
    handler = Handler({"test1234": hundredths})
    async with playing(handler) as player:
        await player.fund()

    assert (handler.balances["test1234"] > hundredths) is funded


@pytest.mark.parametrize("hundredths", [0, 100, 50050, 10**18])
async def test_stakes_are_small_and_whole(hundredths: int) -> None:
    async with playing(Handler({"test1234": hundredths})) as player:
        stakes = [player.stake() for _ in range(100)]

    assert all(stake % UNIT == 0 for stake in stakes)
    assert 1 <= min(stakes) // UNIT <= max(stakes) // UNIT <= max(1, min(hundredths // 2000, 1000))


class Waiting(Handler):
    """Answers nothing but `balance` before it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.reached = asyncio.Event()
        self.released = asyncio.Event()

    async def before(self, callback: Callback) -> None:
        if callback.command is not Command.BALANCE:
            self.reached.set()
            await self.released.wait()


@pytest.mark.parametrize("hang_on", ["win", "cancel"])
async def test_a_call_that_is_cut_off_is_unsettled(hang_on: str) -> None:
    """The run ends while it waits: nobody knows what becomes of the call."""
    handler = Waiting()

    async def play(player: Player) -> None:
        if hang_on == "win":
            await player.win(10 * UNIT)
        else:
            await player.cancel(player.open(player.new_call(Command.BET, amount=UNIT)), Case.CANCEL_UNKNOWN)

    async with playing(handler) as player:
        task = asyncio.create_task(play(player))
        await handler.reached.wait()
        task.cancel()
        await asyncio.wait([task])
        handler.released.set()

        (transaction,) = player.transactions
        assert (transaction.belief, transaction.settled) == (Belief.GIVEN_UP, False)
        assert player.ledger.unsettled == {transaction.call.key}


async def test_too_much_that_is_unsettled_is_asked_for_first() -> None:
    handler = Scripted()
    async with playing(handler, retries=0) as player:
        handler.script("win", *[500] * 5)
        for _ in range(5):
            await player.win(10 * UNIT)
        assert len(player.ledger.unsettled) == 5
        for line in player.transactions:
            handler.land(line.call.key, 1000)
        await player.settle_down()

    assert player.ledger.unsettled == frozenset()
    assert player.ledger.balances == (5050 * UNIT, 5050 * UNIT)
    assert rules(player) == []

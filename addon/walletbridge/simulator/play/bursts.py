"""
Plays that send one player's calls at once, as retries and live games do.
"""

from walletbridge.protocol.callbacks import Command
from walletbridge.protocol.outcomes import Result
from walletbridge.simulator.books.transactions import Belief, Transaction
from walletbridge.simulator.play.player import Player
from walletbridge.simulator.report.cases import Case
from walletbridge.simulator.report.recorder import Asked

_AT_ONCE = 4


async def same_bet(player: Player) -> None:
    """The same bet several times at once."""
    await player.fund()
    bet = player.open(player.new_call(Command.BET, amount=player.stake()))
    await player.conclude(bet, await player.at_once(Case.SAME_BET_AT_ONCE, [bet.call] * _AT_ONCE))
    await player.balance()


async def same_win(player: Player) -> None:
    """The same win several times at once."""
    win = player.open(player.new_call(Command.WIN, amount=player.stake()))
    await player.conclude(win, await player.at_once(Case.SAME_WIN_AT_ONCE, [win.call] * _AT_ONCE))
    await player.balance()


async def same_cancel(player: Player) -> None:
    """The same cancel several times at once."""
    await player.fund()
    bet = await player.bet(player.stake())
    if bet.is_applied:
        bet.doubt(Belief.GIVEN_UP)
        asked = await player.at_once(Case.SAME_CANCEL_AT_ONCE, [player.cancel_of(bet)] * _AT_ONCE)
        await _after_cancels(player, bet, asked)


async def bet_and_cancel(player: Player) -> None:
    """A bet and its cancel at once: in either order, no money may be gone."""
    await player.fund()
    bet = player.open(player.new_call(Command.BET, amount=player.stake()))
    asked = await player.at_once(Case.BET_AND_CANCEL_AT_ONCE, [bet.call, player.cancel_of(bet)])
    await _after_cancels(player, bet, asked[1:])


async def _after_cancels(player: Player, bet: Transaction, asked: list[Asked]) -> None:
    if any(one.reading.result in {Result.OK, Result.TRANSACTION_NOT_FOUND} for one in asked):
        bet.settle(Belief.CANCELLED)
    else:
        await player.cancel(bet, Case.CANCEL_RETRY)
    await player.balance()


async def bets_at_once(player: Player) -> None:
    """Two bets at once; the balance covers only one."""
    await player.fund()
    amount = (player.steps // 2 + 1) * player.step
    bets = [player.open(player.new_call(Command.BET, amount=amount)) for _ in range(2)]
    asked = await player.at_once(Case.BETS_AT_ONCE, [bet.call for bet in bets])
    for bet, answer in zip(bets, asked, strict=True):
        await player.conclude(bet, [answer])
        if bet.is_applied:
            await player.cancel(bet, Case.CANCEL_BET)
    await player.balance()


async def mixed_at_once(player: Player) -> None:
    """Different bets and wins of one account at once."""
    await player.fund()
    commands = [Command.BET, Command.WIN] * (_AT_ONCE // 2)
    opened = [player.open(player.new_call(command, amount=player.stake())) for command in commands]
    asked = await player.at_once(Case.MIXED_AT_ONCE, [one.call for one in opened])
    for transaction, answer in zip(opened, asked, strict=True):
        await player.conclude(transaction, [answer])
    await player.balance()

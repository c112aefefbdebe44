"""
Small plays of one player, one call after the other. Each leaves the account usable for the next.
"""

import time

from walletbridge.protocol.callbacks import Command
from walletbridge.protocol.outcomes import Result
from walletbridge.simulator.play.player import Player
from walletbridge.simulator.report.cases import Case
from walletbridge.simulator.wire.calls import varied

_STRING_ID_CHARACTERS = 64


async def session(player: Player) -> None:
    """Authenticate, balance, a bet and its win in one round, their status."""
    await player.authenticate()
    await player.balance()
    await player.fund()
    bet = await player.bet(player.stake())
    if bet.is_applied:
        await player.status(bet)
        win = await player.win(player.stake(), round_id=bet.call.round_id)
        if win.is_applied:
            await player.status(win)


async def loss(player: Player) -> None:
    """A lost bet."""
    await player.fund()
    bet = await player.bet(player.stake())
    if bet.is_applied:
        await player.win(0, Case.LOSS, round_id=bet.call.round_id)


async def bonus(player: Player) -> None:
    """A bonus call: a bet of 0, and a win."""
    call_id = player.random.randint(1, 10**6)
    bet = await player.bet(0, Case.BONUS_BET, call_id=call_id)
    if bet.is_applied:
        await player.win(player.stake(), Case.BONUS_WIN, call_id=call_id, round_id=bet.call.round_id)


async def bet_twice(player: Player) -> None:
    """A bet sent twice."""
    await player.fund()
    bet = await player.bet(player.stake())
    if bet.is_applied:
        await player.again(bet, Case.BET_TWICE)
        await player.balance()


async def bet_all(player: Player) -> None:
    """Bets the whole balance, so that neither the same bet again nor another is covered; then cancels it."""
    await player.fund()
    bet = await player.bet(player.steps * player.step)
    if bet.is_applied:
        await player.again(bet, Case.BET_TWICE_UNCOVERED)
        await player.bet(player.step, Case.BET_UNCOVERED)
        await player.cancel(bet, Case.CANCEL_BET)


async def bet_uncovered(player: Player) -> None:
    """A bet over the balance. It must leave no trace."""
    over = (player.ledger.balances[1] // player.step + 1) * player.step
    bet = await player.bet(over, Case.BET_UNCOVERED)
    await player.status(bet, Case.STATUS_UNKNOWN)
    await player.balance()


async def win_twice(player: Player) -> None:
    """A win sent twice."""
    win = await player.win(player.stake())
    if win.is_applied:
        await player.again(win, Case.WIN_TWICE)
        await player.balance()


async def cancel_bet(player: Player) -> None:
    """Cancels a bet twice, then sends the bet again."""
    await player.fund()
    bet = await player.bet(player.stake())
    if bet.is_applied:
        await player.cancel(bet, Case.CANCEL_BET)
        await player.status(bet, Case.STATUS_CANCELED)
        await player.cancel(bet, Case.CANCEL_TWICE)
        await player.again(bet, Case.BET_AFTER_CANCEL)
        await player.balance()


async def cancel_win(player: Player) -> None:
    """Cancels a win twice, then sends the win again."""
    win = await player.win(player.stake())
    if win.is_applied:
        await player.cancel(win, Case.CANCEL_WIN)
        await player.status(win, Case.STATUS_CANCELED)
        await player.cancel(win, Case.CANCEL_TWICE)
        await player.again(win, Case.WIN_AFTER_CANCEL)
        await player.balance()


async def overtaken(player: Player) -> None:
    """Sends the cancel of an unknown bet, and then the bet."""
    await player.fund()
    bet = player.open(player.new_call(Command.BET, amount=player.stake()))
    await player.status(bet, Case.STATUS_UNKNOWN)
    await player.cancel(bet, Case.CANCEL_UNKNOWN)
    late = await player.again(bet, Case.LATE_BET)
    if late.reading.result == Result.OK or not late.reading.known:
        await player.cancel(bet, Case.CANCEL_UNANSWERED_BET)
    await player.balance()


async def string_ids(player: Player) -> None:
    """String ids, as providers of the family send them: short, and of 64 characters."""
    await player.fund()
    bet = await player.bet(player.stake(), Case.STRING_BET, trans_id=f"wb-{player.new_id()}")
    if bet.is_applied:
        await player.again(bet, Case.BET_TWICE)
        await player.status(bet, Case.STATUS_STRING)
        await player.cancel(bet, Case.CANCEL_BET)
        await player.status(bet, Case.STATUS_STRING)
    trans_id = f"{player.new_id()}-".ljust(_STRING_ID_CHARACTERS, "x")
    win = await player.win(player.stake(), Case.STRING_WIN, trans_id=trans_id)
    if win.is_applied:
        await player.status(win, Case.STATUS_STRING)


async def varied_bodies(player: Player) -> None:
    """Callbacks in the forms of real traffic."""
    await player.fund()
    amount = player.stake()
    for call, body in varied(lambda: player.new_call(Command.BET, amount=amount), int(time.time())):
        transaction = player.open(call)
        await player.conclude(transaction, [await player.ask(Case.VARIED_BET, call, body=body)])


async def hung_up_bet(player: Player) -> None:
    """The provider hangs up on a bet and cancels it at once, while the wallet may still process it."""
    await player.fund()
    await player.bet(player.stake(), Case.HUNG_UP_BET, hang_up=True)
    await player.balance()


async def hung_up_win(player: Player) -> None:
    """The provider hangs up on a win and sends it again at once."""
    await player.win(player.stake(), Case.HUNG_UP_WIN, hang_up=True)
    await player.balance()

"""
The players: rounds of bets, wins and losses, with what else happens to a transaction in its life.
"""

import asyncio
from collections.abc import Callable
from random import Random

from tests.money.faults.beliefs import Belief, Transaction
from tests.money.faults.plan import Plan
from tests.money.faults.provider import Provider
from tests.money.faults.worlds import World

ACCOUNTS = {
    **{f"player{number}": (1_000_000, True) for number in range(6)},
    "poor": (3_000, True),
    "idle": (50_000, False),
}
"""Balance in minor units, and whether the account is active. Two of them are refused now and then."""
NOBODY = "nobody"
"""An account that the wallet does not know."""
_STAKE_MAX = 2_000
_THINK = (0.0, 0.15)
_REST = (0.0, 0.3)
_REST_OF_FEW = (0.5, 1.5)
_ROLL_BACK = (1, 20)
"""Seconds of the protocol between the last win of a round and the cancel of its bet."""
_ROLLED_BACK = 0.1
_REFUSED = frozenset({"poor", "idle", NOBODY})


def is_refused(account: str) -> bool:
    """Whether the wallet refuses some or all that is sent for it."""
    return account in _REFUSED


async def play(provider: Provider, account: str, plan: Plan, is_reachable: Callable[[], bool]) -> None:
    """
    Plays rounds until all callbacks of the plan have arrived. Where nobody can be reached, few rounds are begun.
    """
    random = Random(f"player:{plan.seed}:{account}")  # noqa: S311 - to be repeated, not to be secret
    while provider.arrived < plan.callbacks:
        await asyncio.sleep(random.uniform(*_REST_OF_FEW if account in _REFUSED else _REST))
        if is_reachable() or random.random() < 0.1:
            await _round(provider, account, random, rolls_back=World.LATE_ROLLBACK in plan.worlds)


async def _round(provider: Provider, account: str, random: Random, *, rolls_back: bool) -> None:
    bet = provider.new("bet", account, random.randrange(_STAKE_MAX))
    await provider.bet(bet)
    if bet.belief is not Belief.APPLIED:
        if random.random() < 0.1:
            await provider.status(bet)
        return
    if random.random() < 0.15:
        await provider.again(bet)
    if random.random() < 0.15:
        await provider.status(bet)
    if random.random() < 0.1:
        await provider.cancel(bet)
        if bet.cancelled_at is not None and random.random() < 0.5:
            await provider.status(bet)
            await provider.again(bet)
        return
    await _think(random)
    wins = [await _payout(provider, account, bet.round_id, random) for _ in range(random.choice([1, 1, 1, 2]))]
    if rolls_back and (random.random() < _ROLLED_BACK or any(win.belief is not Belief.APPLIED for win in wins)):
        provider.roll_back_later(bet, wins, random.uniform(*_ROLL_BACK))


async def _payout(provider: Provider, account: str, round_id: str, random: Random) -> Transaction:
    win = provider.new("win", account, random.choice([0, random.randrange(_STAKE_MAX)]), round_id)
    await provider.win(win)
    if win.belief is not Belief.APPLIED:
        return win
    if random.random() < 0.2:
        await provider.again(win)
    if random.random() < 0.15:
        await provider.cancel(win)
    if random.random() < 0.15:
        await provider.status(win)
    return win


async def _think(random: Random) -> None:
    await asyncio.sleep(random.uniform(*_THINK))

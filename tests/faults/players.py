"""
The players: rounds of bets, wins and losses, with what else happens to a transaction in its life.
"""

import asyncio
from collections.abc import Callable
from random import Random

from tests.faults.beliefs import Belief
from tests.faults.plan import Plan
from tests.faults.provider import Provider

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
_REFUSED = frozenset({"poor", "idle", NOBODY})


async def play(provider: Provider, account: str, plan: Plan, is_reachable: Callable[[], bool]) -> None:
    """
    Plays rounds until all callbacks of the plan have arrived. Where nobody can be reached, few rounds are begun.
    """
    random = Random(f"player:{plan.seed}:{account}")  # noqa: S311 - to be repeated, not to be secret
    while provider.arrived < plan.callbacks:
        await asyncio.sleep(random.uniform(*_REST_OF_FEW if account in _REFUSED else _REST))
        if is_reachable() or random.random() < 0.1:
            await _round(provider, account, random)


async def _round(provider: Provider, account: str, random: Random) -> None:
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
    for _ in range(random.choice([1, 1, 1, 2])):
        await _payout(provider, account, bet.round_id, random)


async def _payout(provider: Provider, account: str, round_id: str, random: Random) -> None:
    win = provider.new("win", account, random.choice([0, random.randrange(_STAKE_MAX)]), round_id)
    await provider.win(win)
    if win.belief is not Belief.APPLIED:
        return
    if random.random() < 0.2:
        await provider.again(win)
    if random.random() < 0.15:
        await provider.cancel(win)
    if random.random() < 0.15:
        await provider.status(win)


async def _think(random: Random) -> None:
    await asyncio.sleep(random.uniform(*_THINK))

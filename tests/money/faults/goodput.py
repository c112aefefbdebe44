"""
Whether bets are answered as usual again.
"""

import asyncio
import time

from tests.money.faults.players import ACCOUNTS
from tests.money.faults.provider import Provider

BETS = 20
GOOD = 18
"""Of so many bets that are sent one shortly after the other, so many must have a definite answer."""
GIVE_UP_SECONDS = 60.0
_BETWEEN_SECONDS = 0.01


async def until_good(provider: Provider) -> float:
    """Sends bets until most of them are answered; the seconds that this took, at most `GIVE_UP_SECONDS`."""
    started = time.monotonic()
    while True:
        began = time.monotonic()
        if await _answered(provider) >= GOOD:
            return began - started
        if time.monotonic() - started > GIVE_UP_SECONDS:
            return time.monotonic() - started


async def _answered(provider: Provider) -> int:
    players = [account for account in ACCOUNTS if account.startswith("player")]
    bets = [provider.new("bet", players[number % len(players)], 1) for number in range(BETS)]
    async with asyncio.TaskGroup() as group:
        for bet in bets:
            group.create_task(provider.bet(bet))
            await asyncio.sleep(_BETWEEN_SECONDS)
    return sum(bet.was_applied for bet in bets)

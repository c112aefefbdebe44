"""
One outage under steady traffic: wins or cancels that are owed, the wallet's return, and what follows.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from signal import SIGCONT, SIGSTOP

from tests.money.faults import ledgers
from tests.money.faults.beliefs import Transaction
from tests.money.faults.files import rows_of
from tests.money.faults.plan import Plan
from tests.money.faults.players import ACCOUNTS
from tests.money.faults.processes import START_SECONDS
from tests.money.faults.provider import LIMITS, Conduct, Provider
from tests.money.faults.run import LOOK_SECONDS, Result, conclude, until_at_rest
from tests.money.faults.system import System
from tests.support.waiting import until

from walletbridge.rules.row import Told

type Outage = Callable[[System, float], Awaitable[None]]
"""Takes the wallet away for so many seconds of the protocol; ends when it is back, in whatever state that is."""

RATE = 10.0
"""Rounds in a second, of which each is a bet and its win."""
_GOOD_SHARE = 0.9
_WINDOW_SECONDS = 1.0
_GOOD_WINDOWS = 5
"""In a row: a breaker that opens again and again lets some bets through in between."""
_WARM_SECONDS = 2.0
"""Of traffic before the outage."""
_GIVE_UP_SECONDS = 90.0
_FLAP_SECONDS = 3.0
_PLAYERS = [account for account in ACCOUNTS if account.startswith("player")]


@dataclass(frozen=True, slots=True)
class Course:
    """Seconds from the wallet's return, never scaled."""

    good_after: float
    """Until bets were answered as before."""
    wins_after: float
    """Until the wins that were owed were in the wallet, answered with a refusal, or left to a person."""
    settled_after: float
    """Until only a person had anything left to do."""


async def course(plan: Plan, folder: Path, outage: Outage, *, owed: int, seconds: float) -> tuple[Course, Result]:
    """Plays one outage with so many rows owed, and compares the books."""
    async with System(plan, folder) as system:
        conduct = Conduct(url=system.url, seed=plan.seed, scale=plan.scale)
        provider = Provider(conduct, folder / "provider.log")
        async with provider, asyncio.TaskGroup() as group:
            bets = await _bets(provider, owed)
            pulse = _Pulse(provider, plan.scale)
            beating = group.create_task(pulse.beat())
            await asyncio.sleep(_WARM_SECONDS)
            away = group.create_task(_outage(system, outage, seconds))
            owing = _cancels_and_wins if outage is _one_method else _wins
            wins = await owing(provider, group, bets, seconds / plan.scale)
            back_at = await away
            good_after, wins_after = await asyncio.gather(
                pulse.until_good(back_at), _until_applied(system, wins, back_at)
            )
            system.set_mood(hangs="")
            pulse.stop()
            await beating
        await system.calm()
        await until_at_rest(system.folder, seconds=_GIVE_UP_SECONDS)
        settled_after = time.monotonic() - back_at
        result = await conclude(system, provider)
    return Course(good_after, wins_after, settled_after), result


class _Pulse:
    """Rounds at a steady rate, whatever becomes of them."""

    def __init__(self, provider: Provider, scale: float) -> None:
        self._provider = provider
        self._limit = LIMITS["bet"] / scale
        self._stopped = False
        self._bets: list[tuple[float, Transaction]] = []

    def stop(self) -> None:
        self._stopped = True

    async def beat(self) -> None:
        async with asyncio.TaskGroup() as group:
            while not self._stopped:
                group.create_task(self._round(_PLAYERS[len(self._bets) % len(_PLAYERS)]))
                await asyncio.sleep(1 / RATE)

    async def until_good(self, back_at: float) -> float:
        """Until most bets are made for some seconds in a row; returns the seconds from `back_at` to their begin."""
        good, began = 0, back_at
        while good < _GOOD_WINDOWS and began - back_at < _GIVE_UP_SECONDS:
            await asyncio.sleep(max(0.0, began + _WINDOW_SECONDS + self._limit - time.monotonic()))
            bets = [bet for at, bet in self._bets if began <= at < began + _WINDOW_SECONDS]
            is_good = sum(bet.was_applied for bet in bets) >= _GOOD_SHARE * len(bets)
            good = good + 1 if is_good else 0
            began += _WINDOW_SECONDS
        return began - back_at - good * _WINDOW_SECONDS

    async def _round(self, account: str) -> None:
        bet = self._provider.new("bet", account, 10)
        self._bets.append((time.monotonic(), bet))
        await self._provider.bet(bet)
        if bet.was_applied:
            await self._provider.win(self._provider.new("win", account, 5, bet.round_id))


async def _bets(provider: Provider, count: int) -> list[Transaction]:
    """Bets that the provider knows to be made."""
    bets: list[Transaction] = []
    while len(bets) < count:
        some = [provider.new("bet", account, 100) for account in _PLAYERS]
        await asyncio.gather(*(provider.bet(bet) for bet in some))
        bets += [bet for bet in some if bet.was_applied]
    return bets[:count]


async def _wins(
    provider: Provider, group: asyncio.TaskGroup, bets: Sequence[Transaction], seconds: float
) -> list[Transaction]:
    """Sends the wins of the bets while the wallet is away; returns them."""
    wins = [provider.new("win", bet.account, bet.amount, bet.round_id) for bet in bets]
    for win in wins:
        group.create_task(provider.win(win))
        await asyncio.sleep(seconds / 2 / len(wins))
    return wins


async def _cancels_and_wins(
    provider: Provider, group: asyncio.TaskGroup, bets: Sequence[Transaction], seconds: float
) -> list[Transaction]:
    """Cancels most of the bets while cancels hang; sends the wins of the others, and returns these."""
    kept = max(1, len(bets) // 10)
    for bet in bets[kept:]:
        group.create_task(provider.cancel(bet))
        await asyncio.sleep(seconds / 4 / len(bets))
    return await _wins(provider, group, bets[:kept], seconds)


async def _outage(system: System, outage: Outage, seconds: float) -> float:
    await outage(system, seconds)
    return time.monotonic()


async def _until_applied(system: System, wins: Sequence[Transaction], back_at: float) -> float:
    def are_applied() -> bool:
        entries, _ = ledgers.read(system.plan, system.folder)
        missing = [win.key for win in wins if win.key not in entries]
        rows = rows_of(system.journal) if missing else {}
        return all(key in rows and (rows[key].for_human or rows[key].told is Told.REFUSED) for key in missing)

    with suppress(TimeoutError):
        await until(are_applied, seconds=_GIVE_UP_SECONDS, every=LOOK_SECONDS)
    return time.monotonic() - back_at


# The outages


async def _dead(system: System, seconds: float) -> None:
    await system.send_wallet_away(seconds / system.plan.scale)
    await until(lambda: system.wallet.is_up, seconds=START_SECONDS)


async def _hanging(system: System, seconds: float) -> None:
    system.wallet.send(SIGSTOP)
    await asyncio.sleep(seconds / system.plan.scale)
    system.wallet.send(SIGCONT)


async def _flapping(system: System, seconds: float) -> None:
    """Dead and back in turn, and in between it hangs."""
    ends_at = time.monotonic() + seconds / system.plan.scale
    while time.monotonic() < ends_at:
        await _dead(system, _FLAP_SECONDS)
        await asyncio.sleep(_FLAP_SECONDS / system.plan.scale)
        await _hanging(system, _FLAP_SECONDS)
        await asyncio.sleep(_FLAP_SECONDS / system.plan.scale)


async def _slow(system: System, seconds: float) -> None:
    """It returns slow, and stays so."""
    system.set_mood(seconds=1.2)
    await _dead(system, seconds)


async def _warming(system: System, seconds: float) -> None:
    """From its return it refuses everything for 10 s; only then is it back."""
    system.set_mood(refuses=True)
    await _dead(system, seconds)
    await asyncio.sleep(10 / system.plan.scale)
    system.set_mood(refuses=False)


async def _one_method(system: System, seconds: float) -> None:
    """Cancels hang, and go on hanging; the rest is away for half of the time, so that wins are owed."""
    system.set_mood(hangs="cancel")
    await asyncio.sleep(seconds / 4 / system.plan.scale)
    await _dead(system, seconds * 3 / 4)


OUTAGES: dict[str, Outage] = {
    "dead": _dead,
    "hanging": _hanging,
    "flapping": _flapping,
    "slow": _slow,
    "warming": _warming,
    "one method": _one_method,
}
"""By name."""

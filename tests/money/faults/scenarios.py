"""
Plays with one fault each, at the worst moment, and nothing else.

    uv run python -m tests.money.faults.scenarios crash --times 50
    uv run python -m tests.money.faults.scenarios away --seconds 60
    uv run python -m tests.money.faults.scenarios away --seconds 60 --stopped
"""

import asyncio
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random

import click
from tests.money.faults import ledgers
from tests.money.faults.beliefs import Belief, Transaction
from tests.money.faults.plan import Plan, WalletFault
from tests.money.faults.players import ACCOUNTS
from tests.money.faults.processes import START_SECONDS, Line, cancel_on_sigterm
from tests.money.faults.provider import Conduct, Provider
from tests.money.faults.report import print_result
from tests.money.faults.run import LOOK_SECONDS, Result, conclude
from tests.money.faults.system import System
from tests.support.waiting import until

RETURN_SECONDS = 10.0
"""Within which a wallet that is back must have every win that was given up meanwhile. Never scaled."""
_HOLD_SECONDS = 5.0
_DEEDS = 3
"""How many transactions each crash hits."""
_METHODS = {"bet": "PlaceBet", "win": "SettleWin", "cancel": "CancelTransaction"}
_PLAYERS = [account for account in ACCOUNTS if account.startswith("player")]

type Deed = tuple[Transaction, str]
"""A transaction, and the command that the provider sends for it."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What came of a play, in words, and the comparison of the books."""

    words: str
    result: Result


async def crash(plan: Plan, folder: Path, *, times: int) -> Scene:
    """
    The wallet makes bets, wins and cancels, and before it answers the gateway is killed, again and again. The provider
    goes on as it does, before the gateway is back or after; of two gateways the other goes on at once.
    """
    done = hit = 0
    async with System(plan, folder) as system:
        provider = Provider(_conduct(system), folder / "provider.log")
        held = _Held(system)
        random = Random(plan.seed)  # noqa: S311 - to be repeated, not to be secret
        async with provider, asyncio.TaskGroup() as group:
            while done < times:
                deeds = [await _prepare(provider, random) for _ in range(_DEEDS)]
                await held.hold()
                for deed in deeds:
                    group.create_task(_do(provider, deed))
                arrived = await held.wait_for(deeds)
                gateway = system.gateways[done % plan.gateways]
                gateway.program.send(signal.SIGKILL)
                system.plan_faults({})
                await gateway.kill()
                done += bool(arrived)
                hit += arrived
        await system.calm()
        result = await conclude(system, provider)
    beliefs = [one.belief for one in provider.transactions.values()]
    counts = ", ".join(f"{belief} {beliefs.count(belief)}" for belief in Belief if belief in beliefs)
    words = f"{done} gateways killed between commit and answer, {hit} transactions hit; the provider believes: {counts}"
    return Scene(words, result)


async def away(plan: Plan, folder: Path, *, seconds: float, wins: int, stopped: bool) -> Scene:
    """
    The wallet is gone for some time (`stopped`: stands still), while wins are owed and bets go on. Every win that the
    provider gives up on must be in the wallet soon after its return.
    """
    async with System(plan, folder) as system:
        provider = Provider(_conduct(system), folder / "provider.log")
        async with provider, asyncio.TaskGroup() as group:
            rounds = await _rounds(provider, wins)
            outage = group.create_task(_outage(system, seconds / plan.scale, stopped=stopped))
            for bet in rounds:
                win = provider.new("win", bet.account, bet.amount, bet.round_id)
                group.create_task(provider.win(win))
                group.create_task(provider.bet(provider.new("bet", bet.account, 1)))
                await asyncio.sleep(seconds / plan.scale / wins)
            back_at = await outage
            given_up = [one for one in provider.transactions.values() if one.belief is Belief.GIVEN_UP]
            took = await _until_applied(system, given_up, back_at)
        await system.calm()
        result = await conclude(system, provider)
    if took > RETURN_SECONDS:
        result.wrong.append(f"wins that were given up came {took:.1f} s after the wallet's return")
    words = f"{wins} wins, {len(given_up)} given up before the wallet's return, and in it {took:.2f} s after"
    return Scene(words, result)


class _Held:
    """Which calls the wallet has made and does not answer."""

    def __init__(self, system: System) -> None:
        self._system = system
        self._made: set[tuple[str, str]] = set()
        self._holds = False
        system.wallet.listeners.append(self._listen)

    async def hold(self) -> None:
        """From now on it answers nothing."""
        self._made.clear()
        self._holds = False
        self._system.plan_faults({WalletFault.HANG_AFTER: 1.0})
        await until(lambda: self._holds, seconds=_HOLD_SECONDS)

    async def wait_for(self, deeds: Iterable[Deed]) -> int:
        """Waits until they are made, as long as that makes sense; says how many are."""
        wanted = {(_METHODS[command], transaction.key) for transaction, command in deeds}
        with suppress(TimeoutError):
            await until(lambda: wanted <= self._made, seconds=2 / self._system.plan.scale, every=0.001)
        return len(wanted & self._made)

    def _listen(self, line: Line) -> None:
        if line.get("event") == "faults":
            self._holds = bool(line["shares"])
        elif line.get("event") == "made" and line["fault"] == WalletFault.HANG_AFTER:
            self._made.add((line["method"], line["trans_id"]))


def _conduct(system: System) -> Conduct:
    plan = system.plan
    return Conduct(url=system.url, seed=plan.seed, scale=plan.scale)


async def _prepare(provider: Provider, random: Random) -> Deed:
    """A transaction at the point where the provider does the next thing with it."""
    account = random.choice(_PLAYERS)
    wanted = random.choice(["bet", "bet", "win", "win", "cancel of a bet", "cancel of a win"])
    bet = provider.new("bet", account, random.randrange(2_000))
    if wanted == "bet":
        return bet, "bet"
    await provider.bet(bet)
    if bet.belief is not Belief.APPLIED:
        return await _prepare(provider, random)
    if wanted == "cancel of a bet":
        return bet, "cancel"
    win = provider.new("win", account, random.randrange(2_000), bet.round_id)
    if wanted == "win":
        return win, "win"
    await provider.win(win)
    return (win, "cancel") if win.was_applied else await _prepare(provider, random)


async def _do(provider: Provider, deed: Deed) -> None:
    transaction, command = deed
    match command:
        case "bet":
            await provider.bet(transaction)
        case "win":
            await provider.win(transaction)
        case _:
            await provider.cancel(transaction)


async def _rounds(provider: Provider, count: int) -> list[Transaction]:
    """Bets that the provider knows to be made, so that their wins are owed."""
    bets: list[Transaction] = []
    while len(bets) < count:
        some = [provider.new("bet", account, 100) for account in _PLAYERS]
        await asyncio.gather(*(provider.bet(bet) for bet in some))
        bets += [bet for bet in some if bet.was_applied]
    return bets[:count]


async def _outage(system: System, seconds: float, *, stopped: bool) -> float:
    """Returns when the wallet was back, on the monotonic clock."""
    if stopped:
        system.wallet.send(signal.SIGSTOP)
        await asyncio.sleep(seconds)
        system.wallet.send(signal.SIGCONT)
    else:
        await system.send_wallet_away(seconds)
        await until(lambda: system.wallet.is_up, seconds=START_SECONDS)
    return time.monotonic()


async def _until_applied(system: System, wins: list[Transaction], since: float) -> float:
    """Seconds from `since` until the wallet has all of them; at most a minute."""

    def are_applied() -> bool:
        entries, _ = ledgers.read(system.plan, system.folder)
        return all(win.key in entries and entries[win.key].is_applied for win in wins)

    with suppress(TimeoutError):
        await until(are_applied, seconds=60, every=LOOK_SECONDS)
    return time.monotonic() - since


async def _until_ended(playing: Coroutine[object, object, Scene]) -> Scene:
    """Its processes end with it when it is told to end."""
    cancel_on_sigterm()
    return await playing


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Play one fault at the worst moment."""


_SEED = click.option("--seed", default=1, show_default=True, help="Odd: the wallet remembers cancels.")
_FACTOR = click.FloatRange(1, 20)


@main.command("crash")
@click.option("--times", default=50, show_default=True, type=click.IntRange(1), help="How many gateways are killed.")
@click.option("--scale", default=1.0, show_default=True, type=_FACTOR, help="Divides all times.")
@click.option("--gateways", default=1, show_default=True, type=click.IntRange(1, 4), help="Processes on one journal.")
@_SEED
def _crash(*, times: int, seed: int, scale: float, gateways: int) -> None:
    """Kill the gateway between the wallet's commit and the answer."""
    plan = _plan(seed, scale, gateways)
    again = f"crash --times {times} --seed {seed} --scale {scale:g} --gateways {gateways}"
    _show(lambda folder: crash(plan, folder, times=times), again)


@main.command("away")
@click.option("--seconds", default=60.0, show_default=True, help="For how long, before scaling.")
@click.option("--wins", default=200, show_default=True, type=click.IntRange(1), help="That are sent meanwhile.")
@click.option("--stopped", is_flag=True, help="The wallet stands still, rather than being dead.")
@click.option("--scale", default=5.0, show_default=True, type=_FACTOR, help="Divides all times.")
@_SEED
def _away(*, seconds: float, wins: int, stopped: bool, seed: int, scale: float) -> None:
    """Take the wallet away under traffic."""
    plan = _plan(seed, scale, 1)
    again = f"away --seconds {seconds:g} --wins {wins} --seed {seed} --scale {scale:g}{' --stopped' * stopped}"
    _show(lambda folder: away(plan, folder, seconds=seconds, wins=wins, stopped=stopped), again)


def _plan(seed: int, scale: float, gateways: int) -> Plan:
    return Plan(seed=seed, scale=scale, gateways=gateways, remembers_cancels=bool(seed % 2))


def _show(play: Callable[[Path], Coroutine[object, object, Scene]], again: str) -> None:
    folder = Path(tempfile.mkdtemp(prefix="walletbridge-faults-"))
    started = time.monotonic()
    scene = asyncio.run(_until_ended(play(folder)))
    scene.result.seconds = time.monotonic() - started
    click.echo(scene.words)
    print_result(scene.result, again=f"tests.money.faults.scenarios {again}")
    if scene.result.is_right:
        shutil.rmtree(folder)
    sys.exit(0 if scene.result.is_right else 1)


if __name__ == "__main__":
    main()

"""
How soon callbacks are served again after an outage of the wallet, and how soon what was owed is settled.

    uv run python -m tests.bench.recovery                             # all kinds, 60 s each, 1,000 rows owed
    uv run python -m tests.bench.recovery slow --seconds 10 --owed 100
    uv run python -m tests.bench.recovery --python OTHER/.venv/bin/python     # another version's gateway

A real `serve` and a real wallet, whose faults are scripted. Callbacks come steadily before, in and after the outage.
"Goodput" is how many bets a second are made and answered in time. It "is back" at the begin of the first five seconds
after the wallet's return in which it is at least nine tenths of what it was before the outage. Of wins and cancels that
nobody could answer during the outage so many are owed.
"""

import asyncio
import itertools
import sqlite3
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import closing
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

import aiohttp
import click
from tests.support.callbacks import make_callback
from tests.support.processes import Way, arguments, post, running, write_settings
from tests.support.scripted_wallet import OK, Call, ScriptedWallet, delayed, reply

from walletbridge.wallet.v1 import wallet_service_pb2 as v1

EVERY_SECONDS = 0.05
"""Between two callbacks of the load."""
BEFORE_SECONDS = 5.0
STILL_SECONDS = 10.0
"""How long a wallet warms up, until when it has not returned, and one method goes on hanging after the return."""
SLOW_SECONDS = 1.2
SENDERS = 40
WINDOW_SECONDS = 5.0
ALMOST = 0.9
BET_SECONDS = 2.0
"""The provider's limit: a bet that is answered later has failed."""
WAIT_SECONDS = 240.0
MADE = (200, b'{"result":0,')
COMMANDS = ("bet", "balance", "bet", "win")
METHODS = ("Authenticate", "GetBalance", "PlaceBet", "SettleWin", "CancelTransaction", "GetTransactionStatus")
FAILED = reply(outcome=v1.OUTCOME_FAILED, balance=0)


class Kind(StrEnum):
    """What happens to the wallet."""

    DEAD = "dead"
    HANGING = "hanging"
    FLAPPING = "flapping"
    """It hangs for 2 s and works for 0.5 s, in turns; what is owed comes while it hangs for the last time."""
    SLOW = "slow"
    """It takes 1.2 s for each answer, before and afterwards, and hangs in between."""
    WARMING = "warming"
    """It is dead, and then says for 10 s that it has made nothing (99); after that it has returned."""
    ONE_METHOD = "one-method"
    """It hangs, and goes on doing so in cancels alone."""


@dataclass(slots=True)
class Recovery:
    """What a run saw; times in seconds after the wallet's return."""

    kind: Kind
    owed: int = 0
    goodput: float | None = None
    """None where it never came back."""
    settled: float | None = None
    before: float = 0.0
    """Bets made in a second."""
    made: list[float] = field(default_factory=list)
    """When those bets of the load were begun that were made."""

    def __str__(self) -> str:
        goodput = "never" if self.goodput is None else f"{self.goodput:5.1f} s"
        settled = "never" if self.settled is None else f"{self.settled:5.1f} s"
        return (
            f"{self.kind:<11} owed {self.owed:5,}   {self.before:.1f} bets a second again after {goodput}   "
            f"all settled after {settled}"
        )


class _House:
    """A gateway under load, and its wallet."""

    def __init__(self, kind: Kind, wallet: ScriptedWallet, port: int, journal: Path) -> None:
        self.kind = kind
        self.wallet = wallet
        self.port = port
        self.journal = journal
        self.step = delayed(SLOW_SECONDS, OK) if kind is Kind.SLOW else OK
        self.hanging = asyncio.Event()
        self.hanging.set()

    def script(self, step: Callable[[Call], Awaitable[bytes]], *methods: str) -> None:
        for method in methods or METHODS:
            self.wallet.script(method, step)

    async def hang(self, call: Call) -> bytes:
        """Until the outage is over; who has waited so long has gone, as a rule."""
        await self.hanging.wait()
        return await self.step(call)

    async def outage(self, seconds: float, owe: Callable[[], Awaitable[None]]) -> None:
        """Has `owe` make what is owed. Ends with the wallet's return."""
        ends_at = time.monotonic() + seconds
        match self.kind:
            case Kind.DEAD | Kind.WARMING:
                await self.wallet.stop()
                await _both(asyncio.sleep(seconds), owe())
                await self.wallet.start(self.port)
            case Kind.FLAPPING:
                while time.monotonic() < ends_at:
                    self._hang()
                    await asyncio.sleep(2)
                    self._work()
                    await asyncio.sleep(0.5)
                self._hang()
                await owe()
            case _:
                self._hang()
                await _both(asyncio.sleep(seconds), owe())
        self._work()
        if self.kind is Kind.WARMING:
            self.script(FAILED, "PlaceBet", "SettleWin", "CancelTransaction")
            await asyncio.sleep(STILL_SECONDS)
            self._work()
        elif self.kind is Kind.ONE_METHOD:
            self._hang("CancelTransaction")
            asyncio.get_running_loop().call_later(STILL_SECONDS, self._work)

    def _hang(self, *methods: str) -> None:
        self.hanging.clear()
        self.script(self.hang, *methods)

    def _work(self) -> None:
        self.hanging.set()
        self.script(self.step)

    def open_rows(self) -> int:
        """Of those that are owed. Nothing else is counted: the load's own bets are given up later."""
        with closing(sqlite3.connect(f"file:{self.journal}?mode=ro", uri=True)) as db:
            return int(
                db.execute(
                    "SELECT count(*) FROM transactions WHERE needs_look AND trans_id LIKE 'owed%' AND for_human = ''"
                ).fetchone()[0]
            )


async def recovery(kind: Kind, folder: Path, *, seconds: float, owed: int, python: str = sys.executable) -> Recovery:
    """Has an outage of so many seconds, in which so many wins and cancels come to be owed."""
    seen = Recovery(kind)
    wallet = ScriptedWallet()
    port = await wallet.start()
    house = _House(kind, wallet, port, folder / "walletbridge.db")
    house.script(house.step)
    config = write_settings(folder, wallet_port=port)
    command = [python, *arguments(Way.SERVE, config)[1:]]
    connector = aiohttp.TCPConnector(limit=0)
    try:
        async with running(command, folder) as gateway, aiohttp.ClientSession(connector=connector) as client:
            load = asyncio.ensure_future(_load(client, gateway.url, seen))
            begun = time.monotonic()
            await asyncio.sleep(BEFORE_SECONDS + BET_SECONDS)
            seen.before = _rate(seen, begun, begun + BEFORE_SECONDS)
            await house.outage(seconds, lambda: _owe(client, gateway.url, owed))
            back_at = time.monotonic()
            seen.owed = house.open_rows()
            while time.monotonic() - back_at < WAIT_SECONDS and (seen.settled is None or seen.goodput is None):
                await asyncio.sleep(0.1)
                if seen.settled is None and not house.open_rows():
                    seen.settled = time.monotonic() - back_at
                seen.goodput = _goodput(seen, back_at)
            load.cancel()
            await asyncio.wait({load})
    finally:
        await wallet.stop()
    return seen


def _goodput(seen: Recovery, back_at: float) -> float | None:
    """Since when, after the return, nearly as many bets were made as before, for seconds; None while none are known."""
    known_until = time.monotonic() - BET_SECONDS
    at = back_at
    while at + WINDOW_SECONDS <= known_until:
        if _rate(seen, at, at + WINDOW_SECONDS) >= ALMOST * seen.before:
            return at - back_at
        at += 0.1
    return None


def _rate(seen: Recovery, since: float, until: float) -> float:
    return sum(since <= begun < until for begun in seen.made) / (until - since)


async def _both(*each: Awaitable[None]) -> None:
    await asyncio.gather(*each)


async def _owe(client: aiohttp.ClientSession, url: str, count: int) -> None:
    """Wins, and for every fifth a cancel, to which nobody can answer."""
    numbers = iter(range(count))

    async def send() -> None:
        for number in numbers:
            command = "win" if number % 5 else "cancel"
            callback = make_callback(command, trans_id=f"owed-{number}", round_id=f"owed-{number}")
            await post(client, url, callback)

    await asyncio.gather(*(send() for _ in range(SENDERS)))


async def _load(client: aiohttp.ClientSession, url: str, seen: Recovery) -> None:
    async def send(command: str, number: int) -> None:
        callback = make_callback(command, account="steady")
        if command != "balance":
            callback["data"] |= {"trans_id": f"load-{number}", "round_id": f"load-{number}"}
        begun = time.monotonic()
        status, body = await post(client, url, callback)
        took = time.monotonic() - begun
        if command == "bet" and status == MADE[0] and body.startswith(MADE[1]) and took <= BET_SECONDS:
            seen.made.append(begun)

    async with asyncio.TaskGroup() as sending:
        for number, command in enumerate(itertools.cycle(COMMANDS)):
            sending.create_task(send(command, number))
            await asyncio.sleep(EVERY_SECONDS)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("kinds", nargs=-1, type=click.Choice([kind.value for kind in Kind]))
@click.option("--seconds", default=60.0, show_default=True, help="How long the outage lasts.")
@click.option("--owed", default=1000, show_default=True, type=click.IntRange(1), help="Wins and cancels in it.")
@click.option("--python", default=sys.executable, help="Whose walletbridge is run.")
def main(*, kinds: tuple[str, ...], seconds: float, owed: int, python: str) -> None:
    """Measure how soon callbacks are served again after an outage of the wallet."""
    for kind in kinds or tuple(Kind):
        with tempfile.TemporaryDirectory() as folder:
            found = asyncio.run(recovery(Kind(kind), Path(folder), seconds=seconds, owed=owed, python=python))
        click.echo(str(found))


if __name__ == "__main__":
    main()

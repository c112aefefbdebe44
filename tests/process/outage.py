"""A wallet that is away, or hangs, for a while under a steady load, and what its callers see of that."""

import asyncio
import itertools
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

import aiohttp
from tests.support.callbacks import make_callback
from tests.support.processes import Way, arguments, environment, has_logged, post, running, write_settings
from tests.support.waiting import until

from walletbridge.demo.gateway_process import GatewayProcess

EVERY_SECONDS = 0.025
"""Between two callbacks of the load."""
COMMANDS = ("bet", "balance", "win", "authenticate", "status", "cancel")
CLEAR_SECONDS = 1.0
BACK_SECONDS = 1.5
"""How long the load goes on once the wallet is back."""


class Kind(StrEnum):
    """What happens to the wallet."""

    AWAY = "away"
    """It ends, and is started again on the same port."""
    HANGING = "hanging"
    """It takes connections and says nothing."""


@dataclass(frozen=True, slots=True)
class Answered:
    """A callback of the load."""

    command: str
    status: int
    begun: float
    seconds: float


@dataclass(slots=True)
class Outage:
    """What a load saw. Times are of the monotonic clock."""

    answered: list[Answered] = field(default_factory=list)
    """In the order of the answers."""
    known_at: float = 0.0
    """When the gateway had found out."""
    over_at: float = 0.0
    """When the wallet's return began."""
    back_at: float = 0.0
    """When it was back, at the latest."""

    @property
    def meanwhile(self) -> list[Answered]:
        """The callbacks that came while the outage was known, and long enough before its end not to see that."""
        return [each for each in self.answered if self.known_at < each.begun < self.over_at - CLEAR_SECONDS]

    @property
    def seconds_to_success(self) -> float:
        """From the wallet's return to the first answer of a callback that it has settled."""
        return next(
            each.begun + each.seconds - self.back_at
            for each in self.answered
            if each.status == 200 and each.begun + each.seconds > self.back_at
        )

    @property
    def last(self) -> list[int]:
        """The statuses of the last second's callbacks."""
        end = max(each.begun for each in self.answered)
        return [each.status for each in self.answered if each.begun > end - 0.5]


class WalletProcess:
    """`walletbridge demo-wallet`, which can be stopped and started again where it was."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: asyncio.subprocess.Process | None = None
        self.port = 0

    async def start(self) -> None:
        """Returns when it listens."""
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "walletbridge", "demo-wallet"),
            *("--listen", f"127.0.0.1:{self.port}", "--db", str(self._folder / "wallet.db")),
            stdout=asyncio.subprocess.PIPE,
            env=environment(self._folder),
        )
        assert self._process.stdout
        line = await asyncio.wait_for(self._process.stdout.readline(), 30)
        self.port = int(line.rpartition(b":")[2])

    async def kill(self) -> None:
        """At once, like a power cut."""
        assert self._process
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()

    def signal(self, number: signal.Signals) -> None:
        assert self._process
        os.kill(self._process.pid, number)


@asynccontextmanager
async def _running_wallet(folder: Path) -> AsyncIterator[WalletProcess]:
    wallet = WalletProcess(folder)
    await wallet.start()
    try:
        yield wallet
    finally:
        await wallet.kill()


async def outage(kind: Kind, folder: Path, *, seconds: float) -> Outage:
    """Has the wallet away for so many seconds once the gateway knows, while callbacks of all kinds come in."""
    seen = Outage()
    async with _running_wallet(folder) as wallet:
        config = write_settings(folder, wallet_port=wallet.port)
        async with running(arguments(Way.SERVE, config), folder) as gateway, aiohttp.ClientSession() as client:
            await until(lambda: has_logged(gateway, "wallet connected"))
            load = asyncio.ensure_future(_load(client, gateway, seen))
            await until(lambda: len(seen.answered) > len(COMMANDS) and seen.last == [200] * len(seen.last))
            await _lose(kind, wallet, gateway)
            seen.known_at = time.monotonic()
            await asyncio.sleep(seconds)
            seen.over_at = time.monotonic()
            await _bring_back(kind, wallet)
            seen.back_at = time.monotonic()
            await asyncio.sleep(BACK_SECONDS)
            load.cancel()
            await asyncio.wait({load})
    return seen


async def _lose(kind: Kind, wallet: WalletProcess, gateway: GatewayProcess) -> None:
    """Returns when the gateway knows."""
    if kind is Kind.AWAY:
        await wallet.kill()
        await until(lambda: has_logged(gateway, "wallet away"))
        await asyncio.sleep(0.5)  # `breaker.away_after`
    else:
        wallet.signal(signal.SIGSTOP)
        await until(lambda: has_logged(gateway, "wallet does not answer: bets, wins and reads are refused"))


async def _bring_back(kind: Kind, wallet: WalletProcess) -> None:
    if kind is Kind.AWAY:
        await wallet.start()
    else:
        wallet.signal(signal.SIGCONT)


async def _load(client: aiohttp.ClientSession, gateway: GatewayProcess, seen: Outage) -> None:
    """Sends callbacks at a steady pace, whatever becomes of them."""

    async def send(command: str, number: int) -> None:
        callback = make_callback(command, account="test1234")
        if "trans_id" in callback["data"]:
            callback["data"] |= {"trans_id": number, "round_id": f"round-{number}"}
        if "amount" in callback["data"]:
            callback["data"]["amount"] = 0 if command == "win" else 1
        begun = time.monotonic()
        status, _ = await post(client, gateway.url, callback)
        seen.answered.append(Answered(command, status, begun, time.monotonic() - begun))

    async with asyncio.TaskGroup() as sending:
        for number, command in enumerate(itertools.cycle(COMMANDS)):
            sending.create_task(send(command, number))
            await asyncio.sleep(EVERY_SECONDS)

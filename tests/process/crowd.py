"""Players who bet without a pause through several workers, and keep their own books. PROTOCOL: Retries."""

import asyncio
import itertools
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import psutil
from tests.support.callbacks import make_callback
from tests.support.processes import (
    RunningWallet,
    Way,
    arguments,
    has_logged,
    headers,
    running,
    running_wallet,
    write_settings,
)
from tests.support.waiting import until

from walletbridge.demo.gateway_process import GatewayProcess

START_SECONDS = 60
PLAYERS = 8
LOG_SECONDS = 0.3
"""How long a line of the log is on its way."""
PATIENT = dict.fromkeys(("bet", "balance", "authenticate", "win", "cancel", "status"), 20.0)
"""Deadlines that a busy machine keeps."""


class HeardNothing(Exception):
    """Raised for an answer other than 200: the provider does not know whether money moved."""


@dataclass(slots=True)
class Crowd:
    """Eight players, each with one callback on its way at any time."""

    gateway: GatewayProcess
    answers: Counter[tuple[str, int, int]] = field(default_factory=Counter)
    """How often each command was answered with an HTTP status and a result."""
    errors: list[str] = field(default_factory=list)
    """What went wrong, other than that nobody listens any more: connections, and what the log says of an HTTP 500."""
    spent: Counter[str] = field(default_factory=Counter)
    """By account, in minor units, by the books of the players."""
    unheard: list[tuple[str, str, str]] = field(default_factory=list)
    """Callbacks whose answer did not come, or was that nobody knows: command, account and transaction."""
    _ids: Iterator[int] = field(default_factory=itertools.count)
    _is_over: bool = False

    def begin(self) -> None:
        """Before anybody plays."""
        self._is_over = False

    def stop(self) -> None:
        """Nobody begins anything more."""
        self._is_over = True

    async def play(self, client: aiohttp.ClientSession, account: str) -> None:
        """Bets and wins until it is over, or nobody listens."""
        while not self._is_over:
            number = next(self._ids)
            trans_id = f"{account}-{number}"
            command = "win" if number % 4 == 3 else "bet"
            try:
                result = await self.send(client, command, account=account, trans_id=trans_id, amount=1)
            except ConnectionRefusedError:
                return
            except (aiohttp.ClientError, OSError) as error:
                self.errors.append(f"{command} {trans_id}: {error!r}")
                self.unheard.append((command, account, trans_id))
                continue
            except HeardNothing:
                self.unheard.append((command, account, trans_id))
                continue
            if result == 0:
                self.spent[account] += 100 if command == "bet" else -100

    async def make_up(self, client: aiohttp.ClientSession) -> None:
        """What providers do who have heard nothing: they cancel a bet, and send a win again."""
        for command, account, trans_id in self.unheard:
            if command == "bet":
                assert await self.send(client, "cancel", account=account, trans_id=trans_id) in {0, 42}
            else:
                assert await self.send(client, "win", account=account, trans_id=trans_id, amount=1) in {0, 41}
                self.spent[account] -= 100

    async def send(self, client: aiohttp.ClientSession, command: str, **overrides: Any) -> int:
        """
        One callback; returns the result. Raises ConnectionRefusedError where nobody listens, HeardNothing where the
        answer does not say what became of it.
        """
        # A round each: a cancelled bet makes a win of its round that may not have been heard a person's. RULES 9.
        callback = make_callback(command, round_id=overrides["trans_id"], **overrides)
        try:
            async with client.post(self.gateway.url, json=callback, headers=headers()) as response:
                status, result = response.status, int((await response.json())["result"])
        except aiohttp.ClientConnectorError as error:
            if isinstance(error.os_error, ConnectionRefusedError):
                raise error.os_error from None
            raise
        self.answers[command, status, result] += 1
        if status != 200:
            await asyncio.sleep(LOG_SECONDS)
            self.errors += [line for line in self.gateway.lines if f'"{overrides["trans_id"]}"' in line]
            raise HeardNothing
        return result

    @property
    def answered(self) -> int:
        """How many callbacks were answered."""
        return self.answers.total()


@dataclass(frozen=True, slots=True)
class Fleet:
    """A gateway with two workers, and what is around it."""

    gateway: GatewayProcess
    wallet: RunningWallet
    crowd: Crowd
    client: aiohttp.ClientSession
    admin: str
    """The URL of the admin endpoint."""

    @property
    def workers(self) -> list[psutil.Process]:
        """The processes of the workers, living ones."""
        return [child for child in psutil.Process(self.gateway.process.pid).children() if child.is_running()]

    async def get(self, path: str) -> tuple[int, str]:
        """Of the admin endpoint."""
        async with self.client.get(f"{self.admin}{path}") as response:
            return response.status, await response.text()

    async def number(self, name: str) -> float:
        """The sum of a metric's samples."""
        _, text = await self.get("/metrics")
        return sum(float(line.split()[-1]) for line in text.splitlines() if line.split("{")[0].split()[0] == name)

    @asynccontextmanager
    async def playing(self) -> AsyncIterator[None]:
        """The crowd plays meanwhile; at the end it is waited for."""
        self.crowd.begin()
        enough = self.crowd.answered + 10 * PLAYERS
        async with asyncio.TaskGroup() as group:
            for account in accounts():
                group.create_task(self.crowd.play(self.client, account))
            try:
                await until(lambda: self.crowd.answered >= enough, seconds=START_SECONDS)
                yield
            finally:
                self.crowd.stop()

    def spent_by_wallet(self) -> Counter[str]:
        """The same as the crowd's books, by the wallet's ledger."""
        return Counter({account: 10_000_000 - self.wallet.balance(account) for account in accounts()})


def accounts() -> list[str]:
    """Of the players."""
    return [f"player-{number}" for number in range(PLAYERS)]


@asynccontextmanager
async def running_fleet(folder: Path, *, workers: int = 2, **sections: Any) -> AsyncIterator[Fleet]:
    """A gateway whose workers all serve."""
    async with running_wallet(folder) as wallet, aiohttp.ClientSession() as client:
        for account in accounts():
            wallet.ledger.add_player(account, 10_000_000)
        config = write_settings(
            folder, wallet_port=wallet.port, admin={"listen": "127.0.0.1:0"}, **{"deadlines": PATIENT, **sections}
        )
        command = [*arguments(Way.SERVE, config), "--workers", str(workers)]
        async with running(command, folder) as gateway:
            await until(lambda: has_logged(gateway, "all workers serve"), seconds=START_SECONDS)
            yield Fleet(gateway, wallet, Crowd(gateway), client, _admin_url(gateway))
            with suppress(ProcessLookupError):
                gateway.process.terminate()
            await gateway.process.wait()


def _admin_url(gateway: GatewayProcess) -> str:
    line = next(line for line in gateway.lines if '"event": "all workers serve"' in line)
    return "http://" + line.split('"admin": ["')[1].split('"')[0]

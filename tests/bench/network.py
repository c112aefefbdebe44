"""
Bursts and a crowd at a healthy wallet, and a connection to the wallet that is kept alive and leads nowhere.

    uv run python -m tests.bench.network
    uv run python -m tests.bench.network --before OTHER/.venv/bin/python --rounds 2     # both, in turns

The wallet takes 60 ms for each call. "Without a wallet" is the time from the loss of the connection to the first
callback after it that is answered 200.

What is pipelined on one connection is answered one after the other, and the limit of each runs from its arrival: of
bets that come at once, 29 fit into 1.75 s, whatever the gateway does. So a thousand come over 64 connections.
"""

import asyncio
import itertools
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import aiohttp
import click
from tests.support.callbacks import body, make_callback
from tests.support.middlebox import middlebox_to
from tests.support.processes import (
    Way,
    arguments,
    at_once,
    connected,
    post,
    raw_post,
    read_answer,
    running,
    write_settings,
)
from tests.support.scripted_wallet import OK, delayed, running_wallet

from walletbridge.demo.gateway_process import GatewayProcess

WALLET_SECONDS = 0.06
BURST = 512
BETS = 1000
PIPELINES = 64
CROWD = 256
CROWD_SECONDS = 5.0
EVERY_SECONDS = 0.05
WAIT_SECONDS = 90.0
UNKNOWN = 500

type Statuses = Counter[int]
type Load = Callable[[GatewayProcess], Awaitable[Statuses]]


async def burst(gateway: GatewayProcess) -> Statuses:
    """Each callback has a connection of its own."""
    return await _send_each(gateway, [[callback] for callback in itertools.islice(_balances(), BURST)])


async def bets(gateway: GatewayProcess) -> Statuses:
    """A thousand at once, each on a connection of its own."""
    return await _send_each(gateway, [[callback] for callback in itertools.islice(_bets(), BETS)])


async def pipelined(gateway: GatewayProcess) -> Statuses:
    """A thousand at once, over few connections."""
    return await _send_each(gateway, list(itertools.batched(itertools.islice(_bets(), BETS), -(-BETS // PIPELINES))))


async def crowd(gateway: GatewayProcess) -> Statuses:
    """Connections that each send the next callback once the one before is answered."""
    statuses: Statuses = Counter()
    ends_at = time.monotonic() + CROWD_SECONDS

    async def send() -> None:
        async with connected(gateway) as (reader, writer):
            for callback in _balances():
                writer.write(raw_post(callback))
                statuses[(await read_answer(reader))[0]] += 1
                if time.monotonic() > ends_at:
                    return

    await at_once(send() for _ in range(CROWD))
    return statuses


LOADS: dict[str, Load] = {
    f"{BURST} balances at once": burst,
    f"{BETS} bets at once": bets,
    f"{BETS} bets, pipelined over {PIPELINES} connections": pipelined,
    f"balances from {CROWD} connections, {CROWD_SECONDS:.0f} s": crowd,
}


def _balances() -> Iterator[bytes]:
    return itertools.repeat(body(make_callback("balance")))


def _bets() -> Iterator[bytes]:
    return (body(make_callback("bet", trans_id=number, amount=1)) for number in itertools.count(1))


async def _send_each(gateway: GatewayProcess, rows: list[list[bytes]] | list[tuple[bytes, ...]]) -> Statuses:
    """Each row goes out in one piece, on a connection of its own."""
    statuses: Statuses = Counter()

    async def send(callbacks: list[bytes] | tuple[bytes, ...]) -> None:
        async with connected(gateway) as (reader, writer):
            writer.write(b"".join(map(raw_post, callbacks)))
            for _ in callbacks:
                statuses[(await read_answer(reader))[0]] += 1

    await at_once(map(send, rows))
    return statuses


async def measure(load: Load, python: str, folder: Path) -> tuple[Statuses, set[str], float]:
    """The statuses, why the last of them were 500, and how long all took, in seconds."""
    async with running_wallet() as (wallet, port):
        for method in ("GetBalance", "PlaceBet"):
            wallet.script(method, delayed(WALLET_SECONDS, OK))
        config = write_settings(folder, wallet_port=port)
        async with running([python, *arguments(Way.SERVE, config)[1:]], folder) as gateway:
            begun = time.monotonic()
            statuses = await load(gateway)
            seconds = time.monotonic() - begun
            reasons = {line["reason"] for line in map(json.loads, gateway.lines) if line.get("http_status") == UNKNOWN}
    return statuses, reasons, seconds


async def without_a_wallet(python: str, folder: Path) -> float:
    """Seconds; infinite where they are more than could be waited for."""
    async with running_wallet() as (_, port), middlebox_to(port) as middlebox:
        config = write_settings(folder, wallet_port=middlebox.port)
        async with (
            running([python, *arguments(Way.SERVE, config)[1:]], folder) as gateway,
            aiohttp.ClientSession() as client,
        ):
            good: list[float] = []

            async def one() -> None:
                begun = time.monotonic()
                status, _ = await post(client, gateway.url, make_callback("balance"))
                if status == 200 and begun > lost_at:
                    good.append(time.monotonic() - lost_at)

            lost_at = 0.0
            await one()
            good.clear()
            middlebox.lose()
            lost_at = time.monotonic()
            sent: set[asyncio.Task[None]] = set()
            while not good and time.monotonic() - lost_at < WAIT_SECONDS:
                sent.add(asyncio.create_task(one()))
                await asyncio.sleep(EVERY_SECONDS)
            await asyncio.wait(sent)
            return min(good, default=float("inf"))


def _line(name: str, what: str, statuses: Statuses, reasons: set[str], seconds: float) -> str:
    bad, count = statuses[UNKNOWN], statuses.total()
    return (
        f"{name:<6}  {what}: {bad} of {count} answered 500 ({bad / count:.1%}), {seconds:.1f} s  {'; '.join(reasons)}"
    )


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--before", help="Another version's Python, whose walletbridge is measured as well, first in each round.")
@click.option("--rounds", default=1, show_default=True, type=click.IntRange(1))
@click.option("--lost/--no-lost", default=True, show_default=True, help="Whether a connection is lost as well.")
def main(*, before: str | None, rounds: int, lost: bool) -> None:
    """Measure bursts and a lost connection."""
    pythons = {"before": before} if before else {}
    pythons["now"] = sys.executable
    for what, load in LOADS.items():
        for _, (name, python) in itertools.product(range(rounds), pythons.items()):
            with tempfile.TemporaryDirectory() as folder:
                statuses, reasons, seconds = asyncio.run(measure(load, python, Path(folder)))
            click.echo(_line(name, what, statuses, reasons, seconds))
    for _, (name, python) in itertools.product(range(rounds if lost else 0), pythons.items()):
        with tempfile.TemporaryDirectory() as folder:
            click.echo(f"{name:<6}  {asyncio.run(without_a_wallet(python, Path(folder))):.1f} s without a wallet")


if __name__ == "__main__":
    main()

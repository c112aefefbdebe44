"""
A burst of callbacks at a healthy wallet, and a connection to the wallet that is kept alive and leads nowhere.

    uv run python -m tests.bench.network
    uv run python -m tests.bench.network --python OTHER/.venv/bin/python --python .venv/bin/python     # both in one run

"Without a wallet" is the time from the loss of the connection to the first callback after it that is answered 200.
"""

import asyncio
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import aiohttp
import click
from tests.helpers.callbacks import make_callback
from tests.helpers.middlebox import middlebox_to
from tests.helpers.processes import Way, arguments, post, running, write_settings
from tests.helpers.scripted_wallet import OK, delayed, running_wallet

WALLET_SECONDS = 0.06
BURST = 512
BETS = 1000
EVERY_SECONDS = 0.05
WAIT_SECONDS = 90.0


async def burst(python: str, folder: Path, command: str, count: int) -> Counter[int]:
    """The statuses of so many callbacks at once, at a wallet that takes 60 ms for each."""
    async with running_wallet() as (wallet, port):
        for method in ("GetBalance", "PlaceBet"):
            wallet.script(method, delayed(WALLET_SECONDS, OK))
        config = write_settings(folder, wallet_port=port)
        async with (
            running([python, *arguments(Way.SERVE, config)[1:]], folder) as gateway,
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as client,
        ):

            async def one(number: int) -> int:
                data = {"trans_id": number, "amount": 1} if command == "bet" else {}
                return (await post(client, gateway.url, make_callback(command, **data)))[0]

            await one(0)
            return Counter(await asyncio.gather(*(one(number) for number in range(1, count + 1))))


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


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--python", "pythons", multiple=True, default=(sys.executable,), help="Whose walletbridge is run.")
def main(*, pythons: tuple[str, ...]) -> None:
    """Measure bursts and a lost connection."""
    for python in pythons:
        click.echo(python)
        for command, count in (("balance", BURST), ("bet", BETS)):
            with tempfile.TemporaryDirectory() as folder:
                statuses = asyncio.run(burst(python, Path(folder), command, count))
            click.echo(f"  {count} x {command} at once: {statuses[500]} answered 500")
        with tempfile.TemporaryDirectory() as folder:
            click.echo(f"  {asyncio.run(without_a_wallet(python, Path(folder))):.1f} s without a wallet")


if __name__ == "__main__":
    main()

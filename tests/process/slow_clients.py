"""
Thousands of clients that send a byte a second, and a flood of wrong tokens: what becomes of the callbacks among them.

    uv run python -m tests.process.slow_clients --clients 5000 --seconds 30

Ends with 1 if the 99th percentile of a valid callback is not below 100 ms or the gateway's memory not below 300 MB.
"""

import asyncio
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import click
import psutil
from tests.support.callbacks import body, make_callback
from tests.support.processes import (
    ROOT,
    Way,
    address_of,
    arguments,
    connected,
    raw_post,
    read_answer,
    running,
    running_wallet,
    write_settings,
)

from walletbridge.demo.gateway_process import GatewayProcess
from walletbridge.serve.open_files import allow_open_files

PLAYER = "test1234"
ADDRESSES = 10
"""From which the slow clients and the flood come: 127.0.0.2 and those behind it."""
SLICE = 50
FLOOD = 200
"""Connections, each of which sends the next wrong token at once, and comes again when it is turned away."""
VALID = 4
PAUSE_SECONDS = 0.05
P99_SECONDS_MAX = 0.1
BYTES_MAX = 300 * 1024 * 1024
CALLBACK = raw_post(body(make_callback("balance")))
WRONG = raw_post(body(make_callback("balance")), token="wrong")  # noqa: S106 - not a secret


class SlowClient(asyncio.Protocol):
    """A byte a second; comes again when it is turned away."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.sent = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport, self.sent = transport, 0

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self.transport = None

    def itself(self) -> "SlowClient":
        return self

    def step(self) -> None:
        if self.transport is not None and not self.transport.is_closing():
            self.transport.write(CALLBACK[self.sent % len(CALLBACK) :][:1])
            self.sent += 1


async def crowd(host: str, port: int, count: int) -> None:
    """Slow clients and a flood, without end; prints a line once most of them are there."""
    clients = [SlowClient() for _ in range(count)]
    floods: list[asyncio.Task[None]] = []
    loop = asyncio.get_running_loop()
    while True:
        begun = loop.time()
        for number, client in enumerate(clients):
            if client.transport is None:
                with suppress(OSError):
                    await loop.create_connection(client.itself, host, port, local_addr=address_of_one(number))
            client.step()
            if number % SLICE == 0:
                # Not all at the same moment.
                await asyncio.sleep(max(0.0, begun + number / count - loop.time()))
        if not floods and sum(client.transport is not None for client in clients) > count * 0.9:
            floods = [asyncio.create_task(flood(host, port, number)) for number in range(FLOOD)]
            click.echo("there")
        await asyncio.sleep(max(0.01, begun + 1 - loop.time()))


def address_of_one(number: int) -> tuple[str, int]:
    """From where somebody comes; the system chooses the port."""
    return f"127.0.0.{2 + number % ADDRESSES}", 0


async def flood(host: str, port: int, number: int) -> None:
    while True:
        with suppress(OSError, asyncio.IncompleteReadError):
            reader, writer = await asyncio.open_connection(host, port, local_addr=address_of_one(number))
            try:
                while True:
                    writer.write(WRONG)
                    await read_answer(reader)
            finally:
                writer.close()


async def ask(gateway: GatewayProcess, seconds: float, latencies: list[float]) -> None:
    ends_at = time.monotonic() + seconds
    async with connected(gateway) as (reader, writer):
        while time.monotonic() < ends_at:
            begun = time.monotonic()
            writer.write(CALLBACK)
            assert (await read_answer(reader))[0] == 200
            latencies.append(time.monotonic() - begun)
            await asyncio.sleep(PAUSE_SECONDS)


async def measure(folder: Path, count: int, seconds: int) -> tuple[float, int]:
    """The 99th percentile in seconds, and the gateway's memory in bytes."""
    async with running_wallet(folder, PLAYER) as wallet:
        config = write_settings(folder, wallet_port=wallet.port)
        async with running(arguments(Way.SERVE, config), folder) as gateway:
            host, port = address_of(gateway)
            # In a process of its own: what it takes to be a crowd is not the gateway's.
            command = (sys.executable, "-m", "tests.process.slow_clients", "--crowd", f"{host}:{port}")
            process = await asyncio.create_subprocess_exec(
                *command, "--clients", str(count), cwd=ROOT, stdout=asyncio.subprocess.PIPE
            )
            try:
                assert process.stdout is not None
                await asyncio.wait_for(process.stdout.readline(), 60)
                latencies: list[float] = []
                await asyncio.gather(*[ask(gateway, seconds, latencies) for _ in range(VALID)])
                memory = psutil.Process(gateway.process.pid).memory_info().rss
            finally:
                process.kill()
                await process.wait()
            latencies.sort()
            return latencies[len(latencies) * 99 // 100], memory


@click.command()
@click.option("--clients", default=5000, show_default=True)
@click.option("--seconds", default=30, show_default=True)
@click.option("--crowd", "address", default="", hidden=True)
def main(clients: int, seconds: int, address: str) -> None:
    """Measure valid callbacks among slow clients."""
    allow_open_files(2 * clients + 1000)
    if address:
        host, _, port = address.rpartition(":")
        asyncio.run(crowd(host, int(port), clients))
    with tempfile.TemporaryDirectory() as name:
        p99, memory = asyncio.run(measure(Path(name), clients, seconds))
    click.echo(f"{clients} slow clients: p99 {p99 * 1000:.0f} ms, memory {memory / (1 << 20):.0f} MiB")
    sys.exit(p99 >= P99_SECONDS_MAX or memory >= BYTES_MAX)


if __name__ == "__main__":
    main()

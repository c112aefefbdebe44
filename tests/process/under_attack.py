"""
All that a stranger can do to the public port of `serve`, at once and for as long as you like, and what becomes of the
provider's callbacks meanwhile: two workers behind TLS, with HTTP/2 and an upstream.

    uv run python -m tests.process.under_attack --minutes 30
    uv run python -m tests.process.under_attack --minutes 3 --plain    # neither TLS nor HTTP/2

Ends with 1 if a valid callback is answered other than 200 or refused, the 99th percentile is not below 100 ms, a
worker's memory is not below 300 MB or still grows at the end, or half a head or /healthz waits longer than it should.
"""

import asyncio
import ssl
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import click
import psutil
from tests.process.attacks import Attackers
from tests.process.raw_upstream import FINE, running_raw_upstream
from tests.support.callbacks import body, make_callback
from tests.support.processes import (
    ROOT,
    Way,
    address_of,
    arguments,
    raw_post,
    read_answer,
    running,
    running_wallet,
    write_settings,
)
from tests.support.tls import Authority

from walletbridge.demo.gateway_process import GatewayProcess
from walletbridge.serve.launch import free_port

PLAYER = "test1234"
RATE = 200
"""Valid callbacks in a second, by default."""
CONNECTIONS = 10
HEADER_SECONDS = 3
BEGIN_SECONDS = 5.0
LATE_SECONDS = 3.0
"""How much longer than its time half a head may be waited for: the sweep is slower where a crowd expires."""
TIMER_SECONDS = 5.0
LOG_SECONDS = 30.0
P99_SECONDS_MAX = 0.1
BYTES_MAX = 300 * 1024 * 1024
GROWTH_MAX = 1.1
"""How much more memory the last quarter may have, at most, than the one before."""
CALLBACK = raw_post(body(make_callback("balance")))
LIMITS = {"header_seconds": HEADER_SECONDS, "body_seconds": 5, "idle_seconds": 15}


@dataclass
class Seen:
    """What was measured."""

    seconds: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    lost: int = 0
    """Callbacks whose connection ended before their answer."""
    bytes_: list[int] = field(default_factory=list)
    """Of the largest worker, every second."""
    timers: int = 0
    """How often half a head was ended in time."""
    dead_timers: list[str] = field(default_factory=list)

    def percentile(self, percent: int) -> float:
        ordered = sorted(self.seconds)
        return ordered[len(ordered) * percent // 100] if ordered else float("inf")

    @property
    def growth(self) -> float:
        """The memory of the last quarter, of that of the one before."""
        quarter = max(1, len(self.bytes_) // 4)
        last, before = self.bytes_[-quarter:], self.bytes_[-2 * quarter : -quarter] or self.bytes_
        return (sum(last) / len(last)) / (sum(before) / len(before))

    def report(self) -> str:
        return (
            f"{len(self.seconds)} callbacks: p50 {self.percentile(50) * 1000:.1f} ms, p99 "
            f"{self.percentile(99) * 1000:.1f} ms, worst {max(self.seconds, default=0) * 1000:.0f} ms; "
            f"statuses {dict(self.statuses)}, lost {self.lost}; "
            f"memory at most {max(self.bytes_, default=0) >> 20} MiB, "
            f"last quarter {self.growth:.2f} of the one before; timers {self.timers} in time, "
            f"{len(self.dead_timers)} not {self.dead_timers[:3]}"
        )

    def problems(self, *, p99_max: float, growth_max: float) -> list[str]:
        found = {
            "no callback was answered": not self.seconds,
            "callbacks were not answered 200": self.statuses.keys() != {200},
            "connections of the provider were lost": bool(self.lost),
            "the 99th percentile": self.percentile(99) >= p99_max,
            "memory": max(self.bytes_, default=0) >= BYTES_MAX,
            "memory grows": self.growth > growth_max,
            "a timer is dead": bool(self.dead_timers) or not self.timers,
        }
        return [name for name, holds in found.items() if holds]


async def attacked(folder: Path, seconds: float, *, rate: int = RATE, workers: int = 2, tls: bool = True) -> Seen:
    """Runs all of it; raises nothing of what goes wrong with callbacks."""
    authority, seen = Authority(folder), Seen()
    pair, admin = authority.sign("gateway"), free_port("127.0.0.1")
    async with running_wallet(folder, PLAYER) as wallet, running_raw_upstream(_sink) as upstream:
        config = write_settings(
            folder,
            wallet_port=wallet.port,
            upstream=upstream.url,
            **({"tls": {"cert_file": str(pair.cert_file), "key_file": str(pair.key_file)}, "http2": {}} if tls else {}),
            callback={"allow_from": ["127.0.0.0/28"]},
            admin={"listen": f"127.0.0.1:{admin}"},
            limits=LIMITS,
        )
        command = [*arguments(Way.SERVE, config), "--workers", str(workers)]
        async with running(command, folder) as gateway:
            host, port = address_of(gateway)
            attackers = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "tests.process.under_attack", "--attack", f"{host}:{port}"),
                *(() if tls else ("--plain",)),
                cwd=ROOT,
            )
            try:
                # Until all of them are at it.
                await asyncio.sleep(BEGIN_SECONDS)
                await _measure(gateway, _trust(authority) if tls else None, seen, seconds, rate, admin)
                assert attackers.returncode is None, "the attackers have given up"
            finally:
                if attackers.returncode is None:
                    attackers.kill()
                await attackers.wait()
    return seen


async def _sink(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """An upstream that takes anything, and keeps nothing of it."""
    while (await reader.readuntil(b"\r\n\r\n")).startswith(b"GET"):
        writer.write(FINE)
    while await reader.read(1 << 16):
        pass


async def _measure(  # noqa: PLR0913, PLR0917 - what is measured
    gateway: GatewayProcess, trust: ssl.SSLContext | None, seen: Seen, seconds: float, rate: int, admin: int
) -> None:
    ends_at = time.monotonic() + seconds
    async with asyncio.TaskGroup() as group:
        for number in range(CONNECTIONS):
            group.create_task(_provide(gateway, trust, seen, ends_at, CONNECTIONS / rate, number / rate))
        group.create_task(_watch_memory(gateway, seen, ends_at))
        group.create_task(_watch_timers(gateway, trust, seen, ends_at, admin))


async def _provide(  # noqa: PLR0913, PLR0917 - how one connection calls
    gateway: GatewayProcess, trust: ssl.SSLContext | None, seen: Seen, ends_at: float, every: float, offset: float
) -> None:
    """Callbacks at their times, however late the answers before come; again where the connection ends."""
    await asyncio.sleep(offset)
    due = time.monotonic()
    while due < ends_at:
        try:
            reader, writer = await asyncio.open_connection(*address_of(gateway), ssl=trust)
        except OSError:
            seen.lost += 1
            await asyncio.sleep(every)
            continue
        try:
            while due < ends_at:
                await asyncio.sleep(max(0.0, due - time.monotonic()))
                begun, due = time.monotonic(), due + every
                writer.write(CALLBACK)
                status, _ = await asyncio.wait_for(read_answer(reader), 10)
                seen.seconds.append(time.monotonic() - begun)
                seen.statuses[status] += 1
        except (OSError, asyncio.IncompleteReadError, TimeoutError):
            seen.lost += 1
        finally:
            writer.transport.abort()


async def _watch_memory(gateway: GatewayProcess, seen: Seen, ends_at: float) -> None:
    supervisor, said_at = psutil.Process(gateway.process.pid), time.monotonic()
    while time.monotonic() < ends_at:
        seen.bytes_.append(max((child.memory_info().rss for child in supervisor.children()), default=0))
        if time.monotonic() - said_at > LOG_SECONDS:
            said_at = time.monotonic()
            click.echo(seen.report())
        await asyncio.sleep(1)


async def _watch_timers(
    gateway: GatewayProcess, trust: ssl.SSLContext | None, seen: Seen, ends_at: float, admin: int
) -> None:
    """Half a head and /healthz, from an address of which nobody else is."""
    timeout = aiohttp.ClientTimeout(total=LATE_SECONDS)
    async with aiohttp.ClientSession(timeout=timeout) as client:
        while time.monotonic() + HEADER_SECONDS + LATE_SECONDS < ends_at:
            began = time.monotonic()
            try:
                async with client.get(f"http://127.0.0.1:{admin}/healthz") as response:
                    assert response.status == 200, "/healthz"
                async with asyncio.timeout(HEADER_SECONDS + LATE_SECONDS):
                    reader, writer = await asyncio.open_connection(
                        *address_of(gateway), ssl=trust, local_addr=("127.0.0.14", 0)
                    )
                    writer.write(CALLBACK[:30])
                    assert (await read_answer(reader))[0] == 408, "half a head"
                    writer.transport.abort()
                seen.timers += 1
            except (OSError, TimeoutError, AssertionError, aiohttp.ClientError, asyncio.IncompleteReadError) as error:
                seen.dead_timers.append(repr(error))
            await asyncio.sleep(max(0.0, began + TIMER_SECONDS - time.monotonic()))


def _trust(authority: Authority) -> ssl.SSLContext:
    trust = ssl.create_default_context(cafile=str(authority.ca_file))
    trust.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return trust


@click.command()
@click.option("--minutes", default=30.0, show_default=True)
@click.option("--rate", default=RATE, show_default=True)
@click.option("--plain", is_flag=True, help="Without TLS and HTTP/2.")
@click.option("--attack", "address", default="", hidden=True)
def main(minutes: float, rate: int, *, plain: bool, address: str) -> None:
    """Measure valid callbacks under attack."""
    if address:
        host, _, port = address.rpartition(":")
        asyncio.run(Attackers(host, int(port), tls=not plain).run())
    with tempfile.TemporaryDirectory() as name:
        seen = asyncio.run(attacked(Path(name), minutes * 60, rate=rate, tls=not plain))
    click.echo(seen.report())
    problems = seen.problems(p99_max=P99_SECONDS_MAX, growth_max=GROWTH_MAX)
    click.echo(f"not well: {', '.join(problems)}" if problems else "all is well")
    sys.exit(bool(problems))


if __name__ == "__main__":
    main()

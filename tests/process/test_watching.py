"""What operators watch: every metric that the alert rules and the dashboard name exists, and moves when it should."""

import asyncio
import os
from collections import defaultdict
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from signal import SIGHUP, SIGKILL, SIGTERM
from typing import Any

import aiohttp
import apsw
import pytest
from prometheus_client.parser import text_string_to_metric_families
from tests.process.crowd import PATIENT, Fleet, running_fleet
from tests.process.named import expressions, grouped_by, named_in
from tests.support.callbacks import make_callback
from tests.support.processes import has_logged, headers
from tests.support.waiting import until

from walletbridge.demo.wallet import DemoWallet

SECONDS = 60
PLAYER, SLOW, LOST = "player-0", "player-1", "player-2"
STRANGER = "127.0.0.9"
UNMOVED = {
    "walletbridge_build_info": "always 1",
    "walletbridge_faults_total": "needs a fault of ours",
    "walletbridge_log_lines_lost_total": "needs a reader of the log that is too slow",
    "walletbridge_series_dropped_total": "needs a fault of ours",
    "walletbridge_wallet_stuck": "needs many failures of one command alone",
}
"""What this test does not move, and why; each is moved by a test of its module."""

OF_CERTIFICATES = {"walletbridge_certificate_expiry_timestamp_seconds", "walletbridge_certificate_unusable"}
"""Where there is no TLS there are none; tests/unit/serve/admin/test_certificate_metrics.py has them all."""

type Sample = tuple[str, frozenset[tuple[str, str]]]


@dataclass
class Watch:
    """All values that were ever seen of each sample."""

    fleet: Fleet
    seen: defaultdict[Sample, set[float]] = field(default_factory=lambda: defaultdict(set))

    async def look(self) -> dict[str, float]:
        """Scrapes; returns the sums by name."""
        sums: defaultdict[str, float] = defaultdict(float)
        _, text = await self.fleet.get("/metrics")
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                self.seen[sample.name, frozenset(sample.labels.items())].add(sample.value)
                sums[sample.name] += sample.value
        return sums

    async def until(self, name: str, value: float) -> None:
        """Scrapes until a sum has come so far."""
        async with asyncio.timeout(SECONDS):
            while (await self.look())[name] != value:  # noqa: ASYNC110 - that is how one watches
                await asyncio.sleep(0.05)

    def labels(self, metric: str) -> set[tuple[str, str]]:
        return {label for name, labels in self.seen for label in labels if name == metric}

    def has_moved(self, metric: str) -> bool:
        """A counter that has appeared meanwhile has moved from nothing."""
        values = [values for (name, _), values in self.seen.items() if name == metric]
        return any(len(found) > 1 or (metric.endswith("_total") and found != {0.0}) for found in values)


def one_connection_each() -> aiohttp.ClientSession:
    """For requests that shall come to any worker: a connection that is kept leads to the same one again."""
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True))


async def send(fleet: Fleet, command: str, *, client: aiohttp.ClientSession | None = None, **overrides: Any) -> int:
    """The HTTP status."""
    callback = make_callback(command, **{"account": PLAYER, **overrides})
    async with (client or fleet.client).post(fleet.gateway.url, json=callback, headers=headers()) as response:
        await response.read()
        return response.status


async def readyz(fleet: Fleet, check: str) -> tuple[int, str]:
    async with fleet.client.get(f"{fleet.admin}/readyz") as response:
        return response.status, str((await response.json())["checks"][check])


async def refuse_all(fleet: Fleet) -> None:
    """A request for each reason to refuse one."""
    url, client = fleet.gateway.url, fleet.client
    for method, token, data in (
        ("POST", "wrong", b"{}"),
        ("GET", None, b""),
        ("POST", None, b"no JSON"),
        ("POST", None, b" " * 70_000),
    ):
        async with client.request(method, url, data=data, headers=headers(*([token] if token else []))) as response:
            await response.read()
    connector = aiohttp.TCPConnector(local_addr=(STRANGER, 0))
    async with (
        aiohttp.ClientSession(connector=connector) as stranger,
        stranger.post(url, data=b"{}", headers=headers()) as response,
    ):
        assert (response.status, await response.read()) == (403, b"not from this address")


async def overload(fleet: Fleet, watch: Watch) -> None:
    """More slow calls at once than there are places, whichever worker they come to; then somebody who does not wait."""
    sending: list[asyncio.Future[int]] = []
    async with asyncio.timeout(SECONDS), one_connection_each() as client:
        while (await watch.look())["walletbridge_wallet_calls_in_flight"] < 4:
            sending.append(asyncio.ensure_future(send(fleet, "balance", client=client, account=SLOW)))
        assert await send(fleet, "balance", client=client, account=SLOW) == 500
        statuses = await asyncio.gather(*sending)
    assert statuses.count(200) >= 4
    assert set(statuses) <= {200, 500}
    leaving = asyncio.ensure_future(send(fleet, "balance", account=SLOW))
    await watch.until("walletbridge_wallet_calls_in_flight", 1)
    leaving.cancel()
    await asyncio.wait({leaving})
    await watch.until("walletbridge_answers_not_delivered_total", 1)


async def lose_the_wallet(fleet: Fleet, watch: Watch) -> DemoWallet:
    await fleet.wallet.wallet.stop()
    await watch.until("walletbridge_wallet_connected", 0)
    assert await readyz(fleet, "wallet") == (503, "no worker has a connection to the wallet")
    assert await send(fleet, "cancel", trans_id="not-sent") == 500
    wallet = DemoWallet(fleet.wallet.ledger, fault=fleet.wallet.script)
    await wallet.start(f"127.0.0.1:{fleet.wallet.port}")
    await watch.until("walletbridge_wallet_connected", 2)
    assert await readyz(fleet, "wallet") == (200, "ok")
    return wallet


async def lock_the_journal(fleet: Fleet, watch: Watch, path: Path) -> None:
    with closing(apsw.Connection(str(path))) as other:
        other.execute("UPDATE transactions SET for_human = 'said so in the test' WHERE trans_id = 'late'")
        other.execute("BEGIN IMMEDIATE")
        assert await send(fleet, "bet", trans_id="locked") == 500
        await watch.until("walletbridge_journal_failing", 2)
        await watch.until("walletbridge_journal_writable", 0)
        problem = f"database is locked: process {os.getpid()} holds its write lock"
        assert await readyz(fleet, "journal") == (503, problem)
    await asyncio.sleep(1.1)
    async with one_connection_each() as client:
        for number in range(100):
            # Each worker has to see for itself that it can be written again.
            await send(fleet, "bet", client=client, trans_id=f"free-{number}")
            if not (await watch.look())["walletbridge_journal_failing"]:
                break
    assert await readyz(fleet, "journal") == (200, "ok")


async def replace_workers(fleet: Fleet, watch: Watch, config: Path) -> None:
    fleet.workers[0].send_signal(SIGKILL)
    await watch.until("walletbridge_worker_restarts_total", 1)
    await watch.until("walletbridge_workers", 2)
    fleet.gateway.process.send_signal(SIGHUP)
    await until(lambda: has_logged(fleet.gateway, "reloaded"), seconds=SECONDS)
    await watch.look()
    await asyncio.to_thread(config.write_text, "nonsense")
    fleet.gateway.process.send_signal(SIGHUP)
    await watch.until("walletbridge_reloads_total", 2)


@pytest.mark.timeout(240)
async def test_every_metric_that_is_named_exists_and_moves(tmp_path: Path) -> None:
    async with running_fleet(
        tmp_path,
        deadlines=PATIENT | {"bet": 1.0},
        limits={"wallet_calls": 2},
        callback={"allow_from": ["127.0.0.1/32"]},
        journal={"settle_bets": False, "settle_wins": False},
    ) as fleet:
        watch = Watch(fleet)
        fleet.wallet.script.seconds = {SLOW: 2.0, LOST: 2.0}
        await watch.look()
        assert await readyz(fleet, "workers") == (200, "ok")

        for command in ("authenticate", "balance", "bet", "win"):
            assert await send(fleet, command) == 200
        for _ in range(2):
            assert await send(fleet, "status", check="21,42") == 200
        await refuse_all(fleet)
        await overload(fleet, watch)
        assert await send(fleet, "bet", account=LOST, trans_id="late") == 500
        await watch.until("walletbridge_journal_open_rows", 1)
        await lock_the_journal(fleet, watch, tmp_path / "walletbridge.db")
        wallet = await lose_the_wallet(fleet, watch)
        await replace_workers(fleet, watch, tmp_path / "walletbridge.yaml")
        waiting = asyncio.ensure_future(send(fleet, "balance", account=SLOW))
        await watch.until("walletbridge_wallet_calls_in_flight", 1)
        fleet.gateway.process.send_signal(SIGTERM)
        await watch.until("walletbridge_stopping", 1)
        assert await readyz(fleet, "draining") == (503, "the gateway is stopping")
        assert await waiting == 200
        await fleet.gateway.process.wait()
        await wallet.stop()

    for expression in expressions():
        metrics = {named.metric for named in named_in(expression)}
        if metrics <= OF_CERTIFICATES:
            continue
        assert grouped_by(expression) <= {label for metric in metrics for label, _ in watch.labels(metric)}, expression
        for named in named_in(expression):
            labels = watch.labels(named.metric)
            assert any(name == named.metric for name, _ in watch.seen), named.metric
            assert set(named.values) <= labels, named
            assert grouped_by(expression) <= {label for label, _ in labels} | {"reason", "result", "command"}, (
                expression
            )
            assert watch.has_moved(named.metric) is (named.metric not in UNMOVED), named.metric


def test_the_expressions_are_read_whole() -> None:
    found = [named for expression in expressions() for named in named_in(expression)]

    assert len(expressions()) > 30
    assert len({named.metric for named in found}) > 25
    assert any(named.values == (("reason", "wrong_token"), ("reason", "peer")) for named in found)
    assert all(list(named_in(expression)) for expression in expressions())

"""The admin endpoint, over HTTP."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from walletbridge.journal.clock import journal_clock
from walletbridge.journal.probe import JournalProbe
from walletbridge.journal.store import Store
from walletbridge.journal.turn_owner import worker_name
from walletbridge.observe.metrics import names
from walletbridge.observe.metrics.exposition import counter
from walletbridge.observe.metrics.part import Part
from walletbridge.serve.admin.admin import Admin, Watched
from walletbridge.serve.sockets import addresses_of, bind
from walletbridge.settings import Address


class Scene:
    """An admin endpoint over one worker's numbers."""

    def __init__(self, folder: Path) -> None:
        path = folder / "journal.db"
        Store(path, worker_name(), journal_clock()).close()
        self.part = Part()
        self.part.set(names.WORKERS, 1, state="serving")
        self.part.set(names.WALLET_CONNECTED, 1)
        self.is_stopping = False
        self.is_alive = True
        self.journal = path
        self._sockets = bind(Address("127.0.0.1", 0), key="admin.listen")
        self.admin = Admin(
            self._sockets,
            Watched(
                parts=lambda: [self.part],
                journal=JournalProbe(path),
                is_stopping=lambda: self.is_stopping,
                is_alive=lambda: self.is_alive,
                more=lambda: [counter("walletbridge_more_total", "More.", {"": 1})],
            ),
        )
        [self.address] = addresses_of(self._sockets)

    async def get(self, path: str) -> tuple[int, str, Any]:
        async with (
            aiohttp.ClientSession() as client,
            client.get(f"http://{self.address}{path}") as response,
        ):
            return response.status, response.content_type, await response.text()


@asynccontextmanager
async def open_scene(folder: Path) -> AsyncIterator[Scene]:
    scene = Scene(folder)
    await scene.admin.start()
    try:
        yield scene
    finally:
        await scene.admin.stop()


async def test_a_process_that_lives_is_healthy_whatever_else(tmp_path: Path) -> None:
    async with open_scene(tmp_path) as scene:
        scene.part.set(names.WALLET_CONNECTED, 0)

        assert await scene.get("/healthz") == (200, "application/json", '{"status": "ok"}')


async def test_a_process_that_keeps_no_times_is_neither_healthy_nor_ready(tmp_path: Path) -> None:
    async with open_scene(tmp_path) as scene:
        scene.is_alive = False
        status, _, text = await scene.get("/healthz")
        assert (status, text) == (503, '{"status": "the times of connections are not kept"}')
        status, _, text = await scene.get("/readyz")
        assert status == 503
        assert '"process": "the times of connections are not kept"' in text


async def test_readiness_names_each_check(tmp_path: Path) -> None:
    async with open_scene(tmp_path) as scene:
        status, _, text = await scene.get("/readyz")
        assert status == 200
        all_ok = '{"draining": "ok", "process": "ok", "workers": "ok", "wallet": "ok", "journal": "ok"}'
        assert text == '{"ready": true, "checks": ' + all_ok + "}"

        scene.part.set(names.WALLET_CONNECTED, 0)
        scene.is_stopping = True
        status, _, text = await scene.get("/readyz")

    assert status == 503
    assert '"ready": false' in text
    assert '"draining": "the gateway is stopping"' in text
    assert '"wallet": "no worker has a connection to the wallet"' in text


async def test_metrics_are_what_prometheus_reads(tmp_path: Path) -> None:
    async with open_scene(tmp_path) as scene:
        scene.part.add(names.FAULTS)
        status, kind, text = await scene.get("/metrics")

    found = {family.name: family for family in text_string_to_metric_families(text)}
    assert (status, kind) == (200, "text/plain")
    assert found["walletbridge_faults"].samples[0].value == 1
    assert found["walletbridge_journal_open_rows"].samples[0].value == 0
    assert found["walletbridge_journal_oldest_open_seconds"].samples[0].value == 0
    assert found["walletbridge_journal_writable"].samples[0].value == 1
    assert found["walletbridge_journal_lock_held_seconds"].samples[0].value == 0
    assert found["walletbridge_journal_wal_bytes"].samples[0].value == 0
    assert found["walletbridge_more"].samples[0].value == 1
    assert set(found["walletbridge_build_info"].samples[0].labels) == {"version", "python", "mitmproxy"}


async def test_a_journal_that_cannot_be_read_is_not_called_empty(tmp_path: Path) -> None:
    async with open_scene(tmp_path) as scene:
        scene.journal.rename(tmp_path / "elsewhere")
        _, _, text = await scene.get("/metrics")

    found = {family.name: family.samples for family in text_string_to_metric_families(text)}
    assert found["walletbridge_journal_writable"][0].value == 0
    assert found["walletbridge_journal_open_rows"] == []
    assert found["walletbridge_journal_oldest_open_seconds"] == []


async def test_nothing_else_is_there(tmp_path: Path) -> None:
    async with open_scene(tmp_path) as scene:
        for path in ("/", "/callback", "/metrics/"):
            assert (await scene.get(path))[0] == 404

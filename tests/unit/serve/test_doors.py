"""When connections are let in, who waits at the end and for how long, and what is told of it."""

import asyncio
import os
import socket
import time
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from mitmproxy import ctx
from tests.support.waiting import until

from walletbridge.gateway.shared_memory import Share
from walletbridge.observe.metrics import names
from walletbridge.observe.metrics.exposition import sum_of
from walletbridge.observe.metrics.part import Part
from walletbridge.serve import doors as module
from walletbridge.serve.doors import Doors
from walletbridge.serve.sockets import bind, close
from walletbridge.serve.worker_pipe import SERVE, Control
from walletbridge.settings import Address, Serve
from walletbridge.transactions.cancel_counter import Changes

SECONDS = 30.0


class FakeLog:
    """As much of a Log."""

    lines_lost = 0


class FakeBridge:
    """As much of a Bridge as doors need."""

    def __init__(self) -> None:
        self.status_cache = [1, 2, 3]
        self.log = FakeLog()
        self.is_seen = asyncio.Event()

    async def wallet_seen(self, seconds: float) -> None:
        del seconds
        await self.is_seen.wait()


class Scene:
    """Doors, and a mitmproxy that is only what doors see of it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.connections: set[str] = set()
        self.is_shut_down = asyncio.Event()
        monkeypatch.setattr(ctx, "master", SimpleNamespace(shutdown=self.is_shut_down.set), raising=False)
        self.sockets = bind(Address("127.0.0.1", 0), key="listen")
        self.address = self.sockets[0].getsockname()
        self.part = Part()
        self.bridge = FakeBridge()
        self.greeted = 0
        self.keeps_times = True

    def doors(self, *, drain_seconds: float = 0.0, **more: Any) -> Doors:
        doors = Doors(
            sockets=self.sockets,
            share=Share(self.part, Changes()),
            serve=Serve(drain_seconds=drain_seconds),
            **more,
        )
        doors.listen(lambda: Greeter(self), lambda: len(self.connections), lambda: self.keeps_times)
        return doors

    async def open(self, doors: Doors) -> None:
        bridge: Any = self.bridge
        await doors.open(bridge)

    async def visit(self) -> bytes:
        reader, writer = await asyncio.open_connection(*self.address)
        greeting = await asyncio.wait_for(reader.read(), SECONDS)
        writer.close()
        return greeting

    def number(self, name: str, **labels: str) -> int:
        return sum_of([self.part], name, **labels)

    def state(self) -> str:
        return next(state for state in names.WorkerState if self.number(names.WORKERS, state=state))


class Greeter(asyncio.Protocol):
    """Greets whoever comes in."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.scene.greeted += 1
        transport.write(b"in")
        transport.close()


@pytest.fixture
async def scene(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Scene]:
    scene = Scene(monkeypatch)
    yield scene
    close(scene.sockets)


async def test_nobody_is_let_in_before_it_is_known_whether_the_wallet_is_there(scene: Scene) -> None:
    """Its first callbacks would be answered 500."""
    doors = scene.doors()
    opening = asyncio.ensure_future(scene.open(doors))
    visiting = asyncio.ensure_future(scene.visit())
    await asyncio.sleep(0.02)
    assert (scene.greeted, scene.state()) == (0, "starting")

    scene.bridge.is_seen.set()
    await opening

    assert await visiting == b"in"
    assert scene.state() == "serving"
    assert scene.number(names.CONNECTIONS_ACCEPTED) == 1
    await doors.close(asyncio.Event())
    await doors.done()


async def test_a_worker_waits_for_the_word_of_its_supervisor(scene: Scene) -> None:
    scene.bridge.is_seen.set()
    theirs, ours = os.pipe()
    doors = scene.doors(control=Control(theirs))
    opening = asyncio.ensure_future(scene.open(doors))
    await asyncio.sleep(0.02)
    assert scene.state() == "ready"

    os.write(ours, SERVE)
    await opening
    assert await scene.visit() == b"in"

    os.close(ours)
    await asyncio.wait_for(scene.is_shut_down.wait(), SECONDS)
    await doors.close(asyncio.Event())
    await doors.done()
    os.close(theirs)


async def test_doors_that_are_closed_meanwhile_are_not_opened(scene: Scene) -> None:
    doors = scene.doors()
    opening = asyncio.ensure_future(scene.open(doors))
    await asyncio.sleep(0)
    await doors.close(asyncio.Event())
    scene.bridge.is_seen.set()
    await opening

    assert scene.greeted == 0
    assert scene.state() == "draining"
    assert doors.is_stopping
    await doors.done()


async def test_the_end_waits_for_those_inside(scene: Scene) -> None:
    scene.bridge.is_seen.set()
    doors = scene.doors(drain_seconds=SECONDS)
    await scene.open(doors)
    scene.connections.add("somebody")
    closing = asyncio.ensure_future(doors.close(asyncio.Event()))
    await asyncio.sleep(0.3)
    assert not closing.done()

    scene.connections.clear()
    await asyncio.wait_for(closing, SECONDS)
    with pytest.raises(ConnectionRefusedError):
        await scene.visit()
    await doors.done()


async def test_the_wait_is_bounded_and_can_be_cut_short(scene: Scene) -> None:
    scene.bridge.is_seen.set()
    scene.connections.add("idle")
    doors = scene.doors(drain_seconds=0.1)
    await scene.open(doors)
    await asyncio.wait_for(doors.close(asyncio.Event()), SECONDS)
    await doors.done()

    doors = scene.doors(drain_seconds=3600.0)
    at_once = asyncio.Event()
    at_once.set()
    started = time.monotonic()
    await doors.close(at_once)
    assert time.monotonic() - started < SECONDS


async def test_the_pulse_tells_of_connections_and_cache(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PULSE_SECONDS", 0.01)
    scene.bridge.is_seen.set()
    scene.connections.add("somebody")
    doors = scene.doors()
    await scene.open(doors)
    await asyncio.sleep(0.1)

    assert scene.number(names.CONNECTIONS) == 1
    assert scene.number(names.CACHE_SIZE) == 3
    scene.bridge.log.lines_lost = 7
    await until(lambda: scene.number(names.LOG_LINES_LOST) == 7)
    assert scene.number(names.BEATS) > 1
    scene.connections.clear()
    await doors.close(asyncio.Event())
    await doors.done()


async def test_without_the_times_of_connections_the_pulse_stands_still(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that the supervisor, or systemd's watchdog, replaces the process."""
    monkeypatch.setattr(module, "PULSE_SECONDS", 0.01)
    scene.bridge.is_seen.set()
    scene.keeps_times = False
    doors = scene.doors()
    await scene.open(doors)
    await asyncio.sleep(0.05)
    assert (scene.number(names.BEATS), doors.is_alive()) == (0, False)
    scene.keeps_times = True
    await asyncio.sleep(0.05)

    assert scene.number(names.BEATS) > 0
    await doors.close(asyncio.Event())
    await doors.done()


async def test_systemd_hears_when_it_serves_and_when_it_ends(
    scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(SECONDS)
        monkeypatch.setenv("NOTIFY_SOCKET", manager.getsockname())
        doors = scene.doors()
        scene.bridge.is_seen.set()
        await scene.open(doors)
        await doors.close(asyncio.Event())
        await doors.done()

        assert [manager.recv(100), manager.recv(100)] == [b"READY=1", b"STOPPING=1"]

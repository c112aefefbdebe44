"""One worker process, seen from outside."""

import asyncio
import json
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from walletbridge.gateway.shared_memory import SharedMemory, nameless_file
from walletbridge.observe.metrics.names import WorkerState
from walletbridge.serve.sockets import bind, close
from walletbridge.serve.workers import process
from walletbridge.serve.workers.process import WorkerProcess
from walletbridge.settings import Address

SECONDS = 60.0


class Starter:
    """Starts workers; ends them all."""

    def __init__(self, plan: Path) -> None:
        self._plan = plan
        self.sockets = bind(Address("127.0.0.1", 0), key="listen")
        self.memory = SharedMemory.create(2)
        self.content = nameless_file()
        self.workers: list[WorkerProcess] = []

    async def start(self, **plan: object) -> WorkerProcess:
        self._plan.write_text(json.dumps(plan))
        self.workers.append(await process.start(self._plan, self.content, self.memory, len(self.workers), self.sockets))
        return self.workers[-1]

    async def ready(self, **plan: object) -> WorkerProcess:
        worker = await self.start(**plan)
        assert await worker.until(lambda: worker.state is WorkerState.READY, seconds=SECONDS)
        return worker

    async def greeting(self) -> int:
        """The process id of whoever accepts."""
        reader, writer = await asyncio.open_connection(*self.sockets[0].getsockname())
        pid = int(await asyncio.wait_for(reader.read(), SECONDS))
        writer.close()
        return pid


@pytest.fixture
async def starter(plan: Path) -> AsyncIterator[Starter]:
    starter = Starter(plan)
    yield starter
    for worker in starter.workers:
        worker.send(signal.SIGKILL)
        await worker.ended()
        worker.close()
    close(starter.sockets)


async def test_a_worker_lets_nobody_in_before_it_is_told(starter: Starter) -> None:
    worker = await starter.ready()
    greeting = asyncio.ensure_future(starter.greeting())
    await asyncio.sleep(0.05)
    assert not greeting.done()

    worker.serve()

    assert await greeting == worker.pid
    assert worker.state is WorkerState.SERVING
    assert worker.has_wallet
    assert worker.code is None


async def test_a_worker_that_is_stopped_ends_by_itself(starter: Starter) -> None:
    worker = await starter.ready()

    assert await worker.stop(seconds=SECONDS) == 0 == worker.code


async def test_a_worker_that_does_not_end_is_killed(starter: Starter) -> None:
    worker = await starter.ready(is_deaf=True)

    assert await worker.stop(seconds=0.05) == -signal.SIGKILL


async def test_waiting_for_a_worker_that_dies_is_over_with_it(starter: Starter) -> None:
    worker = await starter.start(exit=3)

    assert not await worker.until(lambda: worker.state is WorkerState.READY, seconds=SECONDS)
    assert worker.code == 3
    assert not worker.has_wallet


async def test_waiting_is_bounded(starter: Starter) -> None:
    worker = await starter.start(is_slow=True)

    assert not await worker.until(lambda: worker.state is WorkerState.READY, seconds=0.05)
    assert worker.code is None


@pytest.mark.parametrize("hangs", [True, False])
async def test_a_worker_that_hangs_shows_no_sign_of_life(starter: Starter, *, hangs: bool) -> None:
    worker = await starter.ready(hangs=hangs)
    worker.serve()
    now = time.monotonic()
    assert worker.seconds_without_beat(now) < SECONDS
    await worker.until(lambda: not hangs and worker.seconds_without_beat(now + 100) == 0, seconds=0.5 if hangs else 60)

    seconds = worker.seconds_without_beat(now + 100)

    assert (seconds >= 100) is hangs


async def test_what_nobody_could_see_is_not_held_against_a_worker(starter: Starter) -> None:
    worker = await starter.ready(hangs=True)
    now = time.monotonic()
    worker.forgive(now + 100)

    assert worker.seconds_without_beat(now + 100) == 0


async def test_a_worker_whose_supervisor_lets_go_ends(starter: Starter) -> None:
    worker = await starter.ready()
    worker.close()

    assert await asyncio.wait_for(worker.ended(), SECONDS) == 0


async def test_who_is_dead_can_be_told_anything(starter: Starter) -> None:
    worker = await starter.ready()
    worker.send(signal.SIGKILL)
    await worker.ended()
    worker.send(signal.SIGTERM)
    worker.serve()

    assert await worker.stop(seconds=1) == -signal.SIGKILL


async def test_systemd_is_none_of_a_workers_business(starter: Starter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", "/run/systemd/notify")
    monkeypatch.setenv("WALLETBRIDGE_CALLBACK_TOKEN", "token")
    worker = await starter.ready()
    environ = (Path("/proc") / str(worker.pid) / "environ").read_bytes().split(b"\0")

    assert b"WALLETBRIDGE_CALLBACK_TOKEN=token" in environ
    assert not any(variable.startswith(b"NOTIFY_SOCKET=") for variable in environ)

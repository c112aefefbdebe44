"""A worker that stands still with a lock of the journal is killed in time, and no other."""

import asyncio
import io
import json
import signal
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tests.support.holding import QUEUE, WRITE_LOCK, command, holding, stop

from walletbridge.journal.clock import journal_clock
from walletbridge.journal.holder import is_stopped
from walletbridge.journal.store import Store
from walletbridge.observe.log import open_log
from walletbridge.observe.metrics.part import Part
from walletbridge.serve.lock_guard import LockGuard
from walletbridge.serve.workers.process import WorkerProcess

SECONDS = 2.0
SOON = 0.2
"""Within which a signal that was sent has come."""


class Scene:
    """A guard with a clock of its own, and one worker that holds a lock."""

    def __init__(self, journal: Path) -> None:
        self.journal = journal
        self.now = 100.0
        self.silent = False
        self._output = io.StringIO()
        self._log = open_log(lines_max=100, stream=self._output)
        self.guard = LockGuard(journal, self._log, clock=lambda: self.now)
        self.workers: list[WorkerProcess] = []

    async def start(self, code: str) -> WorkerProcess:
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(*command(code, self.journal), stdin=pipe, stdout=pipe)
        assert process.stdout is not None
        assert await process.stdout.readline() == b"held\n"
        worker = WorkerProcess(process, Part(), 0, -1)
        self.workers.append(worker)
        return worker

    def look(self, *, after: float = 0.0, seconds: float = SECONDS) -> None:
        self.now += after
        self.guard.look(self.workers, self.workers if self.silent else [], seconds=seconds)

    def logged(self) -> list[dict[str, Any]]:
        self._log.close()
        return [json.loads(line) for line in self._output.getvalue().splitlines()]

    async def is_killed(self, worker: WorkerProcess) -> bool:
        try:
            return await asyncio.wait_for(worker.ended(), SOON) == -signal.SIGKILL
        except TimeoutError:
            return False


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    path = tmp_path / "journal.db"
    with closing(Store(path, "worker", journal_clock())):
        scene = Scene(path)
        yield scene
        for worker in scene.workers:
            worker.send(signal.SIGKILL)
            await worker.ended()


@pytest.mark.parametrize(("code", "lock"), [(WRITE_LOCK, "write lock"), (QUEUE, "queue")])
async def test_a_worker_that_stands_still_with_a_lock_is_killed_in_time(scene: Scene, code: str, lock: str) -> None:
    worker = await scene.start(code)
    stop(worker.pid)

    scene.look()
    scene.look(after=1.9)
    assert not await scene.is_killed(worker)
    scene.look(after=0.1)
    assert await scene.is_killed(worker)

    [line] = scene.logged()
    assert (line["pid"], line["lock"], line["seconds"]) == (worker.pid, lock, 2.0)
    assert line["since"].startswith("20")


async def test_a_worker_without_a_sign_of_life_is_killed_though_it_is_not_stopped(scene: Scene) -> None:
    worker = await scene.start(WRITE_LOCK)
    scene.silent = True
    scene.look()
    scene.look(after=2)

    assert await scene.is_killed(worker)


async def test_a_worker_that_is_alive_may_hold_it_for_as_long_as_it_needs(scene: Scene) -> None:
    """It may be at a long commit, on a disk that hangs."""
    worker = await scene.start(WRITE_LOCK)
    for _ in range(10):
        scene.look(after=60)

    assert not await scene.is_killed(worker)


async def test_nobody_is_killed_where_that_is_switched_off(scene: Scene) -> None:
    worker = await scene.start(WRITE_LOCK)
    stop(worker.pid)
    scene.look(seconds=0)
    scene.look(after=60, seconds=0)

    assert not await scene.is_killed(worker)


async def test_what_was_not_looked_at_does_not_count(scene: Scene) -> None:
    worker = await scene.start(WRITE_LOCK)
    stop(worker.pid)
    scene.look()
    scene.guard.forget()
    scene.look(after=60)

    assert not await scene.is_killed(worker)


async def test_a_worker_that_stands_still_without_the_lock_is_let_be(scene: Scene) -> None:
    """The process that has it is none of the workers, and is let be as well."""
    with holding(WRITE_LOCK, scene.journal) as other:
        stop(other)
        worker = await scene.start("print('held', flush=True); import sys; sys.stdin.read()")
        stop(worker.pid)
        scene.look()
        scene.look(after=60)

        assert not await scene.is_killed(worker)
        assert scene.logged() == []
        assert is_stopped(other)

"""The supervisor keeps workers at work, replaces them upon SIGHUP, and ends with all of them."""

import asyncio
import io
import json
import signal
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from tests.support.waiting import until

from walletbridge.journal.clock import journal_clock
from walletbridge.journal.holder import holds
from walletbridge.journal.store import Store
from walletbridge.journal.turn_owner import worker_name
from walletbridge.observe.log import open_log
from walletbridge.protocol.errors import SettingsError
from walletbridge.serve.workers import supervisor as module
from walletbridge.serve.workers.crew import Crew
from walletbridge.serve.workers.process import WorkerProcess
from walletbridge.serve.workers.supervisor import Supervisor, supervise
from walletbridge.settings import Settings, load

SECONDS = 60.0
KILLED_FOR_LOCK = "a worker that stands still holds the journal's lock and is killed"
BASE = {"listen": "127.0.0.1:0", "wallet": {"target": "127.0.0.1:1"}, "admin": {"listen": "127.0.0.1:0"}}


def say(plan: Path, what: dict[str, object]) -> None:
    """What workers do that are started from now on."""
    plan.write_text(json.dumps(what))


class Scene:
    """A supervisor of fake workers."""

    def __init__(self, plan: Path, count: int, **sections: Any) -> None:
        self.plan = plan
        self.config = plan.with_name("walletbridge.yaml")
        self.write(**sections)
        self._output = io.StringIO()
        self._log = open_log(lines_max=1000, stream=self._output)
        self.supervisor = Supervisor(self.config, load(self.config), count, self._log)
        self.running = asyncio.ensure_future(self.supervisor.run())

    def write(self, **sections: Any) -> None:
        """The settings file from now on."""
        self.config.write_text(json.dumps({**BASE, **sections}))

    def say(self, **plan: object) -> None:
        """What workers do that are started from now on."""
        say(self.plan, plan)

    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._output.getvalue().splitlines()]

    def problems(self, event: str) -> list[str]:
        return [line["problem"] for line in self.events() if line["event"] == event]

    def has_logged(self, event: str) -> bool:
        return any(line["event"] == event for line in self.events())

    def pids(self) -> set[int]:
        return {worker.pid for worker in self.supervisor._crew.serving if worker.code is None}

    async def until(self, holds: Callable[[], bool]) -> None:
        """Until it holds, or the supervisor has ended."""
        await until(lambda: holds() or self.running.done(), seconds=SECONDS)
        assert holds(), self.events()

    async def up(self) -> set[int]:
        await self.until(lambda: self.has_logged("all workers serve"))
        return self.pids()

    async def end(self) -> int:
        code = await asyncio.wait_for(self.running, SECONDS)
        self._log.close()
        return code

    async def readyz(self) -> dict[str, Any]:
        return json.loads(await self.text("/readyz"))["checks"]  # type: ignore[no-any-return]

    async def metrics(self) -> str:
        return await self.text("/metrics")

    async def text(self, path: str) -> str:
        """What the admin endpoint answers."""
        [listener] = self.supervisor._admin_sockets
        host, port = listener.getsockname()
        async with aiohttp.ClientSession() as client, client.get(f"http://{host}:{port}{path}") as response:
            return await response.text()


@asynccontextmanager
async def running(plan: Path, count: int = 2, **sections: Any) -> AsyncIterator[Scene]:
    scene = Scene(plan, count, **sections)
    try:
        yield scene
    finally:
        if not scene.running.done():
            signal.raise_signal(signal.SIGTERM)
        await asyncio.wait({scene.running}, timeout=SECONDS)


async def test_all_workers_serve_until_sigterm(plan: Path) -> None:
    async with running(plan, 3) as scene:
        assert len(await scene.up()) == 3
        assert (await scene.readyz())["workers"] == "ok"

        signal.raise_signal(signal.SIGTERM)

        assert await scene.end() == 0
        assert scene.pids() == set()
        assert scene.events()[-1]["event"] == "all workers ended"


async def test_sighup_replaces_all_workers_one_by_one(plan: Path) -> None:
    async with running(plan) as scene:
        before = await scene.up()
        fewest = 2

        def look() -> bool:
            nonlocal fewest
            fewest = min(fewest, len(scene.pids()))
            return scene.has_logged("reloaded")

        signal.raise_signal(signal.SIGHUP)
        await scene.until(look)

        assert len(scene.pids()) == 2
        assert before & scene.pids() == set()
        assert fewest == 2
        text = await scene.metrics()
        assert 'walletbridge_reloads_total{result="done"} 1.0' in text
        # Nobody died.
        assert "walletbridge_worker_restarts_total 0.0" in text


@pytest.mark.parametrize(
    ("sections", "problem"),
    [
        ({"limits": {"body_bytes": 0}}, "limits.body_bytes"),
        ({"journal": {"path": "other.db"}}, "journal.path: cannot be changed by a reload; restart"),
        ({"listen": "127.0.0.1:1"}, "listen: cannot be changed by a reload; restart"),
        ({"admin": {"listen": "127.0.0.1:1"}}, "admin: cannot be changed by a reload; restart"),
    ],
)
async def test_settings_that_cannot_be_taken_over_leave_all_as_it_is(
    plan: Path, sections: dict[str, Any], problem: str
) -> None:
    async with running(plan) as scene:
        before = await scene.up()
        scene.write(**sections)
        signal.raise_signal(signal.SIGHUP)
        await scene.until(lambda: scene.has_logged("not reloaded: the old workers go on"))

        assert problem in scene.problems("not reloaded: the old workers go on")[0]
        assert scene.pids() == before
        assert 'walletbridge_reloads_total{result="failed"} 1.0' in await scene.metrics()


async def test_new_workers_that_do_not_start_leave_the_old_ones_at_work(plan: Path) -> None:
    """New code may be as wrong as new settings."""
    async with running(plan) as scene:
        before = await scene.up()
        scene.say(exit=4)
        signal.raise_signal(signal.SIGHUP)
        await scene.until(lambda: scene.has_logged("not reloaded: the old workers go on"))
        assert scene.pids() == before

        scene.say()
        signal.raise_signal(signal.SIGHUP)
        await scene.until(lambda: scene.has_logged("reloaded"))
        assert before & scene.pids() == set()


async def test_a_worker_that_dies_is_replaced(plan: Path) -> None:
    async with running(plan) as scene:
        before = await scene.up()
        scene.supervisor._crew.serving[0].send(signal.SIGKILL)
        await scene.until(lambda: len(scene.pids() - before) == 1 and len(scene.pids()) == 2)

        assert [line["code"] for line in scene.events() if line["event"] == "a worker died"] == [-signal.SIGKILL]
        assert "walletbridge_worker_restarts_total 1.0" in await scene.metrics()


async def test_a_worker_that_hangs_is_killed_and_replaced(plan: Path) -> None:
    say(plan, {"hangs": True})
    async with running(plan, 1, serve={"hang_seconds": 2}) as scene:
        before = await scene.up()
        scene.say()
        await scene.until(lambda: bool(scene.pids() - before))

        assert scene.has_logged("a worker hangs and is killed")


async def test_a_worker_that_is_stopped_with_the_lock_is_killed_and_replaced(plan: Path) -> None:
    journal = plan.with_name("journal.db")
    Store(journal, worker_name(), journal_clock()).close()
    say(plan, {"locks": str(journal)})
    async with running(plan, 1, journal={"path": str(journal)}) as scene:
        before = await scene.up()
        assert {hold.pid for hold in holds(journal)} == before
        assert str(before)[1:-1] in json.loads(await scene.text("/readyz"))["journal_held"][0]
        scene.say()
        scene.supervisor._crew.serving[0].send(signal.SIGSTOP)
        await scene.until(lambda: bool(scene.pids() - before))

        [line] = [line for line in scene.events() if line["event"] == KILLED_FOR_LOCK]
        assert ({line["pid"]}, line["lock"]) == (before, "write lock")
        assert 2 <= line["seconds"] < 4
        assert "walletbridge_worker_restarts_total 1.0" in await scene.metrics()


async def test_a_broken_start_ends_with_its_reason(plan: Path) -> None:
    """At once: nothing has worked yet, so nothing is to be waited for."""
    say(plan, {"exit": 5})
    async with running(plan, 3) as scene:
        assert await scene.end() == 1
        assert scene.problems("gave up") == ["a worker ended while it was started, with exit code 5"]


async def test_who_cannot_bring_up_any_worker_any_more_gives_up(plan: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAUSE_SECONDS", 0.001)
    async with running(plan, 1, serve={"start_tries": 3}) as scene:
        await scene.up()
        scene.say(exit=6)
        scene.supervisor._crew.send(signal.SIGKILL)

        assert await scene.end() == 1
        assert len(scene.problems("no worker could be brought up")) == 2
        assert scene.problems("gave up") == ["a worker ended while it was started, with exit code 6"]


async def test_as_long_as_one_serves_it_is_tried_again(plan: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAUSE_SECONDS", 0.001)
    async with running(plan, serve={"start_tries": 1}) as scene:
        await scene.up()
        scene.say(exit=6)
        scene.supervisor._crew.serving[0].send(signal.SIGKILL)
        await scene.until(lambda: len(scene.problems("no worker could be brought up")) >= 3)
        scene.say()
        await scene.until(lambda: len(scene.pids()) == 2)


async def test_a_fault_of_ours_is_told_and_tried_again(plan: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    faults = [LookupError("a fault of ours")]
    take_on = Crew.take_on

    async def fail_once(crew: Crew, settings: Settings) -> WorkerProcess:
        if faults:
            raise faults.pop()
        return await take_on(crew, settings)

    async with running(plan, 1) as scene:
        before = await scene.up()
        monkeypatch.setattr(Crew, "take_on", fail_once)
        scene.supervisor._crew.send(signal.SIGKILL)
        await scene.until(lambda: bool(scene.pids() - before))

        assert scene.has_logged("fault")


async def test_a_stop_in_the_middle_of_the_start_leaves_nobody_behind(plan: Path) -> None:
    say(plan, {"is_slow": True})
    async with running(plan) as scene:
        await scene.until(lambda: bool(scene.supervisor._crew._alive))
        signal.raise_signal(signal.SIGTERM)

        assert await scene.end() == 0
        assert scene.supervisor._crew._alive == set()


async def test_a_second_sigint_forces_the_workers(plan: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SECOND_SIGNAL_SECONDS", 0.0)
    say(plan, {"is_deaf": True})
    async with running(plan) as scene:
        await scene.up()
        signal.raise_signal(signal.SIGINT)
        await scene.until(lambda: scene.supervisor._stop_wanted_at is not None)
        assert (await scene.readyz())["draining"] == "the gateway is stopping"
        # The workers are told only once those who were about to come in are in.
        while not scene.running.done():
            signal.raise_signal(signal.SIGINT)
            await asyncio.sleep(0.05)

        assert await scene.end() == 0


async def test_systemd_hears_of_start_reload_and_end(
    plan: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(SECONDS)
        monkeypatch.setenv("NOTIFY_SOCKET", manager.getsockname())
        async with running(plan, 1) as scene:
            await scene.up()
            signal.raise_signal(signal.SIGHUP)
            await scene.until(lambda: scene.has_logged("reloaded"))
        said = [manager.recv(100).split(b"\n")[0] for _ in range(4)]

    assert said == [b"READY=1", b"RELOADING=1", b"READY=1", b"STOPPING=1"]


async def test_an_address_that_is_taken_is_an_error_of_the_settings(plan: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        config = plan.with_name("walletbridge.yaml")
        config.write_text(json.dumps({**BASE, "listen": f"127.0.0.1:{taken.getsockname()[1]}"}))

        with pytest.raises(SettingsError, match="listen: cannot listen on"):
            await supervise(config, load(config), 1)

"""Workers are taken on, put to work and let go; one that is not fit is not put to work."""

import asyncio
import json
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from walletbridge.journal.place import FirstSeen
from walletbridge.observe.metrics.exposition import sum_of
from walletbridge.serve.sockets import bind, close
from walletbridge.serve.workers import crew as module
from walletbridge.serve.workers.crew import SPARE_PARTS, Crew, NotStarted, drain_seconds
from walletbridge.serve.workers.process import WorkerProcess
from walletbridge.settings import Address, Deadlines, Serve, Settings, Wallet

SETTINGS = Settings(wallet=Wallet(target="127.0.0.1:1"), serve=Serve(start_seconds=60.0))
HASTY = Settings(wallet=Wallet(target="127.0.0.1:1"), serve=Serve(start_seconds=0.05))


class Scene:
    """A crew of one worker, and how often one ended."""

    def __init__(self, plan: Path) -> None:
        self.plan = plan
        self.ended = 0
        self.sockets = bind(Address("127.0.0.1", 0), key="listen")
        self.journal = plan.with_name("journal.db")
        self.crew = Crew(plan, FirstSeen(self.journal), self.sockets, 1, on_end=self._count)

    def _count(self) -> None:
        self.ended += 1

    async def hire(self, settings: Settings = SETTINGS, **plan: object) -> WorkerProcess:
        self.plan.write_text(json.dumps(plan))
        worker = await self.crew.take_on(settings)
        await self.crew.put_to_work(worker)
        return worker

    @property
    def starts(self) -> int:
        return sum_of(self.crew.parts(), "starts_total")


@pytest.fixture
async def scene(plan: Path) -> AsyncIterator[Scene]:
    scene = Scene(plan)
    yield scene
    scene.crew.send(signal.SIGKILL)
    await scene.crew.let_all_go(SETTINGS)
    close(scene.sockets)


async def test_who_is_let_go_leaves_its_numbers_and_its_place(scene: Scene) -> None:
    """More often than there are places."""
    for number in range(1 + SPARE_PARTS + 1):
        worker = await scene.hire()
        assert scene.crew.serving == [worker]
        assert await scene.crew.let_go(worker, SETTINGS) == 0
        assert scene.starts == number + 1

    assert scene.crew.serving == []
    assert sum_of(scene.crew.parts(), "walletbridge_workers", state="draining") == 0


async def test_a_death_is_heard_of_at_once(scene: Scene) -> None:
    worker = await scene.hire()
    worker.send(signal.SIGKILL)
    async with asyncio.timeout(60):
        while not scene.ended:  # noqa: ASYNC110 - that is what is tested
            await asyncio.sleep(0.005)

    # Until it is buried it is missed.
    assert scene.crew.serving == [worker]
    assert await scene.crew.bury(worker) == -signal.SIGKILL
    assert scene.crew.serving == []


async def test_only_a_first_start_may_begin_a_journal(scene: Scene) -> None:
    await scene.hire()
    scene.journal.touch()
    await scene.hire()
    scene.journal.rename(scene.journal.with_name("away"))

    with pytest.raises(NotStarted, match=r"journal.db is gone: .*; put it back, or end the gateway, put a backup"):
        await scene.crew.take_on(SETTINGS)
    scene.journal.touch()
    with pytest.raises(NotStarted, match=r"journal.db was replaced while it was in use; put it back"):
        await scene.crew.take_on(SETTINGS)


async def test_who_dies_at_the_start_is_not_put_to_work(scene: Scene) -> None:
    with pytest.raises(NotStarted, match="a worker ended while it was started, with exit code 3"):
        await scene.hire(exit=3)

    assert scene.crew.serving == []


async def test_who_is_not_ready_in_time_is_not_put_to_work(scene: Scene) -> None:
    with pytest.raises(NotStarted, match=r"a worker was not ready within 0.05 s"):
        await scene.hire(HASTY, is_slow=True)

    assert scene.crew._alive == set()


async def test_who_has_no_wallet_does_not_take_over_from_who_has_one(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WALLET_SECONDS", 0.05)
    first = await scene.hire(wallet=False)
    second = await scene.hire(wallet=True)
    with pytest.raises(NotStarted, match="has no connection to the wallet, though others have one"):
        await scene.hire(wallet=False)

    assert scene.crew.serving == [first, second]


async def test_whoever_gives_up_waiting_leaves_nobody_behind(scene: Scene) -> None:
    hiring = asyncio.ensure_future(scene.hire(is_slow=True))
    async with asyncio.timeout(60):
        while not scene.starts:  # noqa: ASYNC110 - another process sets no event
            await asyncio.sleep(0.005)
    hiring.cancel()
    with pytest.raises(asyncio.CancelledError):
        await hiring

    assert scene.crew._alive == set()


async def test_there_is_room_for_a_few_who_leave_only(scene: Scene) -> None:
    for _ in range(1 + SPARE_PARTS):
        await scene.hire()
    with pytest.raises(NotStarted, match="too many workers are on their way down"):
        await scene.hire()


async def test_a_signal_reaches_all(scene: Scene) -> None:
    workers = [await scene.hire(), await scene.hire()]
    scene.crew.send(signal.SIGINT)

    assert [await worker.ended() for worker in workers] == [7, 7]


def test_a_worker_has_time_for_its_clients_and_its_longest_call() -> None:
    settings = Settings(
        wallet=Wallet(target="w"), serve=Serve(drain_seconds=3), deadlines=Deadlines(win=20.0, margin=0.1)
    )

    assert drain_seconds(settings) == 3 + 20 + module.END_SECONDS

"""What strangers may take of a worker's time, on a clock that stands still while the loop runs."""

import asyncio
from collections.abc import Callable

from tests.support.clock import FakeClock

from walletbridge.serve.lane.strangers import BURST_SECONDS, CALM_SECONDS, KNOWN_MAX, Strangers


class Scene:
    """Strangers who write down when it was their turn."""

    def __init__(self, percent: int = 25) -> None:
        self.clock = FakeClock()
        self.strangers = Strangers(percent, clock=self.clock)
        self.strangers.make_room()
        self.turns: list[str] = []
        self.futures: dict[str, asyncio.Future[None]] = {}

    async def ask(self, name: str, seconds: float = 0.0, *, address: str = "192.0.2.1") -> None:
        self.futures[name] = asyncio.get_running_loop().create_future()
        await self.strangers.turn(self.futures[name], address)
        self.turns.append(name)
        self.strangers.charge(seconds)


async def _until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0.001)


async def test_nobody_waits_while_there_is_time_left() -> None:
    scene = Scene()

    await scene.ask("first", BURST_SECONDS / 2)
    await scene.ask("second")

    assert scene.turns == ["first", "second"]


def test_what_was_done_is_paid_at_the_share() -> None:
    scene = Scene(percent=25)
    scene.strangers.charge(BURST_SECONDS + 1)

    assert 4 <= scene.strangers.wait_seconds() < 4.01
    scene.clock.tick(4.01)

    assert scene.strangers.wait_seconds() == 0


def test_while_no_callbacks_come_they_have_all_of_the_time() -> None:
    scene = Scene(percent=25)
    scene.clock.tick(CALM_SECONDS)
    scene.strangers.charge(BURST_SECONDS + 1)

    assert 1 <= scene.strangers.wait_seconds() < 1.01
    scene.strangers.make_room()
    assert 4 <= scene.strangers.wait_seconds() < 4.01


def test_no_more_is_saved_than_a_burst() -> None:
    scene = Scene()
    scene.clock.tick(1000)
    scene.strangers.charge(BURST_SECONDS)

    assert scene.strangers.wait_seconds() > 0


async def test_they_go_on_in_their_order_and_one_at_a_time() -> None:
    scene = Scene(percent=100)
    scene.strangers.charge(BURST_SECONDS)
    async with asyncio.TaskGroup() as group:
        for name in ("first", "second", "third"):
            group.create_task(scene.ask(name, 0.01))
        await _until(lambda: len(scene.strangers) == 3)
        scene.clock.tick(0.001)
        await _until(lambda: scene.turns != [])
        await asyncio.sleep(0.02)
        assert scene.turns == ["first"], "the second waits for what the first has cost"
        scene.clock.tick(0.03)
        await _until(lambda: len(scene.turns) == 3)

    assert scene.turns == ["first", "second", "third"]


async def test_a_crowd_from_one_address_keeps_another_waiting_for_one_of_it_only() -> None:
    scene = Scene(percent=100)
    scene.strangers.charge(BURST_SECONDS)
    async with asyncio.TaskGroup() as group:
        for number in range(50):
            group.create_task(scene.ask(f"crowd {number}"))
        await _until(lambda: len(scene.strangers) == 50)
        group.create_task(scene.ask("alone", address="192.0.2.2"))
        await _until(lambda: len(scene.strangers) == 51)
        scene.clock.tick(1)

    assert scene.turns.index("alone") == 1
    assert not len(scene.strangers)


async def test_who_has_gone_keeps_nobody_waiting_and_nothing_in_memory() -> None:
    scene = Scene()
    scene.strangers.charge(BURST_SECONDS + 1)
    gone, cancelled = (asyncio.create_task(scene.ask(name)) for name in ("gone", "cancelled"))
    await _until(lambda: len(scene.strangers) == 2)

    scene.futures["gone"].set_result(None)
    cancelled.cancel()
    await asyncio.wait([gone, cancelled])

    assert scene.turns == ["gone"]
    assert not len(scene.strangers)


def test_a_bounded_number_of_addresses_is_known() -> None:
    strangers = Scene().strangers
    for number in range(KNOWN_MAX + 1):
        strangers.know(f"2001:db8:0:{number:x}::1")

    assert not strangers.knows("2001:db8:0:0::1")
    assert strangers.knows("2001:db8:0:1::2"), "of the same network"

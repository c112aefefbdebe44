"""Who may still call the wallet when many do, and who waits for it."""

import asyncio
from collections import deque

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from walletbridge.protocol.callbacks import Command
from walletbridge.wallet.protection.call_slots import Places

READS_AND_BETS = [Command.AUTHENTICATE, Command.BALANCE, Command.STATUS, Command.BET]
LONG = 60.0


def fill(places: Places, command: Command) -> int:
    """Takes places for `command` until it is refused; returns how many there were."""
    count = 0
    while places.take(command):
        count += 1
    return count


@pytest.mark.parametrize("command", READS_AND_BETS)
def test_a_flood_leaves_room_for_wins_and_for_cancels(command: Command) -> None:
    places = Places(100, kept_for_cancels=10, kept_for_wins=15)

    assert fill(places, command) == 75
    assert fill(places, Command.WIN) == 15
    assert fill(places, command) == 0
    assert fill(places, Command.CANCEL) == 10
    assert places.taken == 100
    assert [command for command in Command if places.take(command)] == []


@pytest.mark.parametrize(("first", "second", "most"), [("win", "cancel", 90), ("cancel", "win", 85)])
def test_what_is_kept_for_the_one_is_kept_from_the_other(first: str, second: str, most: int) -> None:
    places = Places(100, kept_for_cancels=10, kept_for_wins=15)

    assert fill(places, Command(first)) == most
    assert not places.take(Command.BET)
    assert fill(places, Command(second)) == 100 - most


def test_calls_in_places_that_are_kept_take_none_from_others() -> None:
    places = Places(100, kept_for_cancels=10, kept_for_wins=15)
    for _ in range(10):
        assert places.take(Command.CANCEL)

    assert fill(places, Command.BET) == 75


def test_a_place_that_is_given_back_is_had_by_whom_it_is_for() -> None:
    places = Places(10, kept_for_cancels=10, kept_for_wins=10)
    assert (fill(places, Command.BET), fill(places, Command.WIN), fill(places, Command.CANCEL)) == (8, 1, 1)

    places.give_back(Command.CANCEL)
    assert not places.take(Command.BET)
    assert not places.take(Command.WIN)
    assert places.take(Command.CANCEL)

    places.give_back(Command.BET)
    assert places.take(Command.BET)
    assert not places.take(Command.BET)


@pytest.mark.parametrize(
    ("count", "bets", "wins", "cancels"),
    [(1, 1, 1, 1), (4, 4, 4, 4), (10, 8, 9, 9), (256, 193, 231, 218)],
)
def test_shares_are_rounded_down_so_that_few_places_are_for_all(count: int, bets: int, wins: int, cancels: int) -> None:
    def alone(command: Command) -> int:
        return fill(Places(count, kept_for_cancels=10, kept_for_wins=15), command)

    assert [alone(command) for command in (Command.BET, Command.WIN, Command.CANCEL)] == [bets, wins, cancels]
    assert all(alone(command) == bets for command in READS_AND_BETS)


def test_nothing_need_be_kept() -> None:
    places = Places(7, kept_for_cancels=0, kept_for_wins=0)

    assert fill(places, Command.BALANCE) == 7
    assert not places.take(Command.CANCEL)
    assert places.few == 1


# Waiting


def waiting(places: Places, command: Command, order: list[str], name: str) -> asyncio.Task[bool]:
    async def wait() -> bool:
        got = await places.wait(command, LONG)
        if got:
            order.append(name)
        return got

    return asyncio.create_task(wait())


async def steps() -> None:
    """Lets all that can go on do so."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_cancels_go_before_wins_and_wins_before_others_and_each_in_order() -> None:
    places = Places(1, kept_for_cancels=0, kept_for_wins=0, waiting_max=10)
    assert places.take(Command.BET)
    order: list[str] = []
    names = ["bet 1", "balance 1", "win 1", "bet 2", "cancel 1", "win 2", "cancel 2"]
    tasks = [waiting(places, Command(name.split()[0]), order, name) for name in names]
    await steps()
    places.give_back(Command.BET)
    await steps()
    while len(order) < len(names):
        places.give_back(Command(order[-1].split()[0]))
        await steps()

    assert order == ["cancel 1", "cancel 2", "win 1", "win 2", "bet 1", "balance 1", "bet 2"]
    assert all([await task for task in tasks])


async def test_the_wait_is_bounded_in_time_and_in_number() -> None:
    places = Places(1, kept_for_cancels=0, kept_for_wins=0, waiting_max=2)
    assert places.take(Command.BET)
    assert await places.wait(Command.BET, 0) is False
    assert await places.wait(Command.BET, 0.001) is False
    assert places.waiting == 0

    tasks = [waiting(places, Command.BET, [], "bet") for _ in range(2)]
    await steps()
    assert await places.wait(Command.BALANCE, LONG) is False
    # Those of another class have their own.
    tasks.append(waiting(places, Command.CANCEL, [], "cancel"))
    await steps()
    assert places.waiting == 3
    for task in tasks:
        task.cancel()


class _Crowd:
    """Calls that come, wait, leave and end in any order, and a simple account of who may be in."""

    def __init__(self, count: int, cancels: int, wins: int) -> None:
        self.count = count
        self.kept = {Command.CANCEL: count * cancels // 100, Command.WIN: count * wins // 100}
        self.places = Places(count, kept_for_cancels=cancels, kept_for_wins=wins, waiting_max=3)
        self.inside: list[Command] = []
        self.queue: deque[tuple[Command, asyncio.Task[bool]]] = deque()

    async def come(self, command: Command) -> None:
        if self.places.take(command):
            self.inside.append(command)
            return

        async def wait() -> bool:
            got = await self.places.wait(command, LONG)
            if got:
                self.inside.append(command)
            return got

        self.queue.append((command, asyncio.create_task(wait())))
        await steps()

    async def end(self, number: int) -> None:
        if self.inside:
            self.places.give_back(self.inside.pop(number % len(self.inside)))
        await steps()

    async def leave(self, number: int) -> None:
        if self.queue:
            self.queue[number % len(self.queue)][1].cancel()
        # At times at the very moment in which a place is given.
        if number % 2 and self.inside:
            self.places.give_back(self.inside.pop())
        await steps()

    def check(self) -> None:
        self.queue = deque(each for each in self.queue if not each[1].done())
        assert self.places.taken == len(self.inside) <= self.count
        assert self.places.waiting == len(self.queue)
        for command in Command:
            assert self.places.taken_by(command) == self.inside.count(command)
        for kept_for, kept in self.kept.items():
            assert len(self.inside) - self.inside.count(kept_for) <= self.count - kept
        # Nobody waits for a place that is free for him.
        for command in {command for command, _ in self.queue}:
            assert not self.places.take(command)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    count=st.integers(1, 6),
    kept=st.tuples(st.integers(0, 45), st.integers(0, 45)),
    events=st.lists(
        st.one_of(
            st.tuples(st.just("come"), st.sampled_from(Command)),
            st.tuples(st.just("end"), st.integers(0, 9)),
            st.tuples(st.just("leave"), st.integers(0, 9)),
        ),
        max_size=40,
    ),
)
async def test_in_any_order_no_place_is_lost_or_given_twice(
    count: int, kept: tuple[int, int], events: list[tuple[str, Command | int]]
) -> None:
    crowd = _Crowd(count, *kept)
    for event, value in events:
        await getattr(crowd, event)(value)
        crowd.check()
    while crowd.inside:
        await crowd.end(0)
        crowd.check()
    assert (crowd.places.taken, crowd.places.waiting) == (0, 0)

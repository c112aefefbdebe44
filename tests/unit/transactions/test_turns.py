"""Turns inside one process: one at a time, first come, first served, and nothing stays behind."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest

from walletbridge.transactions.turns import Turns

LONG = 10.0


@pytest.fixture
async def turns() -> AsyncIterator[Turns]:
    """Turns of which nothing may be left behind."""
    turns = Turns()
    yield turns
    assert not turns._waiting


async def queued(turns: Turns, *names: str, order: list[str], seconds: float = LONG) -> list[asyncio.Task[bool]]:
    """Tasks that wait for the turn of "key" in the order of `names`, note when they get it and give it back."""

    async def wait(name: str) -> bool:
        if not await turns.take("key", seconds):
            return False
        order.append(name)
        turns.give_back("key")
        return True

    tasks = [asyncio.create_task(wait(name)) for name in names]
    await asyncio.sleep(0)
    return tasks


async def test_a_free_turn_is_had_at_once_even_with_no_time_left(turns: Turns) -> None:
    assert await turns.take("key", -1.0)
    assert turns.is_taken("key")

    turns.give_back("key")

    assert not turns.is_taken("key")


async def test_first_come_first_served(turns: Turns) -> None:
    order: list[str] = []
    assert await turns.take("key", LONG)
    tasks = await queued(turns, "a", "b", "c", order=order)
    assert order == []

    turns.give_back("key")

    assert all(await asyncio.gather(*tasks))
    assert order == ["a", "b", "c"]
    assert not turns.is_taken("key")


async def test_who_comes_while_others_wait_does_not_jump_the_line(turns: Turns) -> None:
    order: list[str] = []
    assert await turns.take("key", LONG)
    first = await queued(turns, "a", order=order)
    turns.give_back("key")
    # "a" has the turn, but has not run since.
    second = await queued(turns, "b", order=order)

    await asyncio.gather(*first, *second)

    assert order == ["a", "b"]


@pytest.mark.parametrize("seconds", [-1.0, 0.0, 0.01])
async def test_who_runs_out_of_time_leaves_the_line_as_it_was(turns: Turns, seconds: float) -> None:
    order: list[str] = []
    assert await turns.take("key", LONG)
    before = await queued(turns, "a", order=order)
    assert not await turns.take("key", seconds)
    after = await queued(turns, "b", order=order)

    turns.give_back("key")

    assert all(await asyncio.gather(*before, *after))
    assert order == ["a", "b"]


async def test_who_is_cancelled_while_waiting_leaves_the_line_as_it_was(turns: Turns) -> None:
    order: list[str] = []
    assert await turns.take("key", LONG)
    a, b, c = await queued(turns, "a", "b", "c", order=order)
    b.cancel()
    with pytest.raises(asyncio.CancelledError):
        await b

    turns.give_back("key")

    assert all(await asyncio.gather(a, c))
    assert order == ["a", "c"]


@pytest.mark.parametrize("is_cancelled_first", [True, False])
async def test_who_is_cancelled_just_as_it_gets_the_turn_hands_it_on(turns: Turns, *, is_cancelled_first: bool) -> None:
    order: list[str] = []
    assert await turns.take("key", LONG)
    a, b = await queued(turns, "a", "b", order=order)

    if is_cancelled_first:
        a.cancel()
        turns.give_back("key")
    else:
        turns.give_back("key")
        a.cancel()

    with suppress(asyncio.CancelledError):
        await a
    assert await b
    assert a.cancelled()
    assert order == ["b"]


async def test_the_last_in_line_that_is_cancelled_as_it_gets_the_turn_frees_it(turns: Turns) -> None:
    assert await turns.take("key", LONG)
    (only,) = await queued(turns, "a", order=[])

    turns.give_back("key")
    only.cancel()
    with pytest.raises(asyncio.CancelledError):
        await only

    assert not turns.is_taken("key")


async def test_other_keys_do_not_wait(turns: Turns) -> None:
    assert await turns.take("1", 0)
    assert await turns.take("2", 0)

    turns.give_back("1")

    assert (turns.is_taken("1"), turns.is_taken("2")) == (False, True)
    turns.give_back("2")


async def test_under_random_cancels_and_timeouts_one_has_the_turn_at_a_time(turns: Turns) -> None:
    at_work = most = done = 0

    async def work(number: int) -> None:
        nonlocal at_work, most, done
        if not await turns.take("key", LONG if number % 3 else 0.0):
            return
        try:
            at_work += 1
            most = max(most, at_work)
            await asyncio.sleep(0)
            done += 1
        finally:
            at_work -= 1
            turns.give_back("key")

    tasks = [asyncio.create_task(work(number)) for number in range(300)]
    for number, task in enumerate(tasks):
        if number % 5 == 0:
            task.cancel()
        if number % 7 == 0:
            await asyncio.sleep(0)
    await asyncio.gather(*tasks, return_exceptions=True)

    assert most == 1
    assert done >= 150

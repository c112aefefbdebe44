"""What was begun for a callback goes on, whoever waits for it; and everybody is told something."""

import asyncio
from collections.abc import Callable

import pytest

from walletbridge.gateway.gateway import Request
from walletbridge.gateway.in_flight import Answering
from walletbridge.observe.trace import Trace
from walletbridge.protocol import answers
from walletbridge.protocol.answers import Answer
from walletbridge.protocol.outcomes import Result

REQUEST = Request("POST", has_token=True, body=b"", received_at=0.0)
FINE = Answer(200, Result.OK, b"{}")


class Slow:
    """A gateway that answers once it may, or raises what a test says."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.may = asyncio.Event()
        self.asked = asyncio.Event()
        self.faults: list[BaseException] = []
        self.answering = Answering(self._answer, on_fault=self.faults.append)
        self._error = error

    async def _answer(self, request: Request, trace: Trace) -> Answer:
        del request, trace
        self.asked.set()
        if self._error is not None:
            raise self._error
        await self.may.wait()
        return FINE

    def wait(self) -> "asyncio.Task[Answer]":
        return asyncio.ensure_future(self.answering.answer(REQUEST, Trace()))

    def begin(self, told: Callable[[Answer], None]) -> None:
        self.answering.begin(REQUEST, Trace(), told)


async def test_who_waits_gets_the_answer() -> None:
    gateway = Slow()
    waiter = gateway.wait()
    await gateway.asked.wait()
    gateway.may.set()

    assert await waiter is FINE
    assert not gateway.answering.tasks


async def test_a_waiter_that_is_cancelled_still_gets_it() -> None:
    gateway = Slow()
    waiter = gateway.wait()
    await gateway.asked.wait()
    waiter.cancel()
    await asyncio.sleep(0)
    gateway.may.set()

    assert await waiter is FINE


async def test_a_waiter_that_is_cancelled_twice_goes_and_the_work_goes_on() -> None:
    gateway = Slow()
    waiter = gateway.wait()
    await gateway.asked.wait()
    for _ in range(2):
        waiter.cancel()
        await asyncio.sleep(0)
    with pytest.raises(asyncio.CancelledError):
        await waiter

    [work] = gateway.answering.tasks
    gateway.may.set()
    assert await work is FINE


async def test_who_does_not_wait_is_told_later_or_at_once() -> None:
    gateway = Slow()
    told: list[Answer] = []
    gateway.begin(told.append)
    await gateway.asked.wait()
    assert told == []
    gateway.may.set()
    await gateway.answering.drain()
    assert told == [FINE]

    gateway.begin(told.append)
    await gateway.answering.drain()
    assert told == [FINE, FINE]


async def test_who_does_not_wait_is_told_of_a_fault_as_of_an_unknown_outcome() -> None:
    error = RuntimeError("broken")
    gateway = Slow(error)
    told: list[Answer] = []
    gateway.begin(told.append)
    await gateway.answering.drain()

    assert told == [answers.UNKNOWN]
    assert gateway.faults == [error]


async def test_who_does_not_wait_is_told_when_the_work_is_cancelled() -> None:
    gateway = Slow()
    told: list[Answer] = []
    gateway.begin(told.append)
    await gateway.asked.wait()
    for work in gateway.answering.tasks:
        work.cancel()
    await gateway.answering.drain()

    assert told == [answers.UNKNOWN]


async def test_other_work_goes_on_as_well() -> None:
    gateway = Slow()
    waiter = asyncio.ensure_future(gateway.answering.shielded(gateway.may.wait()))
    await asyncio.sleep(0)
    waiter.cancel()
    await asyncio.wait({waiter})

    assert waiter.cancelled()
    [work] = gateway.answering.tasks
    gateway.may.set()
    assert await work is True


async def test_the_end_waits_for_what_comes_meanwhile_too() -> None:
    gateway = Slow()
    told: list[Answer] = []
    gateway.begin(told.append)
    draining = asyncio.ensure_future(gateway.answering.drain())
    await asyncio.sleep(0)
    gateway.begin(told.append)
    gateway.may.set()
    await draining

    assert told == [FINE, FINE]


async def test_after_the_end_whatever_comes_is_unknown() -> None:
    gateway = Slow()
    gateway.answering.stop()
    told: list[Answer] = []
    gateway.begin(told.append)

    assert (told, await gateway.wait()) == ([answers.UNKNOWN], answers.UNKNOWN)
    assert not gateway.asked.is_set()

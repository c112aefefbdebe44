"""Work that goes on after a fault."""

import asyncio

import pytest

from walletbridge.wallet.protection import lasting as lasting_module
from walletbridge.wallet.protection.lasting import lasting


async def test_a_fault_is_told_and_the_work_begins_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lasting_module, "AGAIN_SECONDS", 0)
    faults: list[Exception] = []
    rounds = 0

    async def run() -> None:
        nonlocal rounds
        rounds += 1
        if rounds < 3:
            raise ValueError(rounds)

    await lasting(run, on_fault=faults.append)

    assert [str(fault) for fault in faults] == ["1", "2"]


async def test_one_that_cannot_be_told_of_a_fault_does_not_end_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lasting_module, "AGAIN_SECONDS", 0)
    rounds: list[int] = []

    async def run() -> None:
        rounds.append(1)
        if len(rounds) == 1:
            raise ValueError

    def fail(_: Exception) -> None:
        raise OSError

    await lasting(run, on_fault=fail)

    assert len(rounds) == 2


async def test_it_ends_when_it_is_cancelled() -> None:
    async def run() -> None:
        await asyncio.sleep(3600)

    task = asyncio.ensure_future(lasting(run, on_fault=lambda _: None))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

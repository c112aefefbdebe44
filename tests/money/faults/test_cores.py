"""How long a process waits for a core."""

import asyncio
import os
import sys

from tests.money.faults.cores import Cores

_SPIN_SECONDS = 0.5
_SPIN = "while True: pass"


async def test_of_two_that_share_a_core_one_waits() -> None:
    core = min(os.sched_getaffinity(0))
    pair = [await asyncio.create_subprocess_exec(sys.executable, "-c", _SPIN) for _ in range(2)]
    for process in pair:
        os.sched_setaffinity(process.pid, {core})
    cores = Cores([process.pid for process in pair])
    await asyncio.sleep(_SPIN_SECONDS)
    waited = cores.waited()
    for process in pair:
        process.kill()
        await process.wait()

    assert waited > _SPIN_SECONDS / 10


def test_one_that_is_gone_does_not_wait() -> None:
    assert Cores([]).waited() == 0
    assert Cores([2**22 + 1]).waited() == 0

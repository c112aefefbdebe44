"""Stops a process at a moment at which it has a lock of the journal: again and again for a moment, until it is one."""

import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path
from random import Random

from walletbridge.journal.holder import holds, is_stopped

HUNTS_MAX = 400


async def freeze_with_lock(pids: Callable[[], list[int]], journal: Path, random: Random) -> int:
    """
    Stops one of the processes, and returns which, once it stands still with the lock or with the queue; 0 where that
    did not come about. Somebody has to write meanwhile.
    """
    for _ in range(HUNTS_MAX):
        try:
            # There may be none for a moment.
            pid = random.choice(pids())
            os.kill(pid, signal.SIGSTOP)
            await asyncio.to_thread(_until_stopped, pid)
            if any(hold.pid == pid for hold in await asyncio.to_thread(holds, journal)):
                return pid
            os.kill(pid, signal.SIGCONT)
        except (IndexError, ProcessLookupError):
            pass
        await asyncio.sleep(random.uniform(0.002, 0.01))
    return 0


def _until_stopped(pid: int) -> None:
    for _ in range(1000):
        if is_stopped(pid):
            return
        os.sched_yield()

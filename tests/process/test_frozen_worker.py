"""A worker that is stopped while it keeps all others from writing the journal is ended, and no money is lost by it."""

import asyncio
import time
from pathlib import Path
from random import Random

from tests.process.crowd import PLAYERS, Fleet, running_fleet
from tests.support.freezing import freeze_with_lock
from tests.support.processes import has_logged
from tests.support.waiting import until

SECONDS = 60
AGAIN_SECONDS = 8.0
"""2 s until it is ended, two looks, and a very busy machine; whoever hangs without the lock is ended after 10 s."""
KILLED = "a worker that stands still holds the journal's lock and is killed"


def pids(fleet: Fleet) -> list[int]:
    return [worker.pid for worker in fleet.workers]


async def test_a_worker_that_is_stopped_with_the_lock_is_ended_and_bets_go_on(tmp_path: Path) -> None:
    async with running_fleet(tmp_path, journal={"path": "journal.db"}) as fleet:
        crowd = fleet.crowd
        async with fleet.playing():
            random = Random(1)  # noqa: S311 - to be repeated, not to be secret
            stopped = await freeze_with_lock(lambda: pids(fleet), tmp_path / "journal.db", random)
            since = time.monotonic()
            assert stopped
            await until(lambda: stopped not in pids(fleet), seconds=SECONDS)
            bets = crowd.answers["bet", 200, 0]
            await until(lambda: crowd.answers["bet", 200, 0] > bets + PLAYERS, seconds=SECONDS)
            lasted = time.monotonic() - since
            await until(lambda: len(pids(fleet)) == 2, seconds=SECONDS)
            crowd.stop()
        await crowd.make_up(fleet.client)
        async with asyncio.timeout(SECONDS):
            while await fleet.number("walletbridge_journal_open_rows"):  # noqa: ASYNC110 - that is how one watches
                await asyncio.sleep(0.05)
        restarts = await fleet.number("walletbridge_worker_restarts_total")
        spent = fleet.spent_by_wallet()

    assert 2 < lasted < AGAIN_SECONDS
    assert has_logged(fleet.gateway, KILLED)
    assert restarts == 1
    assert {status for _, status, _ in crowd.answers} <= {200, 500}
    assert spent == crowd.spent

"""Several workers behind one port: replaced, killed and stopped under load, with no callback lost."""

import asyncio
from pathlib import Path
from signal import SIGHUP, SIGKILL, SIGTERM

from tests.e2e.crowd import PLAYERS, Fleet, running_fleet
from tests.helpers.processes import has_logged
from tests.helpers.waiting import until

RELOAD_SECONDS = 100


def pids(fleet: Fleet) -> set[int]:
    return {worker.pid for worker in fleet.workers}


async def test_a_rolling_restart_and_the_end_lose_no_callback(tmp_path: Path) -> None:
    """Under load: no connection error, no 5xx, and the books of the players agree with the wallet's."""
    async with running_fleet(tmp_path) as fleet:
        before = pids(fleet)
        crowd = fleet.crowd
        async with fleet.playing():
            fleet.gateway.process.send_signal(SIGHUP)
            await until(lambda: has_logged(fleet.gateway, "reloaded"), seconds=RELOAD_SECONDS)
            at = crowd.answered
            await until(lambda: crowd.answered > at + 100, seconds=RELOAD_SECONDS)
            crowd.stop()
        counted = await fleet.number("walletbridge_callbacks_total")
        after = pids(fleet)

        assert crowd.errors == [], "\n".join(crowd.errors)
        assert {(status, result) for _, status, result in crowd.answers} == {(200, 0)}
        assert len(after) == 2
        assert before & after == set()
        # What dead workers have counted is neither lost nor counted twice.
        assert counted == crowd.answered
        assert await fleet.number("walletbridge_reloads_total") == 1
        assert fleet.spent_by_wallet() == crowd.spent

        async with fleet.playing():
            fleet.gateway.process.send_signal(SIGTERM)
            assert await asyncio.wait_for(fleet.gateway.process.wait(), RELOAD_SECONDS) == 0

        assert crowd.errors == [], "\n".join(crowd.errors)
        assert {(status, result) for _, status, result in crowd.answers} == {(200, 0)}
        assert fleet.spent_by_wallet() == crowd.spent


async def test_a_worker_that_is_killed_costs_no_money(tmp_path: Path) -> None:
    """The others answer; whose bet was cut off cancels it as providers do; in the end all books agree."""
    async with running_fleet(tmp_path) as fleet:
        crowd = fleet.crowd
        async with fleet.playing():
            before = pids(fleet)
            fleet.workers[0].send_signal(SIGKILL)
            at = crowd.answered
            await until(lambda: crowd.answered > at + 100, seconds=RELOAD_SECONDS)
            await until(lambda: len(pids(fleet)) == 2 and pids(fleet) != before, seconds=RELOAD_SECONDS)
            crowd.stop()
        await crowd.make_up(fleet.client)
        async with asyncio.timeout(RELOAD_SECONDS):
            while await fleet.number("walletbridge_journal_open_rows"):  # noqa: ASYNC110 - that is how one watches
                await asyncio.sleep(0.05)
        counted = await fleet.number("walletbridge_callbacks_total")
        spent = fleet.spent_by_wallet()

    # Each player had one callback on its way, at most, and only those with the dead worker were cut off.
    assert len(crowd.errors) <= PLAYERS
    assert {(status, result) for _, status, result in crowd.answers} <= {(200, 0), (200, 41), (200, 42)}
    # What the dead worker had counted is still there; it may have counted answers that went nowhere.
    assert crowd.answered <= counted <= crowd.answered + PLAYERS
    assert spent == crowd.spent

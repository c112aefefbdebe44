"""
Several workers behind one port: replaced, killed and stopped under load, with no callback lost. Replaced and stopped at
more callbacks a second:

    uv run python -m tests.process.test_workers 500
"""

import asyncio
import sys
import tempfile
from collections import Counter
from pathlib import Path
from signal import SIGHUP, SIGKILL, SIGTERM
from typing import NamedTuple

from tests.process.crowd import PLAYERS, Fleet, running_fleet
from tests.process.steady import Order, Played, accounts, playing
from tests.support.processes import address_of, has_logged
from tests.support.waiting import until

RATE = 60
"""Callbacks a second, by default: what any machine can bear."""
RELOAD_SECONDS = 100
BALANCE_MINOR = 100_000_000


def pids(fleet: Fleet) -> set[int]:
    return {worker.pid for worker in fleet.workers}


class Restarted(NamedTuple):
    """What players saw of a rolling restart, and of the end."""

    restart: Played
    end: Played


async def restart_and_end(folder: Path, rate: float) -> Restarted:
    """A rolling restart and the end, each under load. Raises AssertionError where a callback or money is lost."""
    async with running_fleet(folder) as fleet:
        for account in accounts():
            fleet.wallet.ledger.add_player(account, BALANCE_MINOR)
        order, before = Order(*address_of(fleet.gateway), rate), pids(fleet)
        async with playing(order) as load:
            await until_counted(fleet, rate)
            fleet.gateway.process.send_signal(SIGHUP)
            await until(lambda: has_logged(fleet.gateway, "reloaded"), seconds=RELOAD_SECONDS)
            await until_counted(fleet, await callbacks(fleet) + rate)
            restart = await load.end()
        counted, after = await callbacks(fleet), pids(fleet)

        assert_well(restart)
        assert len(after) == 2
        assert before & after == set()
        # What dead workers have counted is neither lost nor counted twice.
        assert counted == restart.answered
        assert await fleet.number("walletbridge_reloads_total") == 1
        assert spent_by_wallet(fleet) == Counter(restart.spent)

        async with playing(order) as load:
            await until_counted(fleet, counted + rate)
            fleet.gateway.process.send_signal(SIGTERM)
            assert await asyncio.wait_for(fleet.gateway.process.wait(), RELOAD_SECONDS) == 0
            end = await load.end()

        assert_well(end)
        spent = Counter(restart.spent)
        spent.update(end.spent)  # `+` would leave out who has won more than lost
        assert spent_by_wallet(fleet) == spent
    return Restarted(restart, end)


async def callbacks(fleet: Fleet) -> float:
    """How many the gateway has counted."""
    return await fleet.number("walletbridge_callbacks_total")


async def until_counted(fleet: Fleet, number: float) -> None:
    """Waits for so many callbacks."""
    async with asyncio.timeout(RELOAD_SECONDS):
        while await callbacks(fleet) < number:  # noqa: ASYNC110 - that is how one watches
            await asyncio.sleep(0.1)


def assert_well(played: Played) -> None:
    """No connection error, no 5xx, no refusal."""
    assert played.errors == [], "\n".join(played.errors)
    assert played.answers.keys() == {"200 0"}


def spent_by_wallet(fleet: Fleet) -> Counter[str]:
    """What the players have spent by the wallet's ledger, in minor units."""
    balances = {row["account"]: int(row["balance_minor"]) for row in fleet.wallet.ledger.dump()["players"]}
    return Counter({account: BALANCE_MINOR - balances[account] for account in accounts()})


async def test_a_rolling_restart_and_the_end_lose_no_callback(tmp_path: Path) -> None:
    """Under load: no connection error, no 5xx, and the books of the players agree with the wallet's."""
    await restart_and_end(tmp_path, RATE)


async def test_a_worker_that_is_replaced_takes_no_settings_that_nobody_has_released(tmp_path: Path) -> None:
    """What somebody is still writing holds from the next reload on, and not from the next crash on."""
    async with running_fleet(tmp_path) as fleet:
        before = pids(fleet)
        await asyncio.to_thread((tmp_path / "walletbridge.yaml").write_text, '{"nonsense": 1}')
        fleet.workers[0].send_signal(SIGKILL)
        await until(lambda: len(pids(fleet) - before) == 1 and len(pids(fleet)) == 2, seconds=RELOAD_SECONDS)
        async with fleet.playing():
            pass

        fleet.gateway.process.send_signal(SIGHUP)
        await until(lambda: has_logged(fleet.gateway, "not reloaded: the old workers go on"), seconds=RELOAD_SECONDS)
        assert not has_logged(fleet.gateway, "no worker could be brought up")


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


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        restarted = asyncio.run(restart_and_end(Path(name), float(sys.argv[1])))
    for what, played in restarted._asdict().items():
        print(  # noqa: T201 - what the command is asked for
            f"{what}: {played.answered} callbacks, {played.rate:.0f} a second, {played.slowest_rate:.0f} at least, "
            f"p99 {played.p99 * 1000:.0f} ms, {played.connections} connections, nothing lost"
        )

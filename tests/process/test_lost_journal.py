"""A gateway whose journal's file goes says so at once, takes no bet, and begins no other file in its place."""

import asyncio
import json
from pathlib import Path
from signal import SIGKILL

from tests.process.crowd import Fleet, accounts, running_fleet
from tests.support.callbacks import make_callback
from tests.support.processes import has_logged, post
from tests.support.waiting import until

from walletbridge.journal.write_queue import BESIDE

SECONDS = 60


async def until_ready_is(fleet: Fleet, status: int) -> None:
    async with asyncio.timeout(SECONDS):
        while (await fleet.get("/readyz"))[0] != status:  # noqa: ASYNC110 - that is how one watches
            await asyncio.sleep(0.05)


async def bet(fleet: Fleet, number: int) -> tuple[int, int]:
    callback = make_callback("bet", account=accounts()[0], trans_id=number, round_id=f"r{number}")
    status, answer = await post(fleet.client, fleet.gateway.url, callback)
    return status, json.loads(answer)["result"]


async def test_another_file_in_the_place_of_the_journal_takes_no_bet_and_no_worker_begins_one(tmp_path: Path) -> None:
    """Noticed without traffic, as is that the journal is back; nothing beside it needs to say that there was one."""
    path, away, copy = tmp_path / "journal.db", tmp_path / "away", tmp_path / "copy.db"
    async with running_fleet(tmp_path, journal={"path": "journal.db"}) as fleet:
        assert await bet(fleet, 1) == (200, 0)
        copy.write_bytes(path.read_bytes())
        path.rename(away)
        copy.rename(path)
        await until_ready_is(fleet, 503)
        assert await bet(fleet, 2) == (500, 99)
        away.rename(path)
        await until_ready_is(fleet, 200)
        assert await bet(fleet, 2) == (200, 0)

        before, calls = {worker.pid for worker in fleet.workers}, fleet.wallet.calls
        path.rename(away)
        for suffix in BESIDE:
            path.with_name(path.name + suffix).unlink(missing_ok=True)
        await until_ready_is(fleet, 503)
        assert await bet(fleet, 3) == (500, 99)
        fleet.workers[0].send_signal(SIGKILL)
        await until(lambda: has_logged(fleet.gateway, "no worker could be brought up"), seconds=SECONDS)

        assert any(f"{path} is gone" in line for line in fleet.gateway.lines)
        assert await bet(fleet, 4) == (500, 99)
        assert not path.exists()
        assert len({worker.pid for worker in fleet.workers} & before) == 1
        assert fleet.wallet.calls == calls

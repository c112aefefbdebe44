"""A wallet that asks for the player first, and is away: the look-up waits no longer than the movement itself would."""

import statistics
import time
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp
import pytest
from tests.examples.house import running_wallet
from tests.support.callbacks import make_callback
from tests.support.processes import UNKNOWN, Way, arguments, has_logged, post, running, write_settings
from tests.support.waiting import until

SOON_SECONDS = 0.25
"""Five times the 50 ms of when-things-go-wrong.md, for machines that do other work; it was 3.5 s for a cancel."""
TRIES = 5


@pytest.mark.parametrize("command", ["cancel", "win", "bet"])
async def test_what_needs_a_look_up_is_answered_at_once_as_well(command: str, tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        async with running_wallet("process-oneof", tmp_path / "wallet.db") as wallet:
            config = write_settings(tmp_path, wallet_port=wallet.port, wallet=wallet.settings)
            gateway = await stack.enter_async_context(running(arguments(Way.SERVE, config), tmp_path))
            client = await stack.enter_async_context(aiohttp.ClientSession())
        await until(lambda: has_logged(gateway, "wallet away"))

        took: list[float] = []
        for number in range(TRIES):
            # Another player each time: nothing is known of him.
            callback = make_callback(command, account=f"nobody-{number}", trans_id=f"away-{number}")
            begun = time.monotonic()
            assert await post(client, gateway.url, callback) == UNKNOWN
            took.append(time.monotonic() - begun)

    assert statistics.median(took) < SOON_SECONDS

"""A recording by real processes: it is there in every way of running, holds no token, and can be replayed."""

import asyncio
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from click.testing import CliRunner
from tests.support.callbacks import make_callback
from tests.support.processes import TOKEN, Way, arguments, post, running, running_wallet, write_settings

from walletbridge.cli import main

PLAYER = "test1234"
SENT: list[dict[str, Any] | bytes] = [
    make_callback("bet", amount=10),
    make_callback("bet", amount=10),
    make_callback("balance"),
    b"no callback",
]


@pytest.mark.parametrize("way", list(Way))
async def test_what_was_answered_can_be_replayed(tmp_path: Path, way: Way) -> None:
    async with running_wallet(tmp_path, PLAYER) as wallet:
        config = write_settings(tmp_path, wallet_port=wallet.port, record={"folder": "kept"})
        async with running(arguments(way, config), tmp_path) as gateway, aiohttp.ClientSession() as client:
            for callback in SENT:
                await post(client, gateway.url, callback)
            await post(client, gateway.url, SENT[0], token=f"not-{TOKEN}")
            assert await gateway.stop() == 0
    (file,) = (tmp_path / "kept").iterdir()
    command = ["replay", str(file), "--config", str(config), "--strict"]
    # It runs a loop of its own.
    result = await asyncio.to_thread(CliRunner().invoke, main, command)

    assert result.output == "4 callbacks: 0 answered differently, 0 asked differently\n"
    assert result.exit_code == 0
    assert TOKEN.encode() not in file.read_bytes()

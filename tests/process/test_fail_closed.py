"""Whatever breaks in the gateway, a callback is answered by it and never reaches the upstream."""

import asyncio
import os
import shutil
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import aiohttp
import pytest
from tests.process import breaking
from tests.process.upstream import running_upstream
from tests.support.callbacks import body, make_callback
from tests.support.processes import (
    ROOT,
    TOKEN,
    UNKNOWN,
    Way,
    arguments,
    at_once,
    headers,
    post,
    running,
    running_wallet,
    write_settings,
)
from tests.support.waiting import until

BREAKING = str(Path(breaking.__file__))
WALLET_SECONDS = 0.5
PLAYER = "player"


@pytest.mark.parametrize("way", Way)
async def test_a_broken_gateway_answers_and_sends_no_callback_upstream(way: Way, tmp_path: Path) -> None:
    async with (
        running_wallet(tmp_path, PLAYER, *breaking.ACCOUNTS) as wallet,
        running_upstream() as upstream,
        running(_broken(way, tmp_path, wallet.port, upstream.url), tmp_path) as gateway,
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as client,
    ):
        wallet.script.seconds = dict.fromkeys(breaking.ACCOUNTS, WALLET_SECONDS)

        async def answer(account: str, *, query: str = "", token: str = TOKEN) -> tuple[int, bytes]:
            bet = make_callback("bet", account=account, trans_id=f"{account}{query}{token}", amount=10)
            url = f"{gateway.url}?{query}"
            async with client.post(url, data=_piece_by_piece(body(bet)), headers=headers(token)) as response:
                return response.status, await response.read()

        *calls, by_query, by_token, unbroken = await at_once(
            [
                *(answer(account) for account in breaking.ACCOUNTS),
                answer(PLAYER, query=breaking.QUERY),
                answer(PLAYER, token=breaking.TOKEN),
                answer(PLAYER),
            ]
        )

        answered = (200, b'{"result":0,"status":"OK","data":{"balance":990}}')
        assert dict(zip(breaking.ACCOUNTS, calls, strict=True)) == {
            breaking.ANSWER_RAISES: UNKNOWN,
            breaking.ANSWER_IS_CANCELLED: UNKNOWN,
            # Cancelled once, the hook still waits for the wallet, and the answer is the true one.
            breaking.HOOK_IS_CANCELLED: answered,
            # In the lane nobody waits whose end could end anything.
            breaking.HOOK_IS_CANCELLED_TWICE: answered if way is Way.SERVE else UNKNOWN,
        }
        assert (UNKNOWN, UNKNOWN, answered) == (by_query, by_token, unbroken)
        assert upstream.requests == []


@pytest.mark.parametrize("way", Way)
async def test_options_of_mitmproxy_send_no_callback_upstream(way: Way, tmp_path: Path) -> None:
    """By these a body of 10 bytes would be streamed to the upstream, which would be dialled before any request."""
    config_folder = tmp_path / ".mitmproxy"
    config_folder.mkdir()
    (config_folder / "config.yaml").write_text("stream_large_bodies: '10'\nconnection_strategy: eager\n")
    async with running_wallet(tmp_path, PLAYER) as wallet, running_upstream() as upstream:
        config = write_settings(tmp_path, wallet_port=wallet.port, upstream=upstream.url)
        async with (
            running(arguments(way, config, upstream=upstream.url), tmp_path) as gateway,
            aiohttp.ClientSession() as client,
        ):
            bet = body(make_callback("bet", account=PLAYER, amount=10))

            with_length = await post(client, gateway.url, bet)
            async with client.post(gateway.url, data=_piece_by_piece(bet), headers=headers()) as response:
                in_chunks = response.status, await response.read()

    assert with_length == (200, b'{"result":0,"status":"OK","data":{"balance":990}}')
    assert in_chunks == (200, b'{"result":41,"status":"ERROR","data":{"balance":990}}')
    assert upstream.requests == []
    assert upstream.connections == 0


async def test_a_script_that_changes_or_goes_leaves_no_hole(tmp_path: Path) -> None:
    """Mitmdump watches the script, and says what it sees; the gateway that runs goes on as it is."""

    def change(script: Path) -> None:
        os.utime(script, (time.time(), time.time() + 10))

    async with running_wallet(tmp_path, PLAYER) as wallet, running_upstream() as upstream:

        async def answer_after(act: Callable[[Path], None], said: str, times: int) -> tuple[int, bytes]:
            home = tmp_path / said
            shutil.copytree(ROOT / "addon", home / "addon", ignore=shutil.ignore_patterns("__pycache__"))
            script, stdout = home / "addon" / "main.py", home / "stdout.txt"
            config = write_settings(home, wallet_port=wallet.port)
            command = arguments(Way.MITMDUMP, config, upstream=upstream.url)
            command[command.index(str(ROOT / "addon" / "main.py"))] = str(script)
            async with running(command, home, stdout=stdout) as gateway, aiohttp.ClientSession() as client:
                act(script)
                await until(lambda: stdout.read_text().count(said) == times)
                return await post(client, gateway.url, make_callback("balance", account=PLAYER))

        answers = await at_once([answer_after(change, "Loading script", 2), answer_after(Path.unlink, "Un-loading", 1)])

    assert answers == [(200, b'{"result":0,"status":"OK","data":{"balance":1000}}')] * 2
    assert upstream.requests == []


def _broken(way: Way, folder: Path, wallet_port: int, upstream: str) -> list[str]:
    config = write_settings(folder, wallet_port=wallet_port, upstream=upstream)
    command = arguments(way, config, upstream=upstream, options=["-s", BREAKING])
    if way is Way.SERVE:
        command[1:3] = [BREAKING]
    return command


async def _piece_by_piece(data: bytes) -> AsyncIterator[bytes]:
    """A body that is still on its way when a hook at the head breaks."""
    yield data[:50]
    await asyncio.sleep(0.05)
    yield data[50:]

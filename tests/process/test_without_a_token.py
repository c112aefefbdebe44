"""
What anybody can do to the public port of `serve` without a token: nothing that another connection notices. Each of
these once switched off the timers of a worker, or shut the provider out.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from tests.support.callbacks import body, make_callback
from tests.support.mitmweb import until_async
from tests.support.processes import (
    TOKEN,
    Way,
    address_of,
    arguments,
    connected,
    post,
    raw_post,
    read_answer,
    running,
    running_wallet,
    write_settings,
)

from walletbridge.demo.gateway_process import GatewayProcess
from walletbridge.demo.wallet import DemoWallet
from walletbridge.serve.launch import free_port

PLAYER = "test1234"
BALANCE = body(make_callback("balance"))
WRONG = raw_post(BALANCE, token="wrong")  # noqa: S106 - it plays one
HALF_HEAD = b"POST /callback HTTP/1.1\r\nHost: x\r\n"
CHUNKED = HALF_HEAD + f"Callback-Token: {TOKEN}\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
SECONDS = 15.0

ATTACKS = {
    "wrong tokens, pipelined": WRONG * 150,
    "a right token and a body that never ends": raw_post(b"x" * 1000)[:-900],
    "a wrong size of a chunk": CHUNKED + b"nonsense\r\n",
    "a wrong token and half a body": WRONG[:-5],
    "a head that never ends": HALF_HEAD,
    "noise": b"\x00\x01\x02\n" * 50,
}


@asynccontextmanager
async def _gateway(folder: Path, **limits: float) -> AsyncIterator[tuple[GatewayProcess, str]]:
    """With short times, and the admin endpoint's address."""
    times = {"header_seconds": 0.5, "body_seconds": 0.5, "wrong_tokens_per_second": 10, **limits}
    admin = f"127.0.0.1:{free_port('127.0.0.1')}"
    async with running_wallet(folder, PLAYER) as wallet:
        config = write_settings(folder, wallet_port=wallet.port, limits=times, admin={"listen": admin})
        async with running(arguments(Way.SERVE, config), folder) as gateway:
            yield gateway, f"http://{admin}"


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
async def test_the_times_of_other_connections_are_kept_whatever_one_does(tmp_path: Path, attack: bytes) -> None:
    async with _gateway(tmp_path) as (gateway, admin), aiohttp.ClientSession() as client:
        async with connected(gateway) as (attacking, writer):
            writer.write(attack)
            await asyncio.wait_for(attacking.read(), SECONDS)
            async with connected(gateway) as (reader, slow):
                slow.write(HALF_HEAD)
                assert b" 408 " in await asyncio.wait_for(reader.read(), SECONDS)
        assert (await post(client, gateway.url, BALANCE))[0] == 200
        for path in ("/healthz", "/readyz"):
            async with client.get(admin + path) as answer:
                assert answer.status == 200


async def test_a_crowd_from_its_own_address_does_not_shut_the_provider_out(tmp_path: Path) -> None:
    async with (
        _gateway(tmp_path, connections_per_address=50, header_seconds=60) as (gateway, _),
        AsyncExitStack() as crowd,
    ):
        kept_reader, kept = await crowd.enter_async_context(connected(gateway))
        kept.write(raw_post(BALANCE))
        assert (await read_answer(kept_reader))[0] == 200
        for _ in range(120):
            _, writer = await crowd.enter_async_context(connected(gateway))
            writer.write(HALF_HEAD)
        async with connected(gateway) as (reader, writer):
            writer.write(raw_post(BALANCE))
            assert (await asyncio.wait_for(read_answer(reader), 2))[0] == 200
        # The one that had proved itself is still there.
        kept.write(raw_post(BALANCE))
        assert (await read_answer(kept_reader))[0] == 200


async def test_a_crowd_from_many_addresses_does_not_shut_the_provider_out(tmp_path: Path) -> None:
    async with _gateway(tmp_path, connections=60, header_seconds=60) as (gateway, _), AsyncExitStack() as crowd:
        host, port = address_of(gateway)
        for number in range(150):
            local = (f"127.0.0.{2 + number % 40}", 0)
            _, writer = await asyncio.open_connection(host, port, local_addr=local)
            crowd.callback(writer.close)
            writer.write(HALF_HEAD)
        async with connected(gateway) as (reader, writer):
            writer.write(raw_post(BALANCE))
            assert (await asyncio.wait_for(read_answer(reader), 2))[0] == 200


async def test_with_few_open_files_the_wallet_is_found_again_under_a_crowd(tmp_path: Path) -> None:
    admin = f"127.0.0.1:{free_port('127.0.0.1')}"
    async with AsyncExitStack() as stack:
        wallet = await stack.enter_async_context(running_wallet(tmp_path, PLAYER))
        config = write_settings(
            tmp_path, wallet_port=wallet.port, limits={"header_seconds": 60}, admin={"listen": admin}
        )
        command = ["/bin/sh", "-c", 'ulimit -n 256; exec "$@"', "sh", *arguments(Way.SERVE, config)]
        gateway = await stack.enter_async_context(running(command, tmp_path))
        assert any("limits.connections is lowered to 192" in line for line in gateway.lines)
        for _ in range(400):
            _, writer = await asyncio.open_connection(*address_of(gateway))
            stack.callback(writer.close)
            writer.write(HALF_HEAD)
        client = await stack.enter_async_context(aiohttp.ClientSession())
        assert (await post(client, gateway.url, BALANCE))[0] == 200
        await wallet.wallet.stop()
        again = DemoWallet(wallet.ledger)
        await again.start(f"127.0.0.1:{wallet.port}")
        stack.push_async_callback(again.stop)

        async def is_ready() -> bool:
            async with client.get(f"http://{admin}/readyz") as answer:
                return json.loads(await answer.text())["ready"] is True

        await until_async(is_ready)
        assert (await post(client, gateway.url, BALANCE))[0] == 200

"""
Whatever comes first finds all loaded: no module is imported once the doors are open, where callbacks wait for it.

Python itself says on stderr what it imports, at once and of a process as it is (`PYTHONPROFILEIMPORTTIME`).
"""

import ssl
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path

import aiohttp
import grpc
import pytest
from tests.support.callbacks import body, make_callback
from tests.support.processes import Way, arguments, headers, running, write_settings
from tests.support.scripted_wallet import OK, abort, running_wallet
from tests.support.tls import Authority
from tests.support.waiting import until

from walletbridge.demo.gateway_process import GatewayProcess
from walletbridge.serve.launch import free_port

IMPORTED = "import time:"
type Opened = tuple[GatewayProcess, aiohttp.TCPConnector]
type Open = Callable[[Path, int], AbstractAsyncContextManager[Opened]]
COMMANDS = ("balance", "authenticate", "bet", "status", "win", "cancel")


@asynccontextmanager
async def serve(folder: Path, port: int) -> AsyncIterator[Opened]:
    """With TLS."""
    authority = Authority(folder)
    pair = authority.sign("listener")
    tls = {"cert_file": str(pair.cert_file), "key_file": str(pair.key_file)}
    trust = ssl.create_default_context(cafile=str(authority.ca_file))
    # The authority of these tests leaves out what newer versions of Python insist on.
    trust.verify_flags &= ~ssl.VERIFY_X509_STRICT
    config = write_settings(folder, wallet_port=port, tls=tls)
    async with running(arguments(Way.SERVE, config), folder, PYTHONPROFILEIMPORTTIME="1") as gateway:
        yield gateway, aiohttp.TCPConnector(ssl=trust)


@asynccontextmanager
async def mitmdump(folder: Path, port: int) -> AsyncIterator[Opened]:
    command = arguments(Way.MITMDUMP, write_settings(folder, wallet_port=port))
    async with running(command, folder, PYTHONPROFILEIMPORTTIME="1") as gateway:
        yield gateway, aiohttp.TCPConnector()


@asynccontextmanager
async def web(folder: Path, port: int) -> AsyncIterator[Opened]:
    config = write_settings(folder, wallet_port=port, ui={"listen": f"127.0.0.1:{free_port('127.0.0.1')}"})
    command = [sys.executable, "-m", "walletbridge", "web", "--config", str(config)]
    async with running(command, folder, PYTHONPROFILEIMPORTTIME="1") as gateway:
        yield gateway, aiohttp.TCPConnector()


@pytest.mark.parametrize("way", [serve, mitmdump, web])
async def test_nothing_is_imported_once_the_doors_are_open(way: Open, tmp_path: Path) -> None:
    late: dict[str, list[str]] = {}
    async with AsyncExitStack() as stack:
        wallet, port = await stack.enter_async_context(running_wallet())
        wallet.script("SettleWin", abort(grpc.StatusCode.UNAVAILABLE), OK)
        gateway, connector = await stack.enter_async_context(way(tmp_path, port))
        client = await stack.enter_async_context(aiohttp.ClientSession(connector=connector))
        scheme = "https" if way is serve else "http"

        async def send(data: bytes, path: str = "/callback", **more: str) -> None:
            url = f"{scheme}://{gateway.address}{path}"
            async with client.post(url, data=data, headers={**headers(), **more}) as response:
                await response.read()

        async def seen(what: str, first: Awaitable[object]) -> None:
            await first
            late[what] = [line for line in gateway.lines if line.startswith(IMPORTED)]
            gateway.lines.clear()

        await seen("the start", _nothing(gateway))
        for command in COMMANDS:
            await seen(command, send(body(make_callback(command, trans_id=f"first {command}", round_id=command))))
        await seen("no JSON", send(b"{"))
        await seen("a wrong token", send(b"{}", **{"Callback-Token": "wrong"}))
        await seen("a compressed body", send(b"{}", **{"Content-Encoding": "gzip"}))
        await seen("another path", send(b"{}", "/other"))
        await seen("nearly the path", send(b"{}", "/callback/"))
        await seen("the resolver", until(lambda: wallet.counts["SettleWin"] > 1))

    assert {what: found for what, found in late.items() if found} == {}


async def _nothing(gateway: GatewayProcess) -> None:
    """What was imported before it listened is no matter."""
    lines = gateway.lines
    opened = next(number for number, line in enumerate(lines) if '"event": "listening"' in line)
    assert any(line.startswith(IMPORTED) for line in lines[:opened])
    del lines[:opened]

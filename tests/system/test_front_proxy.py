"""nginx in front of the gateway, with the configuration that we ship. Needs nginx."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from tests.support.callbacks import body, make_callback
from tests.support.processes import (
    TOKEN,
    UNKNOWN,
    RunningWallet,
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
from tests.system.nginx import CONNECTIONS_MAX, HOST, Nginx, check, configure, running_nginx

from walletbridge.demo.gateway_process import GatewayProcess

PLAYER = "test1234"
PROVIDER, STRANGER = "127.0.0.2", "127.0.0.3"
"""Addresses of this machine from which clients come."""
WRONG_TOKEN = (200, b'{"result":100,"status":"ERROR"}')


@asynccontextmanager
async def client_from(address: str) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(local_addr=(address, 0))) as client:
        yield client


async def send(client: aiohttp.ClientSession, proxy: Nginx, callback: dict[str, Any], **more: str) -> tuple[int, bytes]:
    """The status and the body of the answer to a callback with `more` headers."""
    async with client.post(
        proxy.url, data=body(callback), headers={**headers(), **more}, ssl=proxy.trust, server_hostname=HOST
    ) as response:
        return response.status, await response.read()


@dataclass(frozen=True, slots=True)
class House:
    """A wallet, a gateway that admits the provider alone, and nginx before it."""

    wallet: RunningWallet
    gateway: GatewayProcess
    proxy: Nginx


@asynccontextmanager
async def house_in(folder: Path) -> AsyncIterator[House]:
    callback = {"allow_from": [f"{PROVIDER}/32"], "trusted_proxies": ["127.0.0.1/32"]}
    async with running_wallet(folder, PLAYER) as wallet:
        config = write_settings(folder, wallet_port=wallet.port, callback=callback)
        async with (
            running(arguments(Way.SERVE, config), folder) as gateway,
            running_nginx(folder / "nginx", gateway.address) as proxy,
        ):
            yield House(wallet, gateway, proxy)


class Upstream:
    """A gateway that takes requests and never answers them: it hangs, or drops the connection."""

    def __init__(self, *, drops: bool) -> None:
        self._received: list[bytearray] = []
        self._drops = drops
        self._writers: list[asyncio.StreamWriter] = []
        self._server: asyncio.Server | None = None

    @property
    def requests(self) -> list[bytearray]:
        """What has come, request by request."""
        return [request for received in self._received for request in received.split(b"POST ")[1:]]

    async def start(self) -> str:
        self._server = await asyncio.start_server(self._serve, HOST, 0)
        return f"{HOST}:{self._server.sockets[0].getsockname()[1]}"

    async def stop(self) -> None:
        assert self._server
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        received = bytearray()
        self._writers.append(writer)
        self._received.append(received)
        while data := await reader.read(65536):
            received += data
            if self._drops:
                break
        writer.transport.abort()


@asynccontextmanager
async def two_upstreams(*, drops: bool) -> AsyncIterator[tuple[list[Upstream], list[str]]]:
    upstreams = [Upstream(drops=drops), Upstream(drops=drops)]
    addresses = [await upstream.start() for upstream in upstreams]
    try:
        yield upstreams, addresses
    finally:
        for upstream in upstreams:
            await upstream.stop()


# The file


async def test_nginx_finds_nothing_wrong(tmp_path: Path) -> None:
    code, said = await check(configure(tmp_path, port=8443, upstreams=["127.0.0.1:8080"]))

    assert code == 0, said
    assert "[warn]" not in said


# A gateway behind it


async def test_every_callback_passes_with_its_token_and_its_client_s_address(tmp_path: Path) -> None:
    async with house_in(tmp_path) as house, client_from(PROVIDER) as provider, client_from(STRANGER) as stranger:
        for command in ("authenticate", "balance", "bet", "status"):
            status, answer = await send(provider, house.proxy, make_callback(command, account=PLAYER))
            assert (status, json.loads(answer)["result"]) == (200, 0)
        calls = house.wallet.calls

        balance = make_callback("balance", account=PLAYER)
        assert await send(provider, house.proxy, balance, **{"Callback-Token": "wrong"}) == WRONG_TOKEN
        assert await send(stranger, house.proxy, balance) == WRONG_TOKEN
        # What a client says of itself does not reach the gateway.
        assert await send(stranger, house.proxy, balance, **{"X-Forwarded-For": PROVIDER}) == WRONG_TOKEN
        # Without the proxy the door is closed: this address is neither the provider's nor the proxy's.
        assert await post(stranger, house.gateway.url, balance) == (403, b"not from this address")
        assert house.wallet.calls == calls
        assert TOKEN not in (tmp_path / "nginx" / "access.log").read_text()
        assert TOKEN not in (tmp_path / "nginx" / "error.log").read_text()


async def test_a_gateway_s_own_500_passes_as_it_is_and_in_time(tmp_path: Path) -> None:
    async with house_in(tmp_path) as house, client_from(PROVIDER) as provider:
        house.wallet.script.seconds[PLAYER] = 60
        begun = time.monotonic()

        assert await send(provider, house.proxy, make_callback("win", account=PLAYER)) == UNKNOWN
        assert time.monotonic() - begun < 4.0


async def test_without_a_gateway_the_answer_is_the_documented_500(tmp_path: Path) -> None:
    async with house_in(tmp_path) as house, client_from(PROVIDER) as provider:
        await house.gateway.stop()
        begun = time.monotonic()

        assert await send(provider, house.proxy, make_callback("bet", account=PLAYER)) == UNKNOWN
        assert time.monotonic() - begun < 1.0


async def test_other_paths_end_at_the_proxy(tmp_path: Path) -> None:
    async with house_in(tmp_path) as house, client_from(PROVIDER) as provider:
        for path in ("/", "/callback/", "/callbacks"):
            url = house.proxy.url.replace("/callback", path)
            async with provider.post(url, data=b"{}", ssl=house.proxy.trust) as response:
                assert response.status == 404


# Never twice


async def test_a_callback_is_never_sent_to_a_second_gateway(tmp_path: Path) -> None:
    """However often: one whose connection breaks in the middle of a call may have made the bet."""
    async with (
        two_upstreams(drops=True) as (upstreams, addresses),
        running_nginx(tmp_path / "nginx", *addresses) as proxy,
        client_from(PROVIDER) as provider,
    ):
        for number in range(10):
            assert await send(provider, proxy, make_callback("bet", trans_id=number)) == UNKNOWN

        requests = [request for upstream in upstreams for request in upstream.requests]
        ids = [json.loads(request.partition(b"\r\n\r\n")[2])["data"]["trans_id"] for request in requests]
        assert len(ids) == len(set(ids))
        assert len(ids) > 1


async def test_nor_when_the_first_does_not_answer(tmp_path: Path) -> None:
    async with (
        two_upstreams(drops=False) as (upstreams, addresses),
        running_nginx(tmp_path / "nginx", *addresses) as proxy,
        client_from(PROVIDER) as provider,
    ):
        begun = time.monotonic()
        assert await send(provider, proxy, make_callback("win")) == UNKNOWN

        assert 4.5 < time.monotonic() - begun < 8
        assert sum(len(upstream.requests) for upstream in upstreams) == 1


# Limits


async def raw(proxy: Nginx, *pieces: bytes, pause: float = 0.0) -> tuple[bytes, float]:
    """What comes back for bytes that are sent with pauses, and how long it took until the end."""
    begun = time.monotonic()
    reader, writer = await asyncio.open_connection(HOST, proxy.port, ssl=proxy.trust, server_hostname=HOST)

    async def write() -> None:
        for piece in pieces:
            writer.write(piece)
            await asyncio.sleep(pause)

    writing = asyncio.ensure_future(write())
    answer = b""
    with suppress(ConnectionResetError):
        async with asyncio.timeout(20):
            while data := await reader.read(65536):
                answer += data
    writing.cancel()
    writer.transport.abort()
    return answer, time.monotonic() - begun


HEAD = b"POST /callback HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"


async def test_what_is_too_large_or_too_slow_never_reaches_the_gateway(tmp_path: Path) -> None:
    async with two_upstreams(drops=False) as (upstreams, addresses), running_nginx(tmp_path / "n", *addresses) as proxy:
        header, many, announced, chunked, slow_head, slow_body = await at_once(
            [
                raw(proxy, HEAD + b"X: " + b"x" * 5000 + b"\r\n\r\n"),
                raw(proxy, HEAD + b"X: y\r\n" * 4000 + b"\r\n"),
                raw(proxy, HEAD + b"Content-Length: 65537\r\n\r\n"),
                raw(proxy, HEAD + b"Transfer-Encoding: chunked\r\n\r\n11000\r\n" + b"x" * 0x11000 + b"\r\n0\r\n\r\n"),
                raw(proxy, *[bytes([byte]) for byte in HEAD], pause=0.2),
                raw(proxy, HEAD + b"Content-Length: 100\r\n\r\n", b"x" * 10),
            ]
        )

        assert header[0].startswith(b"HTTP/1.1 400 ")
        assert many[0].startswith(b"HTTP/1.1 400 ")
        assert announced[0].startswith(b"HTTP/1.1 413 ")
        assert chunked[0].startswith(b"HTTP/1.1 413 ")
        for answer, seconds in (slow_head, slow_body):
            assert answer.startswith(b"HTTP/1.1 408 ") or answer == b""
            assert 1.5 < seconds < 6
        assert [upstream.requests for upstream in upstreams] == [[], []]


async def test_one_address_that_takes_many_connections_leaves_the_others_alone(tmp_path: Path) -> None:
    async with two_upstreams(drops=False) as (upstreams, addresses), running_nginx(tmp_path / "n", *addresses) as proxy:

        async def hold(address: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
            reader, writer = await asyncio.open_connection(
                HOST, proxy.port, ssl=proxy.trust, server_hostname=HOST, local_addr=(address, 0)
            )
            writer.write(HEAD + b"Content-Length: 1\r\n\r\nx")
            return reader, writer

        held = await at_once(hold(STRANGER) for _ in range(CONNECTIONS_MAX))
        await until(lambda: sum(len(upstream.requests) for upstream in upstreams) == CONNECTIONS_MAX)
        one_more, other = await at_once([hold(STRANGER), hold(PROVIDER)])
        refused = await asyncio.wait_for(one_more[0].read(), 2)
        await until(lambda: sum(len(upstream.requests) for upstream in upstreams) == CONNECTIONS_MAX + 1)
        for _, writer in (*held, one_more, other):
            writer.transport.abort()

    assert refused.startswith(b"HTTP/1.1 500 ")
    assert refused.endswith(UNKNOWN[1])

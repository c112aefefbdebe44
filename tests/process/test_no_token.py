"""
An accepted token in every place of a request, in every way of running: it is shown, written and told nowhere, and the
upstream gets what came, byte for byte.
"""

import asyncio
import json
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import aiohttp
import pytest
from tests.process.raw_upstream import FINE, RawUpstream, running_raw_upstream
from tests.support.callbacks import body, make_callback
from tests.support.mitmweb import Mitmweb, running_script, running_web, until_async
from tests.support.processes import TOKEN, Way, arguments, connected, raw_post, running, running_wallet, write_settings
from tests.support.waiting import until

from walletbridge.demo.gateway_process import GatewayProcess
from walletbridge.serve.launch import free_port

PLAYER = "test1234"
BASIC = b64encode(f"provider:{TOKEN}".encode())
OTHER = b"\r\nHost: gateway\r\n"
JSON = b'{"token": "%b"}' % TOKEN.encode()
LENGTH = b"Content-Length: %d\r\n\r\n" % len(JSON)
SECRET = TOKEN.encode()
SPELLINGS = (SECRET, SECRET[:-4], BASIC[12:-4], b"".join(b"%%%02x" % one for one in SECRET)[:-6])
"""Also where an end is cut off, and in base64."""
TO_THE_UPSTREAM = {
    "near: a slash behind": raw_post(JSON, path="/callback/"),
    "near: two slashes": raw_post(JSON, path="//callback"),
    "near: percent-encoded": raw_post(JSON, path="/%63allback"),
    "header": b"GET /legacy HTTP/1.1" + OTHER + b"X-Key: %b\r\nx-key: a %b b\r\n\r\n" % (SECRET, SECRET),
    "name of a header": b"GET /legacy HTTP/1.1" + OTHER + b"%b: 1\r\n\r\n" % SECRET,
    "query": b"GET /legacy?a=1&token=%b HTTP/1.1" % SECRET + OTHER + b"\r\n",
    "encoded query": b"GET /legacy?%b HTTP/1.1" % b"".join(b"%%%02x" % one for one in SECRET) + OTHER + b"\r\n",
    "path": b"GET /legacy/%b/x HTTP/1.1" % SECRET + OTHER + b"\r\n",
    "body": b"PUT /legacy HTTP/1.1" + OTHER + LENGTH + JSON,
    "cookie": b"GET /legacy HTTP/1.1" + OTHER + b"Cookie: a=1; session=%b\r\n\r\n" % SECRET,
    "bearer": b"GET /legacy HTTP/1.1" + OTHER + b"Authorization: Bearer %b\r\n\r\n" % SECRET,
    "basic": b"GET /legacy HTTP/1.1" + OTHER + b"Authorization: Basic %b\r\n\r\n" % BASIC,
    "websocket": b"GET /socket?t=%b HTTP/1.1" % SECRET
    + OTHER
    + b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: %b\r\n"
    % SECRET
    + b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
}
CHUNKED = b"POST /legacy HTTP/1.1" + OTHER + b"Transfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n"
CALLBACK = body({**make_callback("bet", amount=10), "token": TOKEN})
ACCOUNT = body(make_callback("balance", account=TOKEN))
"""Not of a bet: the journal keeps what a wallet has to be asked again."""
HERE = {
    "wrong method": b"GET /callback?%b HTTP/1.1" % SECRET + OTHER + b"Callback-Token: %b\r\n\r\n" % SECRET,
    "no colon": b"POST /legacy HTTP/1.1" + OTHER + b"Callback-Token %b\r\n\r\n" % SECRET,
    "no colon, callback": b"POST /callback HTTP/1.1" + OTHER + b"Callback-Token %b\r\n\r\n" % SECRET,
    "half a head": b"POST /callback HTTP/1.1" + OTHER + b"Callback-Token: %b\r\n" % SECRET,
    "callback": raw_post(CALLBACK),
    "account": raw_post(ACCOUNT),
    "callback twice": raw_post(CALLBACK).replace(b"Host: gateway\r\n", b"Host: gateway\r\nCallback-Token: x\r\n"),
    "no JSON": raw_post(b"{" + JSON),
    "no length": raw_post(b"").replace(b"Content-Length: 0", b"Content-Length: %b" % SECRET),
    "no version": b"POST /callback %b\r\n\r\n" % SECRET,
    "two hosts": b"GET /legacy HTTP/1.1" + OTHER + b"Host: %b\r\n\r\n" % SECRET,
}


async def send(gateway: GatewayProcess, request: bytes) -> None:
    """Waits for the head of an answer, if there is one."""
    async with connected(gateway) as (reader, writer):
        writer.write(request)
        if request.endswith((b"\r\n\r\n", b"}")):
            with suppress(asyncio.IncompleteReadError, ConnectionError):
                await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 20)


async def send_all(gateway: GatewayProcess, upstream: RawUpstream | None) -> None:
    """Everything that is above, and looks at what has come through."""
    for name, request in TO_THE_UPSTREAM.items():
        await send(gateway, request)
        if upstream:
            await until(lambda: bool(upstream.requests))
            assert upstream.requests == [request], name
            upstream.requests.clear()
    await send(gateway, CHUNKED + b"X-Last: %b\r\n\r\n" % SECRET)
    if upstream:
        assert upstream.requests == [CHUNKED + b"\r\n"]
        upstream.requests.clear()
    for request in HERE.values():
        await send(gateway, request)
    if upstream:
        assert upstream.requests == []


def shows_nothing(folder: Path, gateway: GatewayProcess, *told: str) -> None:
    """Looks through all that was written and told."""
    texts = {
        "stderr": "\n".join(gateway.lines).encode(),
        **{f"told {number}": text.encode() for number, text in enumerate(told)},
    }
    texts |= {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert [(name, word) for name, text in texts.items() for word in SPELLINGS if word.lower() in text.lower()] == []


@pytest.mark.parametrize("has_upstream", [True, False])
async def test_serve_shows_no_token(tmp_path: Path, *, has_upstream: bool) -> None:
    house = tmp_path / "gateway"
    house.mkdir()
    admin = f"127.0.0.1:{free_port('127.0.0.1')}"
    async with (
        running_wallet(tmp_path, PLAYER) as wallet,
        running_raw_upstream() as upstream,
        aiohttp.ClientSession() as client,
    ):
        sections = {"upstream": upstream.url} if has_upstream else {}
        config = write_settings(
            house, wallet_port=wallet.port, record={"folder": "kept"}, admin={"listen": admin}, **sections
        )
        async with running(arguments(Way.SERVE, config), house) as gateway:
            await send_all(gateway, upstream if has_upstream else None)
            assert wallet.calls
            told = [await (await client.get(f"http://{admin}/{page}")).text() for page in ("metrics", "readyz")]
            assert "walletbridge_callbacks_total" in told[0]
            assert await gateway.stop() == 0
        assert {"walletbridge.db", "kept"} <= {path.name for path in house.iterdir()}
        shows_nothing(house, gateway, *told)


async def test_mitmdump_saves_no_token(tmp_path: Path) -> None:
    house = tmp_path / "gateway"
    house.mkdir()
    async with running_wallet(tmp_path, PLAYER) as wallet, running_raw_upstream() as upstream:
        config = write_settings(house, wallet_port=wallet.port, record={"folder": "kept"})
        options = ["-w", str(house / "flows"), "--flow-detail", "4", "--set", "termlog_verbosity=debug"]
        options += ["--set", f"hardump={house / 'flows.har'}", "--set", "store_streamed_bodies=true"]
        command = arguments(Way.MITMDUMP, config, upstream=upstream.url, options=options)
        async with running(command, house) as gateway:
            await send_all(gateway, upstream)
            assert wallet.calls
            assert await gateway.stop() == 0
        assert b"***" in (house / "flows").read_bytes()
        assert b'"***' in (house / "flows.har").read_bytes()
        shows_nothing(house, gateway)


async def told_by(web: Mitmweb, house: Path) -> list[str]:
    """All that a browser is given."""
    flows = await web.flows()
    told = [json.dumps(flows), await web.events()]
    for flow in flows:
        for part in ("request", "response") if flow.get("response") else ("request",):
            told += [(await web.page(flow, part))["text"]]
        for form in ("curl", "httpie", "raw"):
            told += [str(await web.command("export", form, f"@{flow['id']}"))]
    async with web.client.get(f"{web.url}/flows/dump", headers=web._login()) as dumped:
        told.append((await dumped.read()).decode("latin-1"))
    await web.command("save.har", "~all", str(house / "all.har"))
    await web.command("save.file", "~all", str(house / "all.flows"))
    return told


@asynccontextmanager
async def mitmweb_of(
    house: Path, wallet_port: int, upstream: RawUpstream, *, is_script: bool
) -> AsyncIterator[Mitmweb]:
    options = [f"save_stream_file={house / 'saved'}"]
    way = (
        running_script(
            house,
            wallet_port=wallet_port,
            upstream=upstream.url,
            options=[*options, "store_streamed_bodies=true", "termlog_verbosity=debug"],
        )
        if is_script
        else running_web(house, wallet_port=wallet_port, options=options)
    )
    async with way as web:
        yield web


@pytest.mark.parametrize("is_script", [True, False])
async def test_mitmweb_shows_no_token(tmp_path: Path, *, is_script: bool) -> None:
    house = tmp_path / "gateway"
    house.mkdir()
    async with (
        running_wallet(tmp_path, PLAYER) as wallet,
        running_raw_upstream() as upstream,
        mitmweb_of(house, wallet.port, upstream, is_script=is_script) as web,
    ):
        await send_all(web.gateway, upstream if is_script else None)
        assert wallet.calls
        shows_nothing(house, web.gateway, *await told_by(web, house))
        assert len(await web.flows()) > len(TO_THE_UPSTREAM)
        assert await web.gateway.stop() == 0
        shows_nothing(house, web.gateway)


async def test_a_token_is_not_shown_while_the_upstream_takes_its_time(tmp_path: Path) -> None:
    came: list[bytes] = []
    goes_on = asyncio.Event()

    async def slowly(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        came.append(await reader.readuntil(b"\r\n\r\n"))
        await goes_on.wait()
        writer.write(FINE.replace(b"\r\n", b"\r\nX-Echo: %b\r\n" % SECRET, 1))
        await writer.drain()
        await reader.read()

    async with (
        running_wallet(tmp_path, PLAYER) as wallet,
        running_raw_upstream(slowly) as upstream,
        running_script(tmp_path, wallet_port=wallet.port, upstream=upstream.url) as web,
        connected(web.gateway) as (reader, writer),
    ):
        writer.write(TO_THE_UPSTREAM["basic"])
        await until(lambda: came == [TO_THE_UPSTREAM["basic"]])
        shown = json.dumps(await web.flows())
        assert "***" in shown
        assert not any(word.decode() in shown for word in SPELLINGS)
        goes_on.set()
        # What the upstream says of it is the client's.
        assert SECRET in await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 20)

        async def has_answer() -> bool:
            return bool((await web.flows())[0].get("response"))

        await until_async(has_answer)
        assert SECRET.decode() not in json.dumps(await web.flows())

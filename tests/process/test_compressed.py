"""Compressed bodies are answered 415 with what is taken, however they come; paths that are nearly right are logged."""

import asyncio
import gzip
import ssl
from pathlib import Path

import pytest
from tests.process.http2_raw import raw_http2
from tests.support.callbacks import body, make_callback
from tests.support.mitmweb import running_script, running_web
from tests.support.processes import (
    TOKEN,
    Way,
    address_of,
    arguments,
    connected,
    raw_post,
    running,
    running_wallet,
    write_settings,
)
from tests.support.tls import Authority

from walletbridge.demo.gateway_process import GatewayProcess

PLAYER = "test1234"
DATA = gzip.compress(body(make_callback("balance")))
REQUEST = raw_post(DATA).replace(b"Host:", b"Content-Encoding: gzip\r\nHost:", 1)
PLAIN = raw_post(body(make_callback("balance")))


async def asked(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> tuple[bytes, bytes]:
    """The head and the body of what a compressed callback is answered; the connection goes on."""
    writer.write(REQUEST + PLAIN)
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 20)
    length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
    said = await reader.readexactly(length)
    assert b" 200 " in await asyncio.wait_for(reader.readline(), 20)
    return head, said


def is_right(head: bytes, said: bytes) -> bool:
    return (
        head.startswith(b"HTTP/1.1 415 ")
        and b"\r\naccept-encoding: identity\r\n" in head.lower()
        and b"compressed" in said
    )


async def near_misses(gateway: GatewayProcess) -> list[str]:
    """What the log says of two slips."""
    for _ in range(2):
        async with connected(gateway) as (reader, writer):
            writer.write(raw_post(b"{}", path="/callback/"))
            await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 20)
    await gateway.stop()
    return [line for line in gateway.lines if "no callback: the path is not callback.path" in line]


@pytest.mark.parametrize("way", Way)
async def test_in_the_open(tmp_path: Path, way: Way) -> None:
    async with running_wallet(tmp_path, PLAYER) as wallet:
        config = write_settings(tmp_path, wallet_port=wallet.port)
        async with running(arguments(way, config), tmp_path) as gateway:
            async with connected(gateway) as connection:
                assert is_right(*await asked(*connection))
            (line,) = await near_misses(gateway)
            assert '"asked": "/callback/", "path": "/callback"' in line
            assert TOKEN not in line


async def test_behind_tls_and_over_http2(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    pair = authority.sign("gateway")
    trust = ssl.create_default_context(cafile=str(authority.ca_file))
    trust.verify_flags &= ~ssl.VERIFY_X509_STRICT
    async with running_wallet(tmp_path, PLAYER) as wallet:
        config = write_settings(
            tmp_path,
            wallet_port=wallet.port,
            http2={},
            tls={"cert_file": str(pair.cert_file), "key_file": str(pair.key_file)},
        )
        async with running(arguments(Way.SERVE, config), tmp_path) as gateway:
            reader, writer = await asyncio.open_connection(*address_of(gateway), ssl=trust)
            assert is_right(*await asked(reader, writer))
            writer.transport.abort()
            async with raw_http2(gateway, authority.ca_file) as client:
                stream = client.request(body=DATA, fields=[("content-encoding", "gzip")])
                status, said = await client.answer(stream)
                assert (status, b"compressed" in said) == (415, True)


@pytest.mark.parametrize("is_script", [True, False])
async def test_where_people_watch(tmp_path: Path, *, is_script: bool) -> None:
    async with (
        running_wallet(tmp_path, PLAYER) as wallet,
        (running_script if is_script else running_web)(tmp_path, wallet_port=wallet.port) as web,
        connected(web.gateway) as connection,
    ):
        assert is_right(*await asked(*connection))
        assert any("415" in comment for comment in await web.comments())

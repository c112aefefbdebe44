"""What only `serve` does: refuse at the head, keep limits, give a connection away, and speak TLS with its own files."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.process.house import PLAYER, House
from tests.support.callbacks import body, make_callback
from tests.support.processes import (
    TOKEN,
    Way,
    address_of,
    arguments,
    connected,
    end_of,
    raw_post,
    read_answer,
    running,
    running_wallet,
    write_settings,
)
from tests.support.tls import Authority
from tests.unit.serve.lane.smuggling import CASES
from tests.unit.serve.lane.smuggling import TOKEN as CASES_TOKEN

from walletbridge.demo.gateway_process import GatewayProcess

pytestmark = pytest.mark.asyncio(loop_scope="package")

BALANCE = raw_post(body(make_callback("balance")))
ANSWER = (200, b'{"result":0,"status":"OK","data":{"balance":1000}}')
WRONG = (200, b'{"result":100,"status":"ERROR"}')


@pytest.fixture(autouse=True)
def _a_player(house: House) -> None:
    house.players(**{PLAYER: 1000})


async def test_what_may_be_read_differently_is_refused_and_asks_the_wallet_nothing(house: House) -> None:
    calls, requests = house.wallet.calls, len(house.upstream.requests)
    for name, case in CASES.items():
        async with connected(house.gateways[Way.SERVE]) as (reader, writer):
            writer.write(BALANCE + case.data.replace(CASES_TOKEN, TOKEN.encode()) + b"\r\n" * 3)
            assert await read_answer(reader) == ANSWER
            assert case.status == (await read_answer(reader))[0], name
            assert await asyncio.wait_for(reader.read(), 10) == b"", name
    assert len(CASES) == house.wallet.calls - calls
    assert requests == len(house.upstream.requests)


async def test_a_wrong_token_is_answered_before_its_body(house: House) -> None:
    async with connected(house.gateways[Way.SERVE]) as (reader, writer):
        request = raw_post(b"x" * 1000, token="wrong")  # noqa: S106 - not a secret
        writer.write(request[:-1000])
        assert await read_answer(reader) == WRONG
        writer.write(request[-1000:] + BALANCE)
        assert await read_answer(reader) == ANSWER


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (BALANCE.replace(b"Host", b"X: " + b"x" * 20_000 + b"\r\nHost", 1), 431),
        (BALANCE.replace(b"Host", b"X: 1\r\n" * 101 + b"Host", 1), 431),
        (b"GET /legacy HTTP/1.1\r\nX: " + b"x" * 20_000, 431),
        (BALANCE.replace(b"HTTP/1.1", b"HTTP/3.0"), 505),
    ],
)
async def test_what_is_beyond_a_limit_gets_its_status(house: House, data: bytes, status: int) -> None:
    async with connected(house.gateways[Way.SERVE]) as (reader, writer):
        writer.write(data)
        assert status == (await read_answer(reader))[0]
        assert await asyncio.wait_for(reader.read(), 10) == b""


@asynccontextmanager
async def tls_connection(
    gateway: GatewayProcess, ca_file: Path
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """From a client that trusts the authority."""
    trust = ssl.create_default_context(cafile=str(ca_file))
    # The authority of these tests leaves out what newer versions of Python insist on.
    trust.verify_flags &= ~ssl.VERIFY_X509_STRICT
    trust.set_alpn_protocols(["http/1.1"])
    reader, writer = await asyncio.open_connection(*address_of(gateway), ssl=trust)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


async def test_tls_with_certificates_from_files(house: House, tmp_path: Path) -> None:
    """Replaced while it runs; with pipelining, other paths, and no plain text."""
    authority = Authority(tmp_path)
    pair, second = authority.sign("first"), authority.sign("second")
    config = write_settings(
        tmp_path,
        wallet_port=house.wallet.port,
        upstream=house.upstream.url,
        tls={"cert_file": str(pair.cert_file), "key_file": str(pair.key_file)},
    )
    async with running(arguments(Way.SERVE, config), tmp_path) as gateway:
        for name in ("first", "second"):
            async with tls_connection(gateway, authority.ca_file) as (reader, writer):
                shown = dict(field[0] for field in writer.get_extra_info("peercert")["subject"])
                assert name == shown["commonName"]
                writer.write(BALANCE * 3 + b"GET /headers HTTP/1.1\r\nHost: gateway\r\n\r\n")
                assert [await read_answer(reader) for _ in range(3)] == [ANSWER] * 3
                assert json.loads((await read_answer(reader))[1])["Host"] == "gateway"
            second.cert_file.replace(pair.cert_file) if name == "first" else None
            second.key_file.replace(pair.key_file) if name == "first" else None
        async with connected(gateway) as (reader, writer):
            writer.write(BALANCE)
            assert await read_answer(reader) == (400, b"expected TLS")


async def test_certificates_that_are_not_there_end_the_start(tmp_path: Path) -> None:
    config = write_settings(tmp_path, wallet_port=1, tls={"cert_file": "/nowhere/a.pem", "key_file": "/nowhere/b.pem"})

    code, output = await end_of(arguments(Way.SERVE, config), tmp_path)

    assert code == 1
    assert "Error: tls.cert_file: cannot read /nowhere/a.pem: No such file or directory" in output
    assert "Traceback" not in output


async def test_slow_clients_are_told_and_idle_ones_left(tmp_path: Path) -> None:
    async with running_wallet(tmp_path, PLAYER) as wallet:
        limits = {"header_seconds": 1, "body_seconds": 1, "idle_seconds": 1}
        config = write_settings(tmp_path, wallet_port=wallet.port, limits=limits)
        async with running(arguments(Way.SERVE, config), tmp_path) as gateway:
            for sent in (BALANCE[:10], BALANCE[:-1], b"GET /legacy HTTP/1.1\r\n"):
                async with connected(gateway) as (reader, writer):
                    writer.write(sent)
                    assert (await asyncio.wait_for(read_answer(reader), 20))[0] == 408
                    assert await asyncio.wait_for(reader.read(), 20) == b""
            async with connected(gateway) as (reader, writer):
                writer.write(BALANCE)
                assert await read_answer(reader) == ANSWER
                assert await asyncio.wait_for(reader.read(), 20) == b""

"""
What a connection of `serve` brings to the upstream and back after it has carried callbacks, byte for byte. With larger
bodies, in MiB:

    uv run python -m tests.process.test_carried 200
"""

import asyncio
import hashlib
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import psutil
import pytest
from tests.process.growth import growth
from tests.process.house import PLAYER, House
from tests.process.upstream import PIECE, piece, running_upstream
from tests.support.callbacks import body, make_callback
from tests.support.processes import (
    Way,
    arguments,
    connected,
    raw_post,
    read_answer,
    running,
    running_wallet,
    write_settings,
)

from walletbridge.demo.gateway_process import GatewayProcess

pytestmark = pytest.mark.asyncio(loop_scope="package")

MIB = 20
"""Of a body each way, by default."""
PIECES_PER_MIB = 1024 * 1024 // len(PIECE)
READ_BYTES = 1 << 18
GROWTH_BYTES_MAX = 40 * 1024 * 1024
BALANCE = raw_post(body(make_callback("balance")))
ANSWER = (200, b'{"result":0,"status":"OK","data":{"balance":1000}}')
SIZES = (0, 1, 125, 126, 65_535, 65_536, 1_000_000)
"""Of messages: on both sides of where the head of a frame changes."""
_BINARY = 0x82
_CLOSE = b"\x88\x02\x03\xe8"
"""With the code 1000."""


class Bodies(NamedTuple):
    """What it took to bring bodies there and back."""

    up_seconds: float
    down_seconds: float
    growth_bytes: int


async def carry(gateway: GatewayProcess, mib: int) -> Bodies:
    """Callbacks, a body each way, and a callback again, which mitmproxy's own flow brings to the gateway."""
    pieces = mib * PIECES_PER_MIB
    size, took = pieces * len(PIECE), list[float]()

    async def both(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        began = time.monotonic()
        sent, came = hashlib.sha256(), hashlib.sha256()
        # Behind callbacks that are not answered yet.
        writer.write(BALANCE + BALANCE + b"PUT /digest HTTP/1.1\r\nHost: gateway\r\nContent-Length: %d\r\n\r\n" % size)
        for number in range(pieces):
            data = piece(number)
            sent.update(data)
            writer.write(data)
            await writer.drain()
        assert [await read_answer(reader), await read_answer(reader)] == [ANSWER, ANSWER]
        assert (200, sent.hexdigest().encode()) == await read_answer(reader)
        took.append(time.monotonic() - began)
        writer.write(b"GET /source?pieces=%d HTTP/1.1\r\nHost: gateway\r\n\r\n" % pieces)
        assert b"Content-Length: %d\r\n" % size in await reader.readuntil(b"\r\n\r\n")
        left = size
        while left:
            data = await reader.read(min(left, READ_BYTES))
            assert data, "cut off"
            came.update(data)
            left -= len(data)
        assert sent.hexdigest() == came.hexdigest()
        took.append(time.monotonic() - began - took[0])

    async with connected(gateway) as (reader, writer):
        writer.write(BALANCE)
        assert await read_answer(reader) == ANSWER
        grown = await growth(psutil.Process(gateway.process.pid), both(reader, writer))
        writer.write(BALANCE)
        assert await read_answer(reader) == ANSWER
    return Bodies(took[0], took[1], grown)


@pytest.fixture(autouse=True)
def _a_player(house: House) -> None:
    house.players(**{PLAYER: 1000})


async def test_large_bodies_at_flat_memory(house: House) -> None:
    assert (await carry(house.gateways[Way.SERVE], MIB)).growth_bytes < GROWTH_BYTES_MAX


async def test_a_websocket(house: House) -> None:
    async with connected(house.gateways[Way.SERVE]) as (reader, writer):
        writer.write(BALANCE)
        assert await read_answer(reader) == ANSWER
        writer.write(
            b"GET /socket HTTP/1.1\r\nHost: gateway\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101 ")
        for size in SIZES:
            message = (PIECE * 16)[:size]
            writer.write(frame_head(size, mask=True) + message)
            answer = frame_head(size) + message
            assert answer == await asyncio.wait_for(reader.readexactly(len(answer)), 10)
        writer.write(b"\x88\x82\0\0\0\0\x03\xe8")
        assert await asyncio.wait_for(reader.read(), 10) == _CLOSE


def frame_head(size: int, *, mask: bool = False) -> bytes:
    """Of a binary message. RFC 6455 section 5.2. The mask is one of zeros, so that what follows stays as it is."""
    bit = 0x80 if mask else 0
    zeros = bytes(4) if mask else b""
    if size < 126:
        return bytes([_BINARY, bit | size]) + zeros
    if size < 1 << 16:
        return bytes([_BINARY, bit | 126]) + size.to_bytes(2) + zeros
    return bytes([_BINARY, bit | 127]) + size.to_bytes(8) + zeros


async def main(mib: int) -> None:
    """Prints what it took."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        async with running_wallet(folder, PLAYER) as wallet, running_upstream() as upstream:
            config = write_settings(folder, wallet_port=wallet.port, upstream=upstream.url)
            async with running(arguments(Way.SERVE, config), folder) as gateway:
                # What is loaded on first use is no growth.
                await carry(gateway, 1)
                took = await carry(gateway, mib)
    print(f"{mib} MiB: {took.up_seconds:.1f} s up, {took.down_seconds:.1f} s down")  # noqa: T201 - what is asked for
    print(f"memory: {took.growth_bytes / (1 << 20):.1f} MiB more at most")  # noqa: T201
    assert took.growth_bytes < GROWTH_BYTES_MAX


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))

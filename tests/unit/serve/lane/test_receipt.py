"""Whether the other side's system has what was sent, told on real sockets."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from tests.support.waiting import until

from walletbridge.serve.lane.receipt import received, watch

SECONDS = 5.0


READERS: dict[asyncio.StreamWriter, asyncio.StreamReader] = {}


@asynccontextmanager
async def pair() -> AsyncIterator[tuple[asyncio.StreamWriter, socket.socket]]:
    """Our end as a stream, and the client's as a socket."""
    accepted: asyncio.Future[asyncio.StreamWriter] = asyncio.get_running_loop().create_future()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        READERS[writer] = reader
        accepted.set_result(writer)

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    client = socket.create_connection(server.sockets[0].getsockname()[:2])
    writer = await accepted
    try:
        yield writer, client
    finally:
        client.close()
        writer.transport.abort()
        server.close()
        READERS.clear()


async def told(writer: asyncio.StreamWriter, seconds: float = SECONDS) -> bool:
    answer: list[bool] = []
    watch(writer.transport, answer.append, seconds=seconds, is_lost=lambda: READERS[writer].exception() is not None)
    await until(lambda: bool(answer))
    return answer[0]


async def test_a_client_that_waits_has_received_its_answer() -> None:
    async with pair() as (writer, client):
        client.shutdown(socket.SHUT_WR)
        writer.write(b"answer")
        writer.write_eof()

        assert await told(writer)
        assert client.recv(100) == b"answer"


async def test_it_is_told_also_where_the_transport_closes_at_once() -> None:
    async with pair() as (writer, client):
        client.shutdown(socket.SHUT_WR)
        writer.write(b"answer")
        writer.write_eof()
        answer: list[bool] = []
        watch(writer.transport, answer.append, seconds=SECONDS)
        writer.transport.close()
        await until(lambda: bool(answer))

        assert answer == [True]


@pytest.mark.parametrize("resets", [False, True])
async def test_a_client_that_has_gone_has_not(*, resets: bool) -> None:
    async with pair() as (writer, client):
        if resets:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()
        await asyncio.sleep(0)
        writer.write(b"answer")

        assert not await told(writer)


async def test_a_client_that_takes_nothing_has_not_after_the_time() -> None:
    async with pair() as (writer, _):
        writer.write(b"x" * 50_000_000)

        assert not await told(writer, seconds=0.05)


async def test_a_connection_that_is_closed_here_cannot_be_asked() -> None:
    async with pair() as (writer, _):
        connection = writer.get_extra_info("socket")
        writer.transport.abort()
        await until(lambda: connection.fileno() < 0)

        assert received(connection) is False
        assert not await told(writer)

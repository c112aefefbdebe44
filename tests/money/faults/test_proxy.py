"""What the proxy does to a request and its answer."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest
from tests.money.faults.plan import NetFault
from tests.money.faults.proxy import Address, Decision, Proxy, read_message
from tests.support.waiting import until

REQUEST = b"POST /callback HTTP/1.1\r\nContent-Length: 4\r\n\r\nbody"
ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nanswer"


class Behind:
    """What stands behind the proxy: it keeps what it hears, and answers."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        self.cut: list[bytes] = []
        self.ended = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            try:
                while True:
                    self.heard.append(await read_message(reader))
                    writer.write(ANSWER)
            except asyncio.IncompleteReadError as error:
                self.cut.append(error.partial)
        writer.close()
        self.ended.set()


@asynccontextmanager
async def proxied(decision: Decision) -> AsyncIterator[tuple[Behind, asyncio.StreamReader, asyncio.StreamWriter]]:
    behind = Behind()
    server = await asyncio.start_server(behind.serve, "127.0.0.1", 0)
    address: Address = server.sockets[0].getsockname()[:2]
    async with Proxy(lambda _: address, lambda _: decision) as proxy:
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        try:
            yield behind, reader, writer
        finally:
            writer.transport.abort()
    server.close()


async def said(reader: asyncio.StreamReader) -> bytes:
    """What comes until the connection ends."""
    found = b""
    with suppress(ConnectionError):
        while more := await reader.read(100):
            found += more
    return found


async def test_without_a_fault_requests_and_answers_pass() -> None:
    async with proxied(Decision()) as (behind, reader, writer):
        for _ in range(2):
            writer.write(REQUEST)
            assert await read_message(reader) == ANSWER

    assert behind.heard == [REQUEST, REQUEST]


async def test_two_requests_at_once_both_arrive() -> None:
    """The proxy looks for the client's end while it waits, and must not swallow the first byte of what comes next."""
    async with proxied(Decision()) as (behind, reader, writer):
        writer.write(REQUEST)
        assert await read_message(reader) == ANSWER
        writer.write(REQUEST)
        writer.write(b"")
        assert await read_message(reader) == ANSWER

    assert behind.heard == [REQUEST, REQUEST]


@pytest.mark.parametrize(
    ("fault", "heard", "comes_back"),
    [
        (NetFault.CUT_BEFORE, [], b""),
        (NetFault.CUT_AFTER, [REQUEST], b""),
        (NetFault.CUT_ANSWER, [REQUEST], ANSWER[: len(ANSWER) // 2]),
    ],
)
async def test_connections_are_cut(fault: NetFault, heard: list[bytes], comes_back: bytes) -> None:
    async with proxied(Decision(fault)) as (behind, reader, writer):
        writer.write(REQUEST)

        assert await said(reader) == comes_back
        assert behind.heard == heard


async def test_a_part_of_a_request_arrives() -> None:
    async with proxied(Decision(NetFault.CUT_REQUEST)) as (behind, reader, writer):
        writer.write(REQUEST)

        assert await said(reader) == b""
        await behind.ended.wait()
        assert behind.heard == []


async def test_an_answer_is_lost() -> None:
    async with proxied(Decision(NetFault.LOSE_ANSWER)) as (behind, reader, writer):
        writer.write(REQUEST)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(read_message(reader), 0.1)

        assert behind.heard == [REQUEST]


@pytest.mark.parametrize("fault", [NetFault.STALL_REQUEST, NetFault.STALL_ANSWER])
async def test_a_stall_ends(fault: NetFault) -> None:
    async with proxied(Decision(fault, seconds=0.02)) as (behind, reader, writer):
        writer.write(REQUEST)

        assert await read_message(reader) == ANSWER
        assert behind.heard == [REQUEST]


async def test_a_stalled_request_arrives_though_its_sender_has_left() -> None:
    async with proxied(Decision(NetFault.STALL_REQUEST, seconds=0.05)) as (behind, _, writer):
        writer.write(REQUEST)
        await writer.drain()
        writer.write_eof()
        await behind.ended.wait()

    assert behind.heard == [REQUEST]


async def test_a_request_arrives_twice() -> None:
    async with proxied(Decision(NetFault.DUPLICATE)) as (behind, reader, writer):
        writer.write(REQUEST)
        assert await read_message(reader) == ANSWER
        await behind.ended.wait()

    assert behind.heard == [REQUEST, REQUEST]


async def test_where_no_gateway_is_up_the_connection_ends() -> None:
    async with Proxy(lambda _: None, lambda _: Decision()) as proxy:
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        writer.write(REQUEST)

        assert await said(reader) == b""
        writer.close()


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (None, [(REQUEST, ANSWER)]),
        (NetFault.CUT_ANSWER, [(REQUEST, ANSWER)]),
        (NetFault.LOSE_ANSWER, [(REQUEST, ANSWER)]),
        (NetFault.CUT_AFTER, []),
    ],
)
async def test_it_is_told_which_answers_have_reached_the_network(
    fault: NetFault | None, expected: list[tuple[bytes, bytes]]
) -> None:
    behind, arrived = Behind(), []
    server = await asyncio.start_server(behind.serve, "127.0.0.1", 0)
    address: Address = server.sockets[0].getsockname()[:2]
    proxy = Proxy(lambda _: address, lambda _: Decision(fault), lambda *pair: arrived.append(pair))
    async with proxy:
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        writer.write(REQUEST)
        if fault is NetFault.LOSE_ANSWER:
            await until(lambda: bool(arrived))
        else:
            await reader.read(len(ANSWER))
        writer.transport.abort()
    server.close()

    assert arrived == expected

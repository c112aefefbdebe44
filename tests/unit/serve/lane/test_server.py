"""The listener and its connections, on real sockets with a gateway that answers at once or when a test says."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from socket import SO_LINGER, SOL_SOCKET
from typing import Any

from mitmproxy.addons.proxyserver import Proxyserver
from mitmproxy.test import taddons
from tests.support.processes import raw_post, read_answer
from tests.support.waiting import until
from tests.unit.serve.lane.test_lane import WALLET, FakeGateway

from walletbridge.gateway.gateway import Request
from walletbridge.observe.trace import Trace
from walletbridge.protocol.answers import Answer
from walletbridge.protocol.outcomes import Result
from walletbridge.serve.lane.lane import Lane
from walletbridge.serve.lane.server import LaneInstance, LaneMode
from walletbridge.serve.listening import ADDON, Connect, Listener
from walletbridge.settings import Limits, Settings

FINE = Answer(200, Result.OK, b'{"result":0}')
POST = raw_post(b"body")
NOT_WAITED_FOR = 20.0


class SlowGateway(FakeGateway):
    """Answers once it may."""

    def __init__(self) -> None:
        super().__init__(FINE)
        self.may = asyncio.Event()
        self.may.set()
        self.asked = 0

    def admits(self, peer: str, tokens: object, forwarded: object) -> bool:
        del peer, tokens, forwarded
        return True

    def delivered(self, trace: Trace, answer: Answer, *, sent: bool) -> None:
        del trace, answer
        self.deliveries.append(sent)

    async def answer(self, request: Request, trace: Trace) -> Answer:
        self.asked += 1
        await self.may.wait()
        return await super().answer(request, trace)


class House:
    """A listener with its lane."""

    def __init__(self, lane: Lane, gateway: SlowGateway, port: int) -> None:
        self.lane = lane
        self.gateway = gateway
        self.port = port

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            yield reader, writer
        finally:
            writer.transport.abort()
            with suppress(OSError):
                await writer.wait_closed()


@asynccontextmanager
async def running(*, doors: object = None, **limits: Any) -> AsyncIterator[House]:
    """As mitmproxy runs it, down to the tasks that begin at once."""
    loop = asyncio.get_running_loop()
    factory = loop.get_task_factory()
    loop.set_task_factory(asyncio.eager_task_factory)
    gateway = SlowGateway()
    lane = Lane(gateway, Settings(wallet=WALLET, limits=Limits(**limits)))
    proxyserver = Proxyserver()  # type: ignore[no-untyped-call]
    with taddons.context(proxyserver, lane) as context:  # type: ignore[no-untyped-call]
        context.master.lane = lane
        if doors:
            context.master.addons.add(doors)
        context.options.update(connection_strategy="lazy")
        instance = LaneInstance(LaneMode.parse("lane:http://127.0.0.1:9@127.0.0.1:0"), proxyserver)
        await instance.start()
        lane.running()
        try:
            yield House(lane, gateway, instance.listen_addrs[0][1])
        finally:
            lane.done()
            await instance.stop()
            gateway.may.set()
            await until(lambda: not lane.gate.connections)
            loop.set_task_factory(factory)


async def test_callbacks_are_answered_on_one_connection() -> None:
    async with running() as house, house.connected() as (reader, writer):
        for _ in range(3):
            writer.write(POST)
            assert await read_answer(reader) == (200, FINE.body)
        assert house.gateway.deliveries == [True, True, True]


async def test_a_thousand_pipelined_callbacks_that_are_answered_at_once() -> None:
    """One after the other, not one inside the other."""
    async with running() as house, house.connected() as (reader, writer):
        writer.write(POST * 1000)
        for _ in range(1000):
            assert await read_answer(reader) == (200, FINE.body)


async def test_who_sends_ahead_without_end_is_not_read() -> None:
    async with running(header_bytes=1024, body_bytes=1024) as house, house.connected() as (reader, writer):
        house.gateway.may.clear()
        for _ in range(200):
            writer.write(POST * 1000)
        await until(lambda: house.gateway.asked == 1)
        writer.transport.set_write_buffer_limits(0)
        with suppress(TimeoutError):
            # Some of it is in the buffers of the system; the rest is never taken.
            await asyncio.wait_for(writer.drain(), 0.5)
        assert writer.transport.get_write_buffer_size() > 0
        house.gateway.may.set()
        for _ in range(5000):
            assert await read_answer(reader) == (200, FINE.body)


async def test_a_client_that_resets_is_noticed() -> None:
    async with running() as house:
        house.gateway.may.clear()
        async with house.connected() as (_, writer):
            writer.write(POST)
            await until(lambda: house.gateway.asked == 1)
            writer.get_extra_info("socket").setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))
        await until(lambda: not house.lane.gate.connections)
        house.gateway.may.set()
        await until(lambda: house.gateway.deliveries == [False])


async def test_one_connection_too_many_is_refused() -> None:
    async with running(connections=1) as house, house.connected() as (reader, writer):
        writer.write(POST)
        await read_answer(reader)
        async with house.connected() as (other, _):
            assert await read_answer(other) == (503, b"too many connections")
            assert await other.read() == b""
        writer.write(POST)
        assert await read_answer(reader) == (200, FINE.body)


async def test_who_says_nothing_is_left() -> None:
    async with running(header_seconds=0.3) as house, house.connected() as (reader, _):
        assert await asyncio.wait_for(reader.read(), NOT_WAITED_FOR) == b""


async def test_who_is_too_slow_is_told_and_left() -> None:
    async with running(header_seconds=0.3) as house, house.connected() as (reader, writer):
        writer.write(POST[:20])
        assert (await asyncio.wait_for(read_answer(reader), NOT_WAITED_FOR))[0] == 408
        assert await asyncio.wait_for(reader.read(), NOT_WAITED_FOR) == b""
        assert house.lane.refusals["the request did not come in time"] == 1


async def test_who_begins_a_tls_handshake_and_stops_is_left() -> None:
    async with running(header_seconds=0.3) as house, house.connected() as (reader, writer):
        writer.write(b"\x16\x03\x01")
        assert await asyncio.wait_for(reader.read(), NOT_WAITED_FOR) == b""


async def test_a_first_request_that_comes_in_several_reads_is_answered() -> None:
    """All of it is there before the layers have found out who reads it."""
    async with running(body_bytes=1_000_000) as house, house.connected() as (reader, writer):
        writer.write(raw_post(b"x" * 200_000))
        assert await read_answer(reader) == (200, FINE.body)


class OneDoor:
    """A socket that others may listen on as well."""

    name = ADDON

    def __init__(self) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.socket.setblocking(False)  # noqa: FBT003 - its only argument

    def listen(self, connect: Connect, count: Callable[[], int], keeps_times: Callable[[], bool]) -> Listener:
        self.count, self.keeps_times = count, keeps_times
        listener = Listener([self.socket], connect, on_accept=lambda: None)
        listener.start()
        return listener


async def test_it_listens_where_the_doors_say() -> None:
    door = OneDoor()
    port = door.socket.getsockname()[1]
    async with running(doors=door) as house, house.connected() as (reader, writer):
        assert house.port == port
        writer.write(POST)
        assert await read_answer(reader) == (200, FINE.body)
        assert door.count() == 1

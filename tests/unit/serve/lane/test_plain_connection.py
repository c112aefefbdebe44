"""A connection on its way past mitmproxy: in, out, held back, given away; and nothing of it is left at its end."""

import asyncio
import gc
import socket
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from socket import SO_LINGER, SO_RCVBUF, SO_SNDBUF, SOL_SOCKET
from typing import Any

import pytest
from tests.support.clock import FakeClock
from tests.support.processes import raw_post, read_answer
from tests.support.waiting import until
from tests.unit.serve.lane.test_lane import FakeGateway, make_lane
from tests.unit.serve.lane.test_server import FINE, House, running

from walletbridge.serve.lane.conversation import LINGER_SECONDS, Conversation
from walletbridge.serve.lane.deadlines import Place
from walletbridge.serve.lane.parser import Parser
from walletbridge.serve.lane.plain_connection import PlainConnection

POST = raw_post(b"body")
OTHER = b"GET /legacy HTTP/1.1\r\nHost: gateway\r\n\r\n"


class FakeTransport(asyncio.Transport):
    """Keeps what it is told; takes nothing off its client's hands."""

    def __init__(self, peername: tuple[str, int] | None = ("192.0.2.1", 1)) -> None:
        super().__init__({"peername": peername})
        self.told: list[str] = []
        self.unsent = 0
        self.protocol: asyncio.BaseProtocol | None = None

    def write(self, data: Any) -> None:
        self.told.append(bytes(data).partition(b"\r\n")[0].decode())

    def write_eof(self) -> None:
        self.told.append("eof")
        raise OSError(107, "not connected")

    def close(self) -> None:
        self.told.append("close")

    def abort(self) -> None:
        self.told.append("abort")

    def pause_reading(self) -> None:
        self.told.append("pause")

    def resume_reading(self) -> None:
        self.told.append("resume")

    def is_closing(self) -> bool:
        return "close" in self.told or "abort" in self.told

    def get_write_buffer_size(self) -> int:
        return self.unsent

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self.protocol = protocol


class Scene:
    """A connection without a socket."""

    def __init__(self, transport: FakeTransport, **sections: Any) -> None:
        self.transport = transport
        self.carried: list[tuple[str, float, bytes]] = []
        self.lane = make_lane(FakeGateway(), **sections)
        self.connection = PlainConnection(self.lane, self._carry)
        self.connection.connection_made(transport)

    @property
    def clock(self) -> FakeClock:
        clock = self.lane.clock
        assert isinstance(clock, FakeClock)
        return clock

    async def _carry(self, place: Place, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.carried.append((place.address, place.expires_at, await reader.read(1000)))
        writer.close()


def test_who_has_gone_before_it_was_here_is_not_let_in() -> None:
    scene = Scene(FakeTransport(None))
    scene.connection.connection_lost(None)

    assert scene.transport.told == ["abort"]
    assert (scene.lane.gate.connections, len(scene.lane.places)) == (0, 0)


def test_who_says_nothing_is_cut_off() -> None:
    scene = Scene(FakeTransport())
    scene.clock.tick(scene.lane.limits.header_seconds)
    scene.lane.places.sweep(scene.clock())
    assert scene.transport.told == ["abort"]

    scene.connection.connection_lost(None)
    scene.connection.expire()
    assert (scene.lane.gate.connections, len(scene.lane.places)) == (0, 0)


def test_who_does_not_take_what_is_still_to_go_out_is_not_waited_for_without_end() -> None:
    scene = Scene(FakeTransport())
    scene.connection.data_received(POST[:10])
    scene.transport.unsent = 1000
    scene.connection.eof_received()
    assert scene.transport.told == ["close"]

    scene.clock.tick(LINGER_SECONDS)
    scene.lane.places.sweep(scene.clock())
    assert scene.transport.told == ["close", "abort"]


def test_what_cannot_be_half_closed_any_more_is_dead() -> None:
    scene = Scene(FakeTransport())
    scene.connection.data_received(b"noise\n")

    assert scene.transport.told == ["HTTP/1.1 400 Bad Request", "eof", "abort"]
    assert not scene.connection.send(b"more")


def test_with_tls_configured_plain_text_is_refused() -> None:
    scene = Scene(FakeTransport())
    scene.lane.has_tls = True
    scene.connection.data_received(POST)

    assert scene.lane.refusals == {"expected TLS": 1}
    assert scene.transport.told[0] == "HTTP/1.1 400 Bad Request"


async def test_what_begins_as_tls_is_given_away_at_once_and_its_time_runs_on() -> None:
    scene = Scene(FakeTransport())
    expires_at = scene.connection.expires_at
    scene.connection.pause_writing()
    scene.connection.data_received(b"\x16\x03")
    await until(lambda: scene.carried)

    assert scene.carried == [("192.0.2.1", expires_at, b"\x16\x03")]
    assert len(scene.lane.places) == 0
    # Whoever carries it leaves the gate.
    assert scene.lane.gate.connections == 1
    # It knows that its client does not take what it is sent: otherwise this would be a fault to asyncio.
    assert isinstance(scene.transport.protocol, asyncio.Protocol)
    scene.transport.protocol.resume_writing()


def only(house: House) -> PlainConnection:
    """The one connection."""
    [place] = house.lane.places._places
    assert isinstance(place, PlainConnection)
    return place


def transport_of(connection: PlainConnection) -> asyncio.Transport:
    assert connection._transport is not None
    return connection._transport


@pytest.mark.parametrize("earlier", [0, 1])
async def test_an_answer_to_a_connection_that_is_closing_is_not_delivered(earlier: int) -> None:
    async with running() as house, house.connected() as (reader, writer):
        for _ in range(earlier):
            writer.write(POST)
            await read_answer(reader)
        house.gateway.may.clear()
        writer.write(POST)
        await until(lambda: house.gateway.asked == earlier + 1)
        # As it is once the system has refused to send: nobody has heard of it yet.
        transport_of(only(house)).close()
        house.gateway.may.set()

        await until(lambda: len(house.gateway.deliveries) == earlier + 1)
        assert house.gateway.deliveries[-1] is False


async def test_what_is_no_callback_goes_to_mitmproxy_in_its_turn() -> None:
    """Behind the answers before it; and then mitmproxy reads what comes."""
    async with running() as house, house.connected() as (reader, writer):
        house.gateway.may.clear()
        writer.write(POST + OTHER[:-9])
        await until(lambda: house.gateway.asked == 1)
        assert isinstance(only(house), PlainConnection)
        house.gateway.may.set()

        assert await read_answer(reader) == (200, FINE.body)
        await until(lambda: house.lane._carried)
        assert house.lane.gate.connections == 1
        writer.write(OTHER[-9:])
        # There is no upstream: the answer is mitmproxy's own.
        assert (await asyncio.wait_for(reader.readline(), 20)).startswith(b"HTTP/1.1 502 ")


async def test_who_sends_far_ahead_is_not_read() -> None:
    async with running(header_bytes=1024, body_bytes=1024) as house, house.connected() as (reader, writer):
        writer.write(POST)
        await read_answer(reader)
        transport = transport_of(only(house))
        house.gateway.may.clear()
        writer.write(POST * 100)
        await until(lambda: not transport.is_reading())
        house.gateway.may.set()

        for _ in range(100):
            assert await read_answer(reader) == (200, FINE.body)
        await until(transport.is_reading)


async def test_who_does_not_read_its_answers_is_not_read() -> None:
    async with running() as house, house.connected() as (reader, writer):
        writer.write(POST)
        await read_answer(reader)
        transport = transport_of(only(house))
        transport.get_extra_info("socket").setsockopt(SOL_SOCKET, SO_SNDBUF, 4096)
        transport.set_write_buffer_limits(0)
        writer.get_extra_info("socket").setsockopt(SOL_SOCKET, SO_RCVBUF, 4096)
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        for _ in range(40):
            writer.write(POST * 100)
        await until(lambda: not transport.is_reading())
        writer.transport.resume_reading()  # type: ignore[attr-defined]

        for _ in range(4_000):
            assert await read_answer(reader) == (200, FINE.body)
        await until(transport.is_reading)


# What is left


@contextmanager
def without_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def left(besides: Sequence[object] = ()) -> list[object]:
    """All that is still there of connections and of what was said on them, but for that."""
    known = {id(it) for it in besides}
    kinds = asyncio.Transport | PlainConnection | Conversation | Parser
    return [it for it in gc.get_objects() if isinstance(it, kinds) and id(it) not in known]


@pytest.mark.parametrize(
    "data", [b"", POST[:10], POST, raw_post(b"body", version="1.0"), b"noise\n", POST + b"noise\n"]
)
@pytest.mark.parametrize("resets", [False, True], ids=["closed", "reset"])
async def test_nothing_of_a_connection_is_left_to_the_collector(data: bytes, *, resets: bool) -> None:
    """What clients come and go with would otherwise make it go through everything, again and again."""
    async with running() as house:
        with without_collector():
            # Of other tests in this process, which may go on.
            others = left()
            # Not one of asyncio's, which leave circles.
            with socket.create_connection(("127.0.0.1", house.port)) as client:
                client.sendall(data)
                await until(lambda: house.lane.gate.connections == 1)
                if POST in data:
                    await until(lambda: house.gateway.deliveries)
                if resets:
                    client.setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))
            await until(lambda: not house.lane.gate.connections)
            await until(lambda: not left(others), seconds=5)

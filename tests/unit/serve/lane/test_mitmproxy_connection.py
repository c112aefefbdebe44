"""What mitmproxy carries keeps its limits as well."""

import asyncio

from tests.support.processes import raw_post, read_answer
from tests.support.waiting import until
from tests.unit.serve.lane.test_server import House, running

from walletbridge.serve.lane.deadlines import CarriedPlace
from walletbridge.serve.lane.mitmproxy_connection import LaneHandler

OTHER = b"GET /legacy HTTP/1.1\r\nHost: gateway\r\n"


def only(house: House) -> LaneHandler:
    """What has the one connection."""
    [place] = house.lane.places._places
    assert isinstance(place, CarriedPlace)
    handler: LaneHandler = place._tell.__self__  # type: ignore[attr-defined]
    return handler


async def test_who_is_too_slow_is_told_and_left() -> None:
    async with running(header_seconds=0.3) as house, house.connected() as (reader, writer):
        writer.write(OTHER)
        assert (await asyncio.wait_for(read_answer(reader), 20))[0] == 408
        assert await asyncio.wait_for(reader.read(), 20) == b""
        await until(lambda: not house.lane.gate.connections)
        assert len(house.lane.places) == 0


async def test_who_sends_far_ahead_is_not_read() -> None:
    async with running(header_bytes=1_000_000) as house, house.connected() as (_, writer):
        writer.write(OTHER)
        await until(lambda: house.lane._carried)
        handler = only(house)
        has_room = False
        handler.place.has_room = lambda: has_room
        writer.write(b"X: " + b"x" * 500_000)
        await until(lambda: not handler._transport.is_reading())  # type: ignore[attr-defined]
        has_room = True
        await until(handler._transport.is_reading)  # type: ignore[attr-defined]


async def test_callbacks_that_come_behind_another_request_are_mitmproxys_as_well() -> None:
    """As its flow, they have their own addon; they have left the lane for good."""
    async with running() as house, house.connected() as (reader, writer):
        writer.write(OTHER + b"\r\n")
        assert (await asyncio.wait_for(reader.readline(), 20)).startswith(b"HTTP/1.1 502 ")
        writer.write(raw_post(b"body"))
        await asyncio.wait_for(reader.readuntil(b"</html>"), 20)
        assert house.gateway.asked == 0

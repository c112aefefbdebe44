"""What a connection does past mitmproxy: whether an answer got out is told as it was, also at the worst moment."""

import asyncio
from socket import SO_RCVBUF, SO_SNDBUF, SOL_SOCKET

import pytest
from tests.helpers.processes import raw_post, read_answer
from tests.helpers.waiting import until
from tests.serve.lane.test_server import FINE, House, running

from walletbridge.serve.lane.connection import LaneHandler

POST = raw_post(b"body")
OTHER = b"GET /legacy HTTP/1.1\r\nHost: gateway\r\n\r\n"


def only(house: House) -> LaneHandler:
    """What has the one connection."""
    [place] = house.lane.places._places.values()
    handler: LaneHandler = place.tell.__self__  # type: ignore[attr-defined]
    return handler


@pytest.mark.parametrize("earlier", [0, 1], ids=["through the layers", "past them"])
async def test_an_answer_to_a_connection_that_is_closing_is_not_delivered(earlier: int) -> None:
    async with running() as house, house.connected() as (reader, writer):
        for _ in range(earlier):
            writer.write(POST)
            await read_answer(reader)
        house.gateway.may.clear()
        writer.write(POST)
        await until(lambda: house.gateway.asked == earlier + 1)
        # As it is once the system has refused to send: nobody has heard of it yet.
        only(house)._transport.close()
        house.gateway.may.set()

        await until(lambda: len(house.gateway.deliveries) == earlier + 1)
        assert house.gateway.deliveries[-1] is False


async def test_what_is_no_callback_goes_to_mitmproxy_in_its_turn() -> None:
    """Behind the answers before it; and then mitmproxy reads what comes."""
    async with running() as house, house.connected() as (reader, writer):
        writer.write(POST)
        await read_answer(reader)
        house.gateway.may.clear()
        writer.write(POST + OTHER[:-9])
        await until(lambda: house.gateway.asked == 2)
        handler = only(house)
        assert handler._conversation is not None
        house.gateway.may.set()

        assert await read_answer(reader) == (200, FINE.body)
        await until(lambda: handler._conversation is None)
        writer.write(OTHER[-9:])
        # There is no upstream: the answer is mitmproxy's own.
        assert (await asyncio.wait_for(reader.readline(), 20)).startswith(b"HTTP/1.1 502 ")


async def test_who_sends_far_ahead_is_not_read() -> None:
    async with running(header_bytes=1024, body_bytes=1024) as house, house.connected() as (reader, writer):
        writer.write(POST)
        await read_answer(reader)
        handler = only(house)
        house.gateway.may.clear()
        writer.write(POST * 100)
        await until(lambda: not handler._transport.is_reading())  # type: ignore[attr-defined]
        house.gateway.may.set()

        for _ in range(100):
            assert await read_answer(reader) == (200, FINE.body)
        await until(handler._transport.is_reading)  # type: ignore[attr-defined]


async def test_who_does_not_read_its_answers_is_not_read() -> None:
    async with running() as house, house.connected() as (reader, writer):
        writer.write(POST)
        await read_answer(reader)
        handler = only(house)
        handler._transport.get_extra_info("socket").setsockopt(SOL_SOCKET, SO_SNDBUF, 4096)
        handler._transport.set_write_buffer_limits(0)
        writer.get_extra_info("socket").setsockopt(SOL_SOCKET, SO_RCVBUF, 4096)
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        for _ in range(40):
            writer.write(POST * 100)
        await until(lambda: not handler._transport.is_reading())  # type: ignore[attr-defined]
        writer.transport.resume_reading()  # type: ignore[attr-defined]

        for _ in range(4_000):
            assert await read_answer(reader) == (200, FINE.body)
        await until(handler._transport.is_reading)  # type: ignore[attr-defined]

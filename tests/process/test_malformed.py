"""A body that is no callback is refused with a message, and never reaches the wallet."""

import json
from collections.abc import AsyncIterator

import pytest
from tests.process.house import PLAYER, House
from tests.process.malformed import LIMIT, malformed_bodies
from tests.support.callbacks import body, make_callback
from tests.support.processes import Way, connected, headers, post, raw_post, read_answer

pytestmark = pytest.mark.asyncio(loop_scope="package")

COUNTS = {Way.SERVE: 5000, Way.MITMDUMP: 1000}
"""The second is the same code with more of mitmproxy around it, and slower."""


@pytest.mark.parametrize("way", Way)
async def test_no_malformed_body_reaches_the_wallet(house: House, way: Way) -> None:
    """Thousands of them, one after the other on one connection, which goes on to bring a callback."""
    house.players(**{PLAYER: 1000})
    calls = house.wallet.calls
    async with connected(house.gateways[way]) as (reader, writer):
        for malformed in malformed_bodies(COUNTS[way], seed=20261123):
            writer.write(raw_post(malformed))
            status, answer = await read_answer(reader)
            assert (413 if len(malformed) > LIMIT else 400) == status, malformed
            refusal = json.loads(answer)
            assert {"result": 99, "status": "ERROR", "message": refusal["message"]} == refusal
            assert refusal["message"]
        assert calls == house.wallet.calls

        writer.write(raw_post(body(make_callback("balance"))))
        assert await read_answer(reader) == (200, b'{"result":0,"status":"OK","data":{"balance":1000}}')


@pytest.mark.parametrize("way", Way)
@pytest.mark.parametrize("size", [LIMIT, LIMIT + 1, 1_000_000])
async def test_a_body_is_limited_whether_its_length_is_announced_or_not(house: House, way: Way, size: int) -> None:
    house.players(**{PLAYER: 1000})
    calls = house.wallet.calls
    callback = body(make_callback("balance")).ljust(size)
    too_large = (413, b'{"result":99,"status":"ERROR","message":"the body is over 65536 bytes"}')
    expected = too_large if size > LIMIT else (200, b'{"result":0,"status":"OK","data":{"balance":1000}}')

    announced = await post(house.client, house.url(way), callback)
    async with house.client.post(house.url(way), data=_in_chunks(callback), headers=headers()) as response:
        in_chunks = response.status, await response.read()

    assert expected == announced == in_chunks
    assert (2 if size == LIMIT else 0) == house.wallet.calls - calls


async def _in_chunks(data: bytes) -> AsyncIterator[bytes]:
    for first in range(0, len(data), 10_000):
        yield data[first : first + 10_000]

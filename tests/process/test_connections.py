"""The ways in which clients use connections: kept alive, pipelined, slow, of old and new versions of HTTP."""

import asyncio
from pathlib import Path

import pytest
from tests.process.house import House
from tests.process.http2 import http2_client
from tests.support.callbacks import body, make_callback
from tests.support.processes import (
    Way,
    arguments,
    at_once,
    connected,
    raw_post,
    read_answer,
    running,
    running_wallet,
    write_settings,
)
from tests.support.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="package")

PLAYER = "player-1000"
SLOW = "player-500"
BALANCES = {f"player-{units}": str(units) for units in (1000, 500, *range(20))}
"""Accounts, and what they have."""
COUNT = 20


@pytest.fixture(autouse=True)
def _players(house: House) -> None:
    house.players(**{account: int(units) for account, units in BALANCES.items()})
    house.wallet.script.seconds[SLOW] = 0.2


def _balance(account: str = PLAYER) -> bytes:
    return body(make_callback("balance", account=account))


def _answer(balance: str) -> tuple[int, bytes]:
    return 200, b'{"result":0,"status":"OK","data":{"balance":%s}}' % balance.encode()


@pytest.mark.parametrize("way", Way)
async def test_clients_that_keep_their_connections_do_not_get_each_others_answers(house: House, way: Way) -> None:
    async def ask(account: str, balance: str) -> None:
        async with connected(house.gateways[way]) as (reader, writer):
            for _ in range(COUNT):
                writer.write(raw_post(_balance(account)))
                assert _answer(balance) == await read_answer(reader)

    await at_once(ask(account, balance) for account, balance in BALANCES.items() if account != SLOW)


@pytest.mark.parametrize("way", Way)
async def test_pipelined_callbacks_are_answered_in_order(house: House, way: Way) -> None:
    """The first takes the longest."""
    accounts = [SLOW, *BALANCES, *reversed(BALANCES)]

    async with connected(house.gateways[way]) as (reader, writer):
        writer.write(b"".join(raw_post(_balance(account)) for account in accounts))

        for account in accounts:
            assert _answer(BALANCES[account]) == await read_answer(reader)


@pytest.mark.parametrize("way", Way)
@pytest.mark.parametrize("header", ["", "Connection: close\r\n"])
async def test_a_client_that_wants_one_answer_gets_it_and_the_end(house: House, way: Way, header: str) -> None:
    """HTTP/1.0 by itself, HTTP/1.1 by its header."""
    request = raw_post(_balance(), version="1.1" if header else "1.0")

    async with connected(house.gateways[way]) as (reader, writer):
        writer.write(request.replace(b"Host", header.encode() + b"Host", 1))
        assert _answer("1000") == await read_answer(reader)
        assert await asyncio.wait_for(reader.read(), 5) == b""


@pytest.mark.parametrize("way", Way)
async def test_a_callback_may_come_byte_by_byte(house: House, way: Way) -> None:
    async with connected(house.gateways[way]) as (reader, writer):
        for byte in raw_post(_balance()):
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0.001)
        assert _answer("1000") == await read_answer(reader)


@pytest.mark.parametrize("way", Way)
async def test_a_client_that_asks_to_continue_may(house: House, way: Way) -> None:
    head, _, data = raw_post(_balance()).partition(b"\r\n\r\n")

    async with connected(house.gateways[way]) as (reader, writer):
        writer.write(head + b"\r\nExpect: 100-continue\r\n\r\n")
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 100 ")
        writer.write(data)
        assert _answer("1000") == await read_answer(reader)


async def test_callbacks_over_http2(tmp_path: Path) -> None:
    """Over TLS, several at once on one connection; also while the gateway ends."""
    async with running_wallet(tmp_path, PLAYER, SLOW) as wallet:
        wallet.script.seconds = {SLOW: 0.5}
        config = write_settings(tmp_path, wallet_port=wallet.port)
        async with running(arguments(Way.MITMDUMP, config), tmp_path) as gateway, http2_client(gateway) as client:
            await client.send([_balance()] * 3)
            assert [_answer("1000")] * 3 == await client.answers(3)

            await client.send([_balance(SLOW)])
            await until(lambda: bool(wallet.script.begun.get(SLOW)))
            gateway.process.terminate()
            assert [_answer("1000")] == await client.answers(1)

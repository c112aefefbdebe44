"""The gateway ends without leaving anybody in the dark: signals, and clients that leave in the middle of a call."""

import asyncio
import socket
import struct
from contextlib import suppress
from pathlib import Path
from signal import SIGINT, SIGTERM, Signals

import pytest
from tests.process.house import House
from tests.support.callbacks import body, make_callback
from tests.support.processes import (
    UNKNOWN,
    Way,
    arguments,
    at_once,
    connected,
    has_logged,
    raw_post,
    read_answer,
    running,
    running_wallet,
    write_settings,
)
from tests.support.waiting import until

from walletbridge.demo.gateway_process import GatewayProcess

WALLET_SECONDS = 1.0
PATIENT_DEADLINES = {"bet": 10.0}
"""How long a call may take is no subject here."""
ANSWERED = (200, b'{"result":0,"status":"OK","data":{"balance":990}}')

PATIENT: dict[str, list[tuple[float, Signals]]] = {
    "once": [(0, SIGTERM)],
    "twice": [(0, SIGTERM), (0.1, SIGTERM)],
    "thrice": [(0, SIGTERM), (0, SIGTERM), (0.6, SIGTERM)],
    "ctrl-c": [(0, SIGINT), (0.1, SIGINT)],
}
"""Signals that let the calls in flight end: each with the seconds before it."""
FORCED = [(0.0, SIGINT), (0.6, SIGINT)]
END_SECONDS = 10
"""Half a second on a machine of its own."""


def bet(account: str) -> bytes:
    return raw_post(body(make_callback("bet", account=account, trans_id=account, amount=10)))


async def send(gateway: GatewayProcess, signals: list[tuple[float, Signals]]) -> None:
    for seconds, number in signals:
        await asyncio.sleep(seconds)
        gateway.process.send_signal(number)


async def until_refused(gateway: GatewayProcess) -> None:
    """Waits until nobody listens any more."""
    with suppress(ConnectionRefusedError):
        while True:
            async with connected(gateway):
                await asyncio.sleep(0.01)


@pytest.mark.parametrize(("way", "names"), [(Way.SERVE, ("once", "ctrl-c")), (Way.MITMDUMP, ("twice", "thrice"))])
async def test_a_call_in_flight_is_answered_before_the_end(way: Way, names: tuple[str, ...], tmp_path: Path) -> None:
    async with running_wallet(tmp_path, *names, "late") as wallet:
        wallet.script.seconds = dict.fromkeys(names, WALLET_SECONDS)

        async def stop(name: str) -> None:
            home = tmp_path / name
            home.mkdir()
            config = write_settings(home, wallet_port=wallet.port, deadlines=PATIENT_DEADLINES)
            async with (
                running(arguments(way, config), home) as gateway,
                connected(gateway) as (reader, writer),
                connected(gateway) as (idle_reader, idle_writer),
            ):
                # Something has to come back on a connection before it is certain that it was accepted.
                idle_writer.write(raw_post(b"{}"))
                await read_answer(idle_reader)
                writer.write(bet(name))
                await until(lambda: wallet.script.begun.get(name))

                await send(gateway, PATIENT[name])
                await until_refused(gateway)
                idle_writer.write(raw_post(body(make_callback("balance", account="late"))))

                head = await idle_reader.readuntil(b"\r\n\r\n")
                assert head.startswith(b"HTTP/1.1 200 OK\r\n")
                assert b"\r\nConnection: close\r\n" in head
                assert await read_answer(reader) == ANSWERED
                assert await asyncio.wait_for(gateway.process.wait(), END_SECONDS) == 0
                assert (wallet.script.begun[name], wallet.script.ended[name]) == (1, 1)

        await at_once(stop(name) for name in names)


@pytest.mark.parametrize("way", Way)
async def test_a_second_sigint_forces_the_end(way: Way, tmp_path: Path) -> None:
    async with running_wallet(tmp_path, "player") as wallet:
        wallet.script.seconds = {"player": 5}
        config = write_settings(tmp_path, wallet_port=wallet.port, deadlines={"bet": 10.0})
        async with running(arguments(way, config), tmp_path) as gateway, connected(gateway) as (reader, writer):
            writer.write(bet("player"))
            await until(lambda: wallet.script.begun)

            await send(gateway, FORCED)

            assert await read_answer(reader) == UNKNOWN
            assert await asyncio.wait_for(gateway.process.wait(), END_SECONDS) == 0
            assert wallet.script.ended == {}


async def test_sigterms_without_end_do_not_change_how_it_ends(tmp_path: Path) -> None:
    """Not even after the last addon is done, while Python takes itself down."""
    async with running_wallet(tmp_path) as wallet:
        config = write_settings(tmp_path, wallet_port=wallet.port)
        async with running(arguments(Way.SERVE, config), tmp_path) as gateway:
            while gateway.process.returncode is None:
                gateway.process.send_signal(SIGTERM)
                await asyncio.sleep(0.02)

    assert gateway.process.returncode == 0


@pytest.mark.asyncio(loop_scope="package")
async def test_a_client_that_leaves_has_its_call_made_once(house: House) -> None:
    """
    By closing and by a reset, and where mitmproxy reads the connection by half-closing: the wallet call goes on, and
    the log tells.
    """
    ways_to_leave = {"close": _close, "half-close": _half_close, "reset": _reset}
    accounts = {(way, how): f"{way}-{how}" for way in Way for how in ways_to_leave}
    del accounts[Way.SERVE, "half-close"]
    wallet = house.wallet
    house.players(**dict.fromkeys(accounts.values(), 1000))
    wallet.script.seconds |= dict.fromkeys(accounts.values(), 0.3)

    async def leave(way: Way, how: str) -> None:
        account = accounts[way, how]
        async with connected(house.gateways[way]) as (_, writer):
            writer.write(bet(account))
            await until(lambda: bool(wallet.script.begun.get(account)))
            ways_to_leave[how](writer)
            await until(lambda: bool(wallet.script.ended.get(account)))
            await until(lambda: has_logged(house.gateways[way], "answer not delivered", account))

    await at_once(leave(way, how) for way, how in accounts)

    for account in accounts.values():
        assert 1 == wallet.script.begun[account] == wallet.movements(account)
        assert wallet.balance(account) == 99_000


def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()


def _half_close(writer: asyncio.StreamWriter) -> None:
    writer.write_eof()


def _reset(writer: asyncio.StreamWriter) -> None:
    connection: socket.socket = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()

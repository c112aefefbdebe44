"""A client that closes its sending side behind its requests still gets every answer from `serve`."""

import asyncio
import json
import socket
import ssl
from collections.abc import Callable
from pathlib import Path

from tests.support.callbacks import body, make_callback
from tests.support.processes import (
    Way,
    address_of,
    arguments,
    connected,
    has_logged,
    raw_post,
    read_answer,
    running,
    running_wallet,
    write_settings,
)
from tests.support.tls import Authority
from tests.support.waiting import until

PLAYER = "test1234"
SECONDS = 10.0


def _bet(trans_id: int) -> bytes:
    return raw_post(body(make_callback("bet", trans_id=trans_id, amount=10)))


async def test_what_was_asked_before_the_end_is_answered(tmp_path: Path) -> None:
    async with running_wallet(tmp_path, PLAYER) as wallet:
        wallet.script.seconds[PLAYER] = 0.1
        config = write_settings(tmp_path, wallet_port=wallet.port)
        async with running(arguments(Way.SERVE, config), tmp_path) as gateway:
            async with connected(gateway) as (reader, writer):
                writer.write(_bet(1) + _bet(2) + _bet(3)[:-1])
                writer.write_eof()
                answers = [(await read_answer(reader))[1] for _ in range(2)]
                # What never came whole is not answered, and the connection ends.
                assert await asyncio.wait_for(reader.read(), SECONDS) == b""

            assert [json.loads(answer)["data"] for answer in answers] == [{"balance": 990}, {"balance": 980}]
            assert wallet.movements(PLAYER) == 2
            assert not has_logged(gateway, "answer not delivered")


async def test_a_client_that_has_gone_is_not_taken_for_one_that_waits(tmp_path: Path) -> None:
    """Its system resets the connection when the answer comes, and the answer counts as not delivered."""
    async with running_wallet(tmp_path, PLAYER) as wallet:
        wallet.script.seconds[PLAYER] = 0.3
        config = write_settings(tmp_path, wallet_port=wallet.port)
        async with running(arguments(Way.SERVE, config), tmp_path) as gateway, connected(gateway) as (_, writer):
            writer.write(_bet(1))
            await until(lambda: bool(wallet.script.begun.get(PLAYER)))
            writer.close()
            await until(lambda: has_logged(gateway, "answer not delivered", PLAYER))
            assert wallet.movements(PLAYER) == 1


async def test_it_is_so_inside_tls_as_well(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    pair = authority.sign("gateway")
    async with running_wallet(tmp_path, PLAYER) as wallet:
        wallet.script.seconds[PLAYER] = 0.1
        files = {"cert_file": str(pair.cert_file), "key_file": str(pair.key_file)}
        config = write_settings(tmp_path, wallet_port=wallet.port, tls=files)
        async with running(arguments(Way.SERVE, config), tmp_path) as gateway:
            context = ssl.create_default_context(cafile=authority.ca_file)
            # The authority of the tests is a plain one.
            context.verify_flags &= ~ssl.VERIFY_X509_STRICT
            for trans_id, half_close in enumerate((_close_tcp, _close_tls), start=1):
                received = await asyncio.to_thread(_asked, address_of(gateway), context, _bet(trans_id), half_close)
                assert received.startswith(b"HTTP/1.1 200 "), half_close.__name__
            await until(lambda: wallet.movements(PLAYER) == 2)
            assert not has_logged(gateway, "answer not delivered")


type _HalfClose = Callable[[socket.socket, ssl.SSLObject], None]


def _close_tcp(connection: socket.socket, _: ssl.SSLObject) -> None:
    connection.shutdown(socket.SHUT_WR)


def _close_tls(_: socket.socket, tls: ssl.SSLObject) -> None:
    try:
        tls.unwrap()
    except ssl.SSLWantReadError:
        # Our end of it is written; the other side has not ended yet.
        return


def _asked(address: tuple[str, int], context: ssl.SSLContext, request: bytes, half_close: _HalfClose) -> bytes:
    """Sends a request inside TLS and closes the sending side; returns what comes back before the end."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(incoming, outgoing, server_hostname="127.0.0.1")
    with socket.create_connection(address, timeout=SECONDS) as connection:

        def pump() -> bool:
            connection.sendall(outgoing.read())
            data = connection.recv(65536)
            incoming.write(data)
            return bool(data)

        while True:
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                pump()
        tls.write(request)
        connection.sendall(outgoing.read())
        half_close(connection, tls)
        if half_close is not _close_tcp:
            connection.sendall(outgoing.read())
        received = b""
        while data := connection.recv(65536):
            incoming.write(data)
            try:
                while piece := tls.read():
                    received += piece
            except (ssl.SSLWantReadError, ssl.SSLZeroReturnError):
                continue
            except ssl.SSLError:
                break
        return received

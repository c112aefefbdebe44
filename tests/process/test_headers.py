"""
A request for another path and its answer pass byte for byte, seen on bare sockets at both ends; but for where chunks of
a request's body begin.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path

from tests.process.house import PLAYER
from tests.support.callbacks import body, make_callback
from tests.support.processes import connected, raw_post, read_answer, running_both, running_wallet

from walletbridge.demo.gateway_process import GatewayProcess

CALLBACK = raw_post(body(make_callback("balance")))
BALANCE = (200, b'{"result":0,"status":"OK","data":{"balance":1000}}')
REQUEST_HEAD = (
    b"%s /Legacy/%%7Euser//x;y?q=a+b&q=%%20&empty= HTTP/1.1\r\n"
    b"hOST: Legacy.Example:8080\r\n"
    b"X-Second: 2\r\n"
    b"x-first: 1\r\n"
    b"X-Second: 1\r\n"
    b"X-Empty: \r\n"
    b"X-Latin: caf\xe9 \xff\r\n"
    b"X-Long: " + b"l" * 4000 + b"\r\n"
    b"cookie: a=1\r\n"
    b"Cookie: b=2\r\n"
    b"CALLBACK-TOKEN: the upstream's own\r\n"
    b"Accept-Encoding: gzip, br\r\n"
    b"Connection: keep-alive\r\n"
    b"Via: 1.1 proxy\r\n"
    b'If-None-Match: "x"\r\n'
)
ANSWER_HEAD = (
    b"HTTP/1.1 %s\r\n"
    b"server: Old/1.0\r\n"
    b"SET-COOKIE: a=1\r\n"
    b"Set-Cookie: b=2\r\n"
    b"X-Latin: caf\xe9\r\n"
    b"x-Empty: \r\n"
    b"Content-Encoding: gzip\r\n"
)
BODY = b"\x1f\x8b not really gzip \x00\xff"
LENGTH = b"Content-length: %d\r\n\r\n" % len(BODY)
CHUNKS = b"4\r\nabcd\r\n3\r\nefg\r\n0\r\n\r\n"
LAST_CHUNK = b"0\r\n\r\n"
ONE_CHUNK = b"7\r\nabcdefg\r\n" + LAST_CHUNK
CHUNKED = b"transfer-Encoding: chunked\r\n\r\n"
EXCHANGES = {
    # An answer with a body.
    b"GET": (b"\r\n", ANSWER_HEAD % b"200 Fine by me" + LENGTH + BODY),
    # Bodies with a length both ways.
    b"POST": (LENGTH + BODY, ANSWER_HEAD % b"404 Not Found" + LENGTH + BODY),
    # Bodies in chunks both ways.
    b"PUT": (CHUNKED + CHUNKS, ANSWER_HEAD % b"500 Oh no" + CHUNKED + CHUNKS),
    # A method of the upstream's own, and an answer without a body.
    b"PROPFIND": (b"Content-Length: 0\r\n\r\n", ANSWER_HEAD % b"204 No Content" + b"\r\n"),
    # A length without a body.
    b"HEAD": (b"\r\n", ANSWER_HEAD % b"200 OK" + LENGTH),
    b"OPTIONS": (b"\r\n", ANSWER_HEAD % b"304 Not Modified" + b"\r\n"),
}
"""By method: how a request ends, from the last of its headers on, and the whole answer."""


@asynccontextmanager
async def running_raw_upstream(seen: asyncio.Queue[bytes]) -> AsyncIterator[int]:
    """Puts every request into `seen` as it came, and gives the answer of its method; yields its port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                end, answer = EXCHANGES[head.split()[0]]
                body = end.partition(b"\r\n\r\n")[2]
                is_chunked = body == CHUNKS
                came = await (reader.readuntil(LAST_CHUNK) if is_chunked else reader.readexactly(len(body)))
                # Chunks that come together may go on as one: where they begin means nothing.
                seen.put_nowait(head + (CHUNKS if is_chunked and came in {CHUNKS, ONE_CHUNK} else came))
                writer.write(answer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def test_a_request_and_its_answer_pass_byte_for_byte(tmp_path: Path) -> None:
    """Also behind callbacks. And when the upstream has gone, its paths are 502 while callbacks go on."""
    seen: asyncio.Queue[bytes] = asyncio.Queue()
    async with AsyncExitStack() as stack:
        wallet = await stack.enter_async_context(running_wallet(tmp_path, PLAYER))
        async with running_raw_upstream(seen) as port:
            gateways = await stack.enter_async_context(
                running_both(tmp_path, wallet_port=wallet.port, upstream=f"http://127.0.0.1:{port}")
            )
            for gateway in gateways.values():
                for callbacks in (0, 2):
                    await _exchange(gateway, seen, callbacks=callbacks)
        for gateway in gateways.values():
            await _ask_a_dead_upstream(gateway)


async def _exchange(gateway: GatewayProcess, seen: asyncio.Queue[bytes], *, callbacks: int) -> None:
    async with connected(gateway) as (reader, writer):
        for _ in range(callbacks):
            writer.write(CALLBACK)
            assert await read_answer(reader) == BALANCE
        for method, (end, answer) in EXCHANGES.items():
            request = REQUEST_HEAD % method + end

            writer.write(request)

            assert request == await asyncio.wait_for(seen.get(), 10)
            assert answer == await asyncio.wait_for(reader.readexactly(len(answer)), 10)


async def _ask_a_dead_upstream(gateway: GatewayProcess) -> None:
    async with connected(gateway) as (reader, writer):
        for _ in range(2):
            writer.write(CALLBACK)
            assert await read_answer(reader) == BALANCE
        writer.write(b"GET /legacy HTTP/1.1\r\nHost: gateway\r\n\r\n")
        assert (await read_answer(reader))[0] == 502
    async with connected(gateway) as (reader, writer):
        writer.write(CALLBACK)
        assert await read_answer(reader) == BALANCE

"""
Clients that mean no good, all at once, each at a bounded rate: what `under_attack` runs in a process of its own.

They come from 127.0.0.2 to 127.0.0.9, and from 127.0.1.1, which may not call.
"""

import asyncio
import itertools
import ssl
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress

import h2.connection
from h2.errors import ErrorCodes
from tests.support.callbacks import body, make_callback
from tests.support.processes import raw_post

OUTSIDE = "127.0.1.1"
SECONDS = 20
"""For which an attacker stays at most."""
PIPELINED = 150
RESETS = 500
PIECE = bytes(16384)
PIECES = 200
PIECE_SECONDS = 0.02
OTHER = b"GET /legacy HTTP/1.1\r\nHost: gateway\r\n\r\n"
WRONG = raw_post(body(make_callback("balance")), token="wrong")  # noqa: S106 - not a secret
CHUNKED = b"POST %b HTTP/1.1\r\nHost: gateway\r\nCallback-Token: wrong\r\nTransfer-Encoding: chunked\r\n\r\n"

type Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
type Attack = Callable[[Streams], Awaitable[None]]
_numbers = itertools.count()


class Attackers:
    """All of them, against one port."""

    def __init__(self, host: str, port: int, *, tls: bool) -> None:
        self._address = host, port
        self._tls = {alpn: _careless(alpn) for alpn in ("http/1.1", "h2")} if tls else {"http/1.1": None}
        self.made: Counter[str] = Counter()

    async def run(self) -> None:
        """Without end."""
        async with asyncio.TaskGroup() as group:
            for attack, seconds, alpn in (
                (pipelined_wrong_tokens, 0.5, "http/1.1"),
                (half_a_head, 0.1, "http/1.1"),
                (silence, 0.2, "http/1.1"),
                (endless_body, 1.0, "http/1.1"),
                (endless_body_behind_another_request, 1.0, "http/1.1"),
                (endless_body_for_the_upstream, 1.0, "http/1.1"),
                (bad_chunk, 0.2, "http/1.1"),
                (half_close, 0.2, "http/1.1"),
                (pipelined_requests, 2.0, "http/1.1"),
                (chunks_of_a_byte, 2.0, "http/1.1"),
                (silence, 0.2, "h2"),
                (rapid_reset, 0.5, "h2"),
            ):
                if alpn in self._tls:
                    group.create_task(self._again(attack, seconds, alpn))
            group.create_task(self._again(silence, 0.1, "http/1.1", local=OUTSIDE))
            group.create_task(self._handshakes())

    async def _again(self, attack: Attack, seconds: float, alpn: str, *, local: str = "") -> None:
        """Begins one every so many seconds, whatever becomes of those before."""
        async with asyncio.TaskGroup() as group:
            while True:
                group.create_task(self._one(attack, alpn, local or f"127.0.0.{2 + next(_numbers) % 8}"))
                await asyncio.sleep(seconds)

    async def _one(self, attack: Attack, alpn: str, local: str) -> None:
        with suppress(OSError, TimeoutError, asyncio.IncompleteReadError):
            async with asyncio.timeout(SECONDS):
                streams = await asyncio.open_connection(*self._address, ssl=self._tls[alpn], local_addr=(local, 0))
                try:
                    await attack(streams)
                    self.made[attack.__name__] += 1
                finally:
                    streams[1].transport.abort()

    async def _handshakes(self) -> None:
        """The first bytes of TLS, and nothing or nonsense behind them."""
        while True:
            for rest in (b"", b"\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(600)):
                with suppress(OSError):
                    _, writer = await asyncio.open_connection(*self._address, local_addr=("127.0.0.2", 0))
                    writer.write(b"\x16" + rest)
                    asyncio.get_running_loop().call_later(1, writer.transport.abort)
                    self.made["handshakes"] += 1
                await asyncio.sleep(0.05)


def _careless(alpn: str) -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols([alpn])
    return context


async def pipelined_wrong_tokens(streams: Streams) -> None:
    reader, writer = streams
    writer.write(WRONG * PIPELINED)
    await reader.read()


async def half_a_head(streams: Streams) -> None:
    reader, writer = streams
    writer.write(WRONG[:30])
    await reader.read()


async def silence(streams: Streams) -> None:
    reader, _ = streams
    await reader.read()


async def endless_body(streams: Streams) -> None:
    await _endless(streams, b"", b"/callback")


async def endless_body_behind_another_request(streams: Streams) -> None:
    await _endless(streams, OTHER, b"/callback")


async def endless_body_for_the_upstream(streams: Streams) -> None:
    await _endless(streams, b"", b"/endless")


async def _endless(streams: Streams, before: bytes, path: bytes) -> None:
    _, writer = streams
    writer.write(before + CHUNKED % path)
    for _ in range(PIECES):
        writer.write(b"4000\r\n" + PIECE + b"\r\n")
        await writer.drain()
        await asyncio.sleep(PIECE_SECONDS)


async def pipelined_requests(streams: Streams) -> None:
    """For another path, as fast as they are answered."""
    reader, writer = streams
    for _ in range(PIECES):
        writer.write(OTHER * PIPELINED)
        await writer.drain()
        await reader.read(1 << 16)


async def chunks_of_a_byte(streams: Streams) -> None:
    _, writer = streams
    writer.write(CHUNKED % b"/endless")
    for _ in range(PIECES):
        writer.write(b"1\r\nx\r\n" * PIPELINED)
        await writer.drain()
        await asyncio.sleep(PIECE_SECONDS)


async def bad_chunk(streams: Streams) -> None:
    reader, writer = streams
    writer.write(OTHER + CHUNKED % b"/legacy" + b"nonsense\r\n")
    await reader.read()


async def half_close(streams: Streams) -> None:
    """As far as TLS can: the other side sees the end of what is sent."""
    reader, writer = streams
    writer.write(WRONG)
    writer.write_eof() if writer.can_write_eof() else writer.transport.abort()
    await reader.read()


async def rapid_reset(streams: Streams) -> None:
    reader, writer = streams
    connection = h2.connection.H2Connection()
    connection.initiate_connection()
    head = [(":method", "POST"), (":scheme", "https"), (":path", "/callback"), (":authority", "gateway")]
    for _ in range(RESETS):
        stream = connection.get_next_available_stream_id()
        connection.send_headers(stream, head)
        connection.reset_stream(stream, ErrorCodes.CANCEL)
    writer.write(connection.data_to_send())
    await reader.read()

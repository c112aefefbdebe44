"""An upstream that keeps the bytes that it is sent, and answers as a test says."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

_LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]+)\r\n", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding: *chunked\r\n", re.IGNORECASE)
FINE = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine"

type Handle = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class RawUpstream:
    """What came to it."""

    def __init__(self) -> None:
        self.port = 0
        self.requests: list[bytes] = []
        """Each as its bytes, body and all."""

    @property
    def url(self) -> str:
        """For the gateway's settings."""
        return f"http://127.0.0.1:{self.port}"

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Reads as the most lenient parser would: by the first framing that it finds."""
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            if _CHUNKED.search(head):
                data = await reader.readuntil(b"0\r\n\r\n")
            else:
                length = _LENGTH.search(head)
                data = await reader.readexactly(int(length[1])) if length else b""
            self.requests.append(head + data)
            writer.write(FINE)


@asynccontextmanager
async def running_raw_upstream(handle: Handle | None = None) -> AsyncIterator[RawUpstream]:
    """On a free port; `handle` has each of its connections, in place of `RawUpstream.answer`."""
    upstream, tasks = RawUpstream(), set[asyncio.Task[None]]()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            await (handle or upstream.answer)(reader, writer)
        writer.transport.abort()
        tasks.discard(task)

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    upstream.port = server.sockets[0].getsockname()[1]
    try:
        yield upstream
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=5)

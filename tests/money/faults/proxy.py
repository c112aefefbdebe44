"""
A TCP proxy between the provider and the gateways that cuts, stalls and loses. It knows just enough HTTP to see where a
request and an answer end.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Self

from tests.money.faults.plan import NetFault

type Address = tuple[str, int]
type Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]
type Gone = asyncio.Task[bytes]
"""Ends when the client has left."""

FORGET_SECONDS = 3.0
"""How long an answer that nobody will hear is waited for."""

_HERE_SECONDS = 0.002
"""Within which what has arrived is read."""
_LENGTH = b"content-length:"


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of one request."""

    fault: NetFault | None = None
    seconds: float = 0.0
    """Of a stall."""


class _Broken(Exception):
    """Raised where one end of a connection is gone, or is to be."""


@dataclass(slots=True)
class Proxy:
    """Listens, and hands each request to one of the gateways."""

    upstream: Callable[[bytes], Address | None]
    """Asked for each request, with all of it that is sent on; None where no gateway is up."""
    decide: Callable[[bytes], Decision]
    """Asked for each request, with its body."""
    arrived: Callable[[bytes, bytes], None] = lambda *_: None
    """Told of each request whose whole answer has come from its gateway, whatever becomes of it then."""
    port: int = 0
    _server: asyncio.Server | None = None
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("connections are served in tasks")
        self._tasks.add(task)
        try:
            # Cancelled only when all is over; a server's task that ends as cancelled would be reported.
            with suppress(_Broken, OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await _Client(self, reader, writer).serve()
        finally:
            self._tasks.discard(task)
            writer.transport.abort()


class _Client:
    """One connection of the provider's, with the connections behind it."""

    def __init__(self, proxy: Proxy, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._proxy = proxy
        self._reader = reader
        self._writer = writer
        self._behind: dict[Address, Connection] = {}

    async def serve(self) -> None:
        """Carries one request after the other, until one end is gone."""
        ahead = b""
        try:
            while True:
                request = ahead + await read_message(self._reader)
                # HTTP without pipelining: what comes before the answer is the end.
                gone = asyncio.ensure_future(self._reader.read(1))
                try:
                    await self._carry(request, gone)
                finally:
                    gone.cancel()
                    with suppress(asyncio.CancelledError, OSError):
                        await gone
                # Once it has the answer, the client may be quick.
                ahead = b"" if gone.cancelled() else gone.result()
        finally:
            for _, writer in self._behind.values():
                writer.transport.abort()

    async def _carry(self, request: bytes, gone: Gone) -> None:
        decision = self._proxy.decide(request.partition(b"\r\n\r\n")[2])
        match decision.fault:
            case NetFault.CUT_BEFORE:
                raise _Broken
            case NetFault.CUT_REQUEST:
                await self._cut(request[: -len(request) // 4])
            case NetFault.CUT_AFTER:
                await self._cut(request)
            case NetFault.LOSE_ANSWER:
                await self._forget(request, await self._send(request))
                await gone
                raise _Broken
            case NetFault.STALL_REQUEST:
                # On its way already: it arrives, whether or not its sender still waits.
                await asyncio.wait({gone}, timeout=decision.seconds)
                if gone.done():
                    await asyncio.sleep(decision.seconds / 2)
                await self._forward(request, gone, leaves=False)
            case NetFault.DUPLICATE:
                second = asyncio.ensure_future(self._send_alone(request))
                try:
                    await self._forward(request, gone)
                finally:
                    await second
            case _:
                await self._forward(request, gone, decision)

    async def _forward(
        self, request: bytes, gone: Gone, decision: Decision = Decision(), *, leaves: bool = True
    ) -> None:
        """`leaves`: the gateway notices when the client has left."""
        reader = await self._send(request)
        answering = asyncio.ensure_future(read_message(reader))
        try:
            await asyncio.wait({answering, gone} if leaves else {answering}, return_when=asyncio.FIRST_COMPLETED)
            # What lies here already has arrived, for all that the gateway can know.
            await asyncio.wait({answering}, timeout=_HERE_SECONDS)
            if not answering.done():
                raise _Broken
            answer = answering.result()
        finally:
            answering.cancel()
        self._proxy.arrived(request, answer)
        if decision.fault is NetFault.STALL_ANSWER:
            await asyncio.sleep(decision.seconds)
        if decision.fault is NetFault.CUT_ANSWER:
            self._writer.write(answer[: len(answer) // 2])
            await self._writer.drain()
            raise _Broken
        self._writer.write(answer)
        await self._writer.drain()

    async def _send(self, request: bytes) -> asyncio.StreamReader:
        address = self._proxy.upstream(request)
        if address is None:
            raise _Broken
        behind = self._behind.get(address)
        if behind is None or behind[0].at_eof():
            behind = self._behind[address] = await asyncio.open_connection(*address)
        reader, writer = behind
        writer.write(request)
        await writer.drain()
        return reader

    async def _cut(self, request: bytes) -> None:
        await self._send(request)
        # Let it arrive: a reset takes back what is still on its way.
        await asyncio.sleep(0.01)
        raise _Broken

    async def _send_alone(self, request: bytes) -> None:
        """On a connection of its own; nobody hears the answer."""
        address = self._proxy.upstream(request)
        if address is None:
            return
        with suppress(OSError, asyncio.IncompleteReadError):
            reader, writer = await asyncio.open_connection(*address)
            try:
                writer.write(request)
                await self._forget(request, reader)
            finally:
                writer.transport.abort()

    async def _forget(self, request: bytes, reader: asyncio.StreamReader) -> None:
        with suppress(TimeoutError):
            self._proxy.arrived(request, await asyncio.wait_for(read_message(reader), FORGET_SECONDS))


async def read_message(reader: asyncio.StreamReader) -> bytes:
    """
    A request or an answer, head and body, whose length stands in its head.

    Raises asyncio.IncompleteReadError where the connection ends first.
    """
    head = await reader.readuntil(b"\r\n\r\n")
    lengths = [line[len(_LENGTH) :] for line in head.split(b"\r\n") if line.lower().startswith(_LENGTH)]
    return head + await reader.readexactly(int(lengths[0]) if lengths else 0)

"""A legacy system behind the gateway, on a real socket: it writes down what reaches it."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import cast

from aiohttp import WSMsgType, web

PIECE = bytes(range(256)) * 256
"""64 KiB that bodies are made of."""
_NUMBER_BYTES = 8
CHUNKS = (b"chunk 0;", b"chunk 1;", b"chunk 2;")


@dataclass(slots=True)
class Upstream:
    """What it was asked, in the order in which it was asked."""

    port: int = 0
    requests: list[tuple[str, str, bytes]] = field(default_factory=list)
    """Method, target as sent, and body (not of `/sink`)."""
    connections: int = 0

    @property
    def url(self) -> str:
        """For the gateway's settings."""
        return f"http://127.0.0.1:{self.port}"


def piece(number: int) -> bytes:
    """PIECE with its number in it, so that it cannot be taken for another."""
    return number.to_bytes(_NUMBER_BYTES) + PIECE[_NUMBER_BYTES:]


_UPSTREAM = web.AppKey("upstream", Upstream)


async def _echo(request: web.Request) -> web.StreamResponse:
    """Answers with what it was sent."""
    body = await request.read()
    request.app[_UPSTREAM].requests.append((request.method, request.raw_path, body))
    is_chunked = request.headers.get("Transfer-Encoding", "") == "chunked"
    return web.Response(body=body, headers={"X-Method": request.method, "X-Chunked": str(is_chunked)})


async def _headers(request: web.Request) -> web.StreamResponse:
    """Tells the headers that came."""
    return web.json_response(dict(request.headers))


async def _sink(request: web.Request) -> web.StreamResponse:
    """Counts the bytes of a body."""
    request.app[_UPSTREAM].requests.append((request.method, request.raw_path, b""))
    return web.Response(text=str(sum([len(data) async for data in request.content.iter_any()])))


async def _digest(request: web.Request) -> web.StreamResponse:
    """Tells the SHA-256 of a body."""
    digest = hashlib.sha256()
    async for data in request.content.iter_any():
        digest.update(data)
    return web.Response(text=digest.hexdigest())


async def _source(request: web.Request) -> web.StreamResponse:
    """Sends `?pieces=N` pieces, each with its number."""
    pieces = int(request.query["pieces"])
    response = web.StreamResponse(headers={"Content-Length": str(pieces * len(PIECE))})
    await response.prepare(request)
    for number in range(pieces):
        await response.write(piece(number))
    return response


async def _chunks(request: web.Request) -> web.StreamResponse:
    """Sends a body of which nobody knows the length before its end."""
    response = web.StreamResponse()
    response.enable_chunked_encoding()
    await response.prepare(request)
    for chunk in CHUNKS:
        await response.write(chunk)
    return response


async def _live(request: web.Request) -> web.StreamResponse:
    """Sends back what comes as it comes."""
    response = web.StreamResponse()
    await response.prepare(request)
    async for data in request.content.iter_any():
        await response.write(data)
    return response


async def _socket(request: web.Request) -> web.StreamResponse:
    """A WebSocket that sends back each message."""
    response = web.WebSocketResponse()
    await response.prepare(request)
    async for message in response:
        if message.type is WSMsgType.TEXT:
            await response.send_str(message.data)
        else:
            await response.send_bytes(message.data)
    return response


_ROUTES = (
    web.get("/headers", _headers),
    web.route("*", "/sink", _sink),
    web.put("/digest", _digest),
    web.get("/source", _source),
    web.get("/chunks", _chunks),
    web.post("/live", _live),
    web.get("/socket", _socket),
    web.route("*", "/{path:.*}", _echo),
)


@asynccontextmanager
async def running_upstream() -> AsyncIterator[Upstream]:
    """Listens on a free port. Any path that is not one of those above is an echo."""
    upstream = Upstream()
    application = web.Application()
    application[_UPSTREAM] = upstream
    application.router.add_routes(_ROUTES)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    serve = cast("web.Server", runner.server)

    def connected() -> asyncio.Protocol:
        upstream.connections += 1
        return serve()

    server = await asyncio.get_running_loop().create_server(connected, "127.0.0.1", 0)
    upstream.port = server.sockets[0].getsockname()[1]
    try:
        yield upstream
    finally:
        server.close()
        await runner.cleanup()

"""A client that speaks HTTP/2 over TLS, as strict as the h2 library is."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

import h2.connection
import h2.events
from tests.support.processes import address_of, headers

from walletbridge.demo.gateway_process import GatewayProcess


class Http2Client:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._connection = h2.connection.H2Connection()
        self._connection.initiate_connection()
        self._statuses: dict[int, int] = {}
        self._bodies: dict[int, bytes] = {}
        self._ended: list[int] = []

    async def send(self, bodies: Sequence[bytes]) -> None:
        """Sends callbacks with these bodies at once, each in a stream of its own."""
        for data in bodies:
            stream = self._connection.get_next_available_stream_id()
            pseudo = {":method": "POST", ":path": "/callback", ":scheme": "https", ":authority": "gateway"}
            fields = pseudo | {name.lower(): value for name, value in headers().items()}
            self._connection.send_headers(stream, list(fields.items()))
            self._connection.send_data(stream, data, end_stream=True)
        self._writer.write(self._connection.data_to_send())
        await self._writer.drain()

    async def reset(self, stream: int = 1) -> None:
        """Gives up one stream; the connection stays."""
        self._connection.reset_stream(stream)
        self._writer.write(self._connection.data_to_send())
        await self._writer.drain()

    async def answers(self, count: int) -> list[tuple[int, bytes]]:
        """The next so many answers, in the order of the requests: their statuses and bodies."""
        async with asyncio.timeout(10):
            while len(self._ended) < count:
                data = await self._reader.read(65536)
                if not data:
                    raise ConnectionError("the connection ended before its answers")
                for event in self._connection.receive_data(data):
                    self._take(event)
                self._writer.write(self._connection.data_to_send())
        streams, self._ended = sorted(self._ended), []
        return [(self._statuses[stream], self._bodies.get(stream, b"")) for stream in streams]

    def _take(self, event: h2.events.Event) -> None:
        match event:
            case h2.events.ResponseReceived(stream_id=stream, headers=fields) if stream and fields:
                self._statuses[stream] = next(int(value) for name, value in fields if name == b":status")
            case h2.events.DataReceived(stream_id=stream, data=data) if stream and data:
                self._bodies[stream] = self._bodies.get(stream, b"") + data
            case h2.events.StreamEnded(stream_id=stream) if stream:
                self._ended.append(stream)
            case h2.events.StreamReset() | h2.events.ConnectionTerminated():
                raise ConnectionError(str(event))


@asynccontextmanager
async def http2_client(gateway: GatewayProcess) -> AsyncIterator[Http2Client]:
    """Connects without a look at the certificate, which mitmproxy makes itself."""
    tls = ssl.create_default_context()
    tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
    tls.set_alpn_protocols(["h2"])
    reader, writer = await asyncio.open_connection(*address_of(gateway), ssl=tls)
    try:
        yield Http2Client(reader, writer)
    finally:
        writer.transport.abort()
        with suppress(OSError):
            await writer.wait_closed()

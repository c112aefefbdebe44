"""A client that speaks HTTP/2 over TLS as badly as a test wants, frame by frame where the h2 library would not."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import h2.config
import h2.connection
import h2.events
from hyperframe.frame import Frame
from tests.support.processes import TOKEN, address_of

from walletbridge.demo.gateway_process import GatewayProcess

SECONDS = 20

type Fields = Sequence[tuple[str | bytes, str | bytes]]


@dataclass
class Answer:
    """What came for one stream."""

    status: int = 0
    body: bytes = b""
    has_ended: bool = False
    reset: int | None = None


@dataclass
class RawHttp2:
    """One connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    goodbye: int | None = None
    """The code of its GOAWAY."""
    streams: dict[int, Answer] = field(default_factory=dict)

    def __post_init__(self) -> None:
        config = h2.config.H2Configuration(validate_outbound_headers=False, normalize_outbound_headers=False)
        self.connection = h2.connection.H2Connection(config)

    def greet(self) -> None:
        self.connection.initiate_connection()
        self.flush()

    def flush(self) -> None:
        self.writer.write(self.connection.data_to_send())

    def request(  # noqa: PLR0913 - what a request may have
        self,
        path: str | bytes = "/callback",
        body: bytes | None = None,
        *,
        method: str = "POST",
        token: str | None = TOKEN,
        ends: bool = True,
        fields: Fields = (),
        trailers: Fields = (),
    ) -> int:
        """Sends one; returns its stream."""
        stream = self.connection.get_next_available_stream_id()
        head: list[tuple[str | bytes, str | bytes]] = [(":method", method), (":scheme", "https"), (":path", path)]
        if not any(name in {":authority", "host"} for name, _ in fields):
            head.append((":authority", "gateway"))
        head += [*fields] + ([("callback-token", token)] if token else [])
        self.connection.send_headers(stream, head, end_stream=body is None and ends)
        if body is not None:
            self.connection.send_data(stream, body, end_stream=ends and not trailers)
        if trailers:
            self.connection.send_headers(stream, list(trailers), end_stream=True)
        self.streams[stream] = Answer()
        self.flush()
        return stream

    def send(self, frame: Frame) -> None:
        self.writer.write(frame.serialize())

    async def read(self) -> bool:
        """Takes what comes; False at the end of the connection."""
        try:
            data = await asyncio.wait_for(self.reader.read(65536), SECONDS)
        except OSError:
            return False
        for event in self.connection.receive_data(data) if data else ():
            self._take(event)
        if data and self.goodbye is None:
            self.flush()
        return bool(data)

    async def answer(self, stream: int) -> tuple[int, bytes]:
        """Waits for one."""
        answer = self.streams[stream]
        while not (answer.has_ended or answer.reset is not None):
            if not await self.read():
                raise ConnectionError(f"ended, {self.goodbye}")
        return answer.status, answer.body

    async def end(self) -> int | None:
        """Waits until it is closed; returns the code of the GOAWAY."""
        while await self.read():
            pass
        return self.goodbye

    def _take(self, event: h2.events.Event) -> None:
        answer = self.streams.get(getattr(event, "stream_id", 0) or 0, Answer())
        match event:
            case h2.events.ResponseReceived(headers=headers):
                answer.status = int(dict(headers or ())[b":status"])
            case h2.events.DataReceived(data=data, flow_controlled_length=size, stream_id=stream):
                answer.body += data or b""
                self.connection.acknowledge_received_data(size or 0, stream or 0)
            case h2.events.StreamEnded():
                answer.has_ended = True
            case h2.events.StreamReset(error_code=code):
                answer.reset = int(code or 0)
            case h2.events.ConnectionTerminated(error_code=code):
                self.goodbye = int(code or 0)


@asynccontextmanager
async def raw_http2(
    gateway: GatewayProcess, ca_file: Path, *, greets: bool = True, local: str = "127.0.0.1", alpn: str = "h2"
) -> AsyncIterator[RawHttp2]:
    """Connects from the address `local`."""
    trust = ssl.create_default_context(cafile=str(ca_file))
    trust.verify_flags &= ~ssl.VERIFY_X509_STRICT
    trust.set_alpn_protocols([alpn])
    reader, writer = await asyncio.open_connection(*address_of(gateway), ssl=trust, local_addr=(local, 0))
    client = RawHttp2(reader, writer)
    try:
        if greets:
            client.greet()
        yield client
    finally:
        writer.transport.abort()

"""
A connection from a load balancer until its PROXY header has arrived; then it is the client's connection.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol, cast

from walletbridge.serve.lane.deadlines import NEVER, Place, Places
from walletbridge.serve.lane.gate import Gate
from walletbridge.serve.lane.proxy_header import BadHeader, read_header
from walletbridge.serve.lane.refusals import Refused
from walletbridge.settings import Limits

NOT_A_PROXY = Refused(403, "no PROXY header is taken from this address")
NO_HEADER = Refused(408, "the PROXY header did not come in time")


class Lane(Protocol):
    """State that all connections share."""

    limits: Limits
    gate: Gate
    places: Places

    @property
    def clock(self) -> Callable[[], float]:
        """The gateway's clock, in seconds."""
        ...

    def is_proxy(self, address: str) -> bool:
        """Whether PROXY headers from this address are trusted."""
        ...

    def refused(self, refused: Refused) -> None:
        """Counts a refused client."""
        ...


class ProxiedConnection(Place, asyncio.Protocol):
    """One connection. A bad header is counted, and closes it without an answer: its sender does not speak HTTP yet."""

    __slots__ = ("_connect", "_data", "_lane", "_transport")

    def __init__(self, lane: Lane, connect: Callable[[str], asyncio.Protocol]) -> None:
        """`connect` makes the protocol of a client's connection, from the client's address."""
        super().__init__("", NEVER)
        self._lane = lane
        self._connect = connect
        self._data = b""
        self._transport: asyncio.Transport | None = None
        """None before it is admitted, once it is lost, and once it was passed on."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Waits for the header of a trusted proxy; refuses other peers."""
        transport = cast("asyncio.Transport", transport)
        peername, lane = transport.get_extra_info("peername"), self._lane
        if peername is None:
            # The client left before this call.
            transport.abort()
            return
        try:
            if not lane.is_proxy(peername[0]):
                raise NOT_A_PROXY
            self.address = peername[0]
            lane.gate.enter(self)
        except Refused as refused:
            lane.refused(refused)
            transport.abort()
            return
        self._transport = transport
        self.expires_at = lane.clock() + lane.limits.header_seconds
        lane.places.add(self)

    def data_received(self, data: bytes) -> None:
        """Reads the header, and passes the connection on after its end."""
        transport = self._transport
        if transport is None:
            return
        data = self._data = self._data + data
        try:
            header = read_header(data)
        except BadHeader as bad:
            self._refuse(Refused(400, str(bad)))
            return
        if header is None:
            return
        self._leave()
        connection = self._connect(header.address or self.address)
        transport.set_protocol(connection)
        connection.connection_made(transport)
        if (rest := data[header.length :]) and not transport.is_closing():
            connection.data_received(rest)

    def connection_lost(self, exc: Exception | None) -> None:
        """Removes the connection."""
        del exc
        if self._transport is not None:
            # It is closed already, but a transport whose `close` was not called keeps reference cycles.
            self._transport.close()
            self._leave()

    def expire(self) -> None:
        """See `Place.expire`."""
        self._refuse(NO_HEADER)

    def cut(self) -> None:
        """See `Place.cut`."""
        if self._transport is not None:
            self._transport.abort()

    def _refuse(self, refused: Refused) -> None:
        transport = self._transport
        if transport is not None:
            self._lane.refused(refused)
            self._leave()
            transport.abort()

    def _leave(self) -> None:
        self._transport = None
        self._data = b""
        self._lane.places.remove(self)
        self._lane.gate.leave(self)

"""
A request for another path over HTTP/1.1, while mitmproxy's HTTP layer carries it to the upstream and the answer back.

`Relay` reads the request before that layer, which gets only whole heads and framed bodies, one request at a time. This
module keeps the limits that mitmproxy lacks: on time, on bytes that wait in memory, and on the upstream's heads.
"""

from enum import Enum

from mitmproxy.connection import Connection
from mitmproxy.proxy import commands, events
from mitmproxy.proxy.layer import CommandGenerator
from mitmproxy.proxy.layers.http import HttpLayer
from mitmproxy.proxy.layers.http._http1 import Http1Client, Http1Server

from walletbridge.serve.lane.conversation import LINGER_SECONDS, TIMEOUT
from walletbridge.serve.lane.deadlines import CarriedPlace
from walletbridge.serve.lane.port import CarryingLane
from walletbridge.serve.lane.refusals import Refused
from walletbridge.serve.lane.relay import Relay
from walletbridge.serve.lane.responses import refusal_bytes

_UPSTREAM_HEADS = 4
"""The head of an upstream's answer may be this many times the limit of a request's head: it sets cookies."""
TAKES_NOTHING = Refused(504, "the upstream takes nothing")


class _Wait(Enum):
    """The step that is waited for."""

    HEAD = 0
    BODY = 1
    UPSTREAM = 2
    """The upstream takes more of the body."""
    ANSWER = 3
    """The upstream answers, or the client takes the answer."""
    END = 4
    """The client reads its refusal."""


class Carried:
    """One request. `http` serves all requests of the connection, one after the other."""

    def __init__(self, http: HttpLayer, lane: CarryingLane, place: CarriedPlace) -> None:
        """Sets the deadline for the request's head."""
        self._http = http
        self._client = http.context.client
        self._lane = lane
        self._place = place
        self._relay = Relay(lane.bounds, drops_body=not lane.has_upstream)
        self._ahead: list[bytes] = []
        """Bytes that arrived after the request and before the end of its answer."""
        self._is_counted = self._is_answering = False
        self._waits_for = _Wait.HEAD
        self._place.expires_at = lane.clock() + lane.limits.header_seconds

    @property
    def is_done(self) -> bool:
        """Whether the request is answered, so that the connection may go on with the next one."""
        server = self._server
        return self._relay.is_done and self._waits_for is not _Wait.END and server.state == server.read_headers

    def rest(self) -> bytes:
        """The bytes that arrived after the request."""
        return self._relay.rest() + b"".join(self._ahead)

    def has_room(self) -> bool:
        """Whether more may be read from the client now: not while earlier bytes are not taken."""
        if self._waits_for is _Wait.ANSWER and not self._is_tunnel:
            bounds = self._lane.bounds
            return sum(map(len, self._ahead)) <= bounds.header_bytes + bounds.body_bytes
        # mitmproxy queues all bytes, for example while it connects to the upstream.
        return not any(stream._paused_event_queue for stream in self._http.streams.values())  # noqa: SLF001

    def receive(self, data: bytes) -> CommandGenerator[None]:
        """Takes bytes from the client."""
        if self._waits_for is _Wait.END:
            return
        if self._is_tunnel:
            yield from self._pass_on(events.DataReceived(self._client, data))
            return
        if self._relay.is_done:
            self._ahead.append(data)
            return
        try:
            passed = self._relay.receive(data)
            if self._relay.head is not None and not self._is_counted:
                self._lane.enter_elsewhere(self._place)
                self._is_counted = True
        except Refused as refused:
            yield from self._refuse(refused)
            return
        if self._relay.is_done:
            self._wait_for(_Wait.ANSWER, self._lane.limits.idle_seconds)
        elif self._relay.head is not None and (self._waits_for is _Wait.HEAD or self._lane.has_upstream):
            # A body for the upstream may take any time, as long as more bytes keep arriving.
            self._wait_for(_Wait.BODY, self._lane.limits.body_seconds)
        if passed:
            yield from self._pass_on(events.DataReceived(self._client, passed))

    def left(self) -> CommandGenerator[None]:
        """The client has closed its side: mitmproxy drops the upstream."""
        if self._waits_for is _Wait.END:
            yield commands.CloseConnection(self._client)
        else:
            yield from self._pass_on(events.ConnectionClosed(self._client))

    def pass_on(self, event: events.Event) -> CommandGenerator[None]:
        """Passes other events to mitmproxy: from the upstream, or of a hook."""
        yield from self._pass_on(event)
        yield from bounded(self._http, self._lane)

    def expired(self) -> CommandGenerator[None]:
        """Handles the passed deadline."""
        limits, place = self._lane.limits, self._place
        if self._waits_for is _Wait.END:
            yield commands.CloseConnection(self._client)
        elif self._waits_for is _Wait.ANSWER:
            if place.is_stuck():
                place.cut()
            else:
                self._wait_for(_Wait.ANSWER, limits.idle_seconds)
        elif self._waits_for is _Wait.BODY and place.is_held:
            # Not the client's fault: the upstream takes nothing. It gets the time of an idle connection.
            self._wait_for(_Wait.UPSTREAM, max(0, limits.idle_seconds - limits.body_seconds))
        else:
            yield from self._refuse(TIMEOUT if self._waits_for is not _Wait.UPSTREAM else TAKES_NOTHING)

    def leave(self) -> None:
        """Ends the count of the request."""
        if self._is_counted:
            self._is_counted = False
            self._lane.leave_elsewhere(self._place)

    @property
    def _server(self) -> Http1Server:
        server = self._http.connections[self._client]
        assert isinstance(server, Http1Server)  # noqa: S101 - the layer is made for HTTP/1.1
        return server

    @property
    def _is_tunnel(self) -> bool:
        return self._server.state == self._server.passthrough

    def _pass_on(self, event: events.Event) -> CommandGenerator[None]:
        for command in self._http.handle_event(event):
            is_for_client = isinstance(command, commands.ConnectionCommand) and command.connection is self._client
            if is_for_client and self._waits_for is _Wait.END:
                continue
            if is_for_client and isinstance(command, commands.SendData):
                self._is_answering = True
                if self._waits_for is _Wait.ANSWER:
                    self._wait_for(_Wait.ANSWER, self._lane.limits.idle_seconds)
            yield command

    def _wait_for(self, what: _Wait, seconds: float) -> None:
        self._waits_for = what
        self._place.expires_at = self._lane.clock() + seconds

    def _refuse(self, refused: Refused) -> CommandGenerator[None]:
        """Refuses the client, with a response unless an answer has begun. The upstream gets no more bytes."""
        self._lane.refused(refused)
        self._wait_for(_Wait.END, LINGER_SECONDS)
        if not self._is_answering:
            yield commands.SendData(self._client, refusal_bytes(refused))
        yield commands.CloseTcpConnection(self._client, half_close=True)
        # mitmproxy sees the client leave.
        yield from self._pass_on(events.ConnectionClosed(self._client))


def bounded(http: HttpLayer, lane: CarryingLane) -> CommandGenerator[None]:
    """Closes connections to an upstream that sends an endless head or an endless chunk line."""
    bytes_max = _UPSTREAM_HEADS * lane.limits.header_bytes
    for connection in list(http.connections):
        client = client_of(http, connection)
        if client is not None and len(client.buf) > bytes_max:
            # mitmproxy would show these bytes to the client.
            client.buf.maybe_extract_at_most(len(client.buf))
            yield from http.handle_event(events.ConnectionClosed(connection))


def client_of(http: HttpLayer, connection: Connection) -> Http1Client | None:
    """The HTTP/1.1 client of mitmproxy on this connection to the upstream, if any."""
    client: object = http.connections.get(connection)
    while (inner := getattr(client, "child_layer", None)) is not None:
        # Inside the TLS layer.
        client = inner
    return client if isinstance(client, Http1Client) else None

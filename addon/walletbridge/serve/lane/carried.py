"""
A request for another path over HTTP/1.1, while mitmproxy's HTTP layer carries it to the upstream and the answer back.

The lane's own reader stands in front of that layer, which is given whole heads and framed bodies only, and one request
at a time. Here are the limits that mitmproxy does not keep: of time, of what waits in memory, and of the upstream's
heads.
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
"""How many times the limit of a request's head the head of the upstream's answer may be: it sets cookies."""
TAKES_NOTHING = Refused(504, "the upstream takes nothing")


class _Wait(Enum):
    """What is waited for."""

    HEAD = 0
    BODY = 1
    UPSTREAM = 2
    """To take more of the body."""
    ANSWER = 3
    """Of the upstream; or, where there is one already, for the client to take it."""
    END = 4
    """For the client to read why it was turned away."""


class Carried:
    """One request of one connection. `http` serves all requests of the connection, one after the other."""

    def __init__(self, http: HttpLayer, lane: CarryingLane, place: CarriedPlace) -> None:
        """The time for its head runs from now on."""
        self._http = http
        self._client = http.context.client
        self._lane = lane
        self._place = place
        self._relay = Relay(lane.bounds, drops_body=not lane.has_upstream)
        self._ahead: list[bytes] = []
        """What came behind the request, before its answer has gone out."""
        self._is_counted = self._is_answering = False
        self._waits_for = _Wait.HEAD
        self._place.expires_at = lane.clock() + lane.limits.header_seconds

    @property
    def is_done(self) -> bool:
        """Whether the request has its answer, so that the connection may go on with the next one."""
        server = self._server
        return self._relay.is_done and self._waits_for is not _Wait.END and server.state == server.read_headers

    def rest(self) -> bytes:
        """What came behind the request."""
        return self._relay.rest() + b"".join(self._ahead)

    def has_room(self) -> bool:
        """Whether more may be read from the client now: not what nobody takes yet."""
        if self._waits_for is _Wait.ANSWER and not self._is_tunnel:
            bounds = self._lane.bounds
            return sum(map(len, self._ahead)) <= bounds.header_bytes + bounds.body_bytes
        # While mitmproxy connects to the upstream, say, it keeps all that comes.
        return not any(stream._paused_event_queue for stream in self._http.streams.values())  # noqa: SLF001

    def receive(self, data: bytes) -> CommandGenerator[None]:
        """Takes what the client has sent."""
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
            # A body for the upstream may take as long as it likes, if only it goes on.
            self._wait_for(_Wait.BODY, self._lane.limits.body_seconds)
        if passed:
            yield from self._pass_on(events.DataReceived(self._client, passed))

    def left(self) -> CommandGenerator[None]:
        """The client has closed its side: mitmproxy lets go of the upstream."""
        if self._waits_for is _Wait.END:
            yield commands.CloseConnection(self._client)
        else:
            yield from self._pass_on(events.ConnectionClosed(self._client))

    def pass_on(self, event: events.Event) -> CommandGenerator[None]:
        """Tells mitmproxy of anything else: of the upstream, of a hook."""
        yield from self._pass_on(event)
        yield from bounded(self._http, self._lane)

    def expired(self) -> CommandGenerator[None]:
        """The time is up for what is waited for."""
        limits, place = self._lane.limits, self._place
        if self._waits_for is _Wait.END:
            yield commands.CloseConnection(self._client)
        elif self._waits_for is _Wait.ANSWER:
            if place.is_stuck():
                place.cut()
            else:
                self._wait_for(_Wait.ANSWER, limits.idle_seconds)
        elif self._waits_for is _Wait.BODY and place.is_held:
            # Not the client's fault: the upstream takes nothing. It has the time that an idle connection has.
            self._wait_for(_Wait.UPSTREAM, max(0, limits.idle_seconds - limits.body_seconds))
        else:
            yield from self._refuse(TIMEOUT if self._waits_for is not _Wait.UPSTREAM else TAKES_NOTHING)

    def leave(self) -> None:
        """The request has come to its end."""
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
        """Turns the client away, who is told so unless an answer has begun; the upstream gets no more of it."""
        self._lane.refused(refused)
        self._wait_for(_Wait.END, LINGER_SECONDS)
        if not self._is_answering:
            yield commands.SendData(self._client, refusal_bytes(refused))
        yield commands.CloseTcpConnection(self._client, half_close=True)
        # To mitmproxy it is as if the client had left.
        yield from self._pass_on(events.ConnectionClosed(self._client))


def bounded(http: HttpLayer, lane: CarryingLane) -> CommandGenerator[None]:
    """Ends connections to an upstream that sends a head, or the frame of a chunk, without end."""
    bytes_max = _UPSTREAM_HEADS * lane.limits.header_bytes
    for connection in list(http.connections):
        client = client_of(http, connection)
        if client is not None and len(client.buf) > bytes_max:
            # It would be shown to the client.
            client.buf.maybe_extract_at_most(len(client.buf))
            yield from http.handle_event(events.ConnectionClosed(connection))


def client_of(http: HttpLayer, connection: Connection) -> Http1Client | None:
    """What speaks HTTP/1.1 to the upstream over this connection."""
    client: object = http.connections.get(connection)
    while (inner := getattr(client, "child_layer", None)) is not None:
        # Below the layer of TLS.
        client = inner
    return client if isinstance(client, Http1Client) else None

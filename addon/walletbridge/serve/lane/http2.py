"""
HTTP/2 of a client, with the lane's limits: on time, on bytes that wait in memory, and on useless frames.

mitmproxy's server accepts any number of resets and frames, bodies of any length, and has no time limits.
"""

import h2.connection
from h2.errors import ErrorCodes
from mitmproxy.connection import Connection
from mitmproxy.proxy import events
from mitmproxy.proxy.commands import CloseConnection, CloseTcpConnection, SendData
from mitmproxy.proxy.context import Context
from mitmproxy.proxy.layer import CommandGenerator
from mitmproxy.proxy.layers.http import HttpLayer
from mitmproxy.proxy.layers.http._base import ReceiveHttp
from mitmproxy.proxy.layers.http._events import ErrorCode, RequestProtocolError

from walletbridge.serve.lane.carried import TAKES_NOTHING, client_of
from walletbridge.serve.lane.conversation import HELD_SECONDS, LINGER_SECONDS, TIMEOUT, TOO_MANY_WRONG
from walletbridge.serve.lane.deadlines import NEVER, CarriedPlace
from walletbridge.serve.lane.http2_frames import Flood
from walletbridge.serve.lane.http2_requests import Http2Requests
from walletbridge.serve.lane.port import CarryingLane
from walletbridge.serve.lane.refusals import Refused
from walletbridge.serve.lane.signals import Expired, WalletbridgeCallbackHook

STREAM_BYTES = 1 << 18
"""Bytes of one stream's body that may wait for the upstream, and of its answer that may wait for the client."""
CONNECTION_BYTES = 1 << 20
"""Bytes of bodies that may wait for the upstream on one connection."""
_FRAME_BYTES = 16384
_FIELD_BYTES = 32
"""Bytes that a field counts in addition to its own. RFC 9113 section 6.5.2."""


class LaneHttp2(Http2Requests):
    """One connection."""

    def __init__(self, context: Context, lane: CarryingLane, place: CarriedPlace, http: HttpLayer) -> None:
        """`http` is the layer whose server this is."""
        super().__init__(context, lane, place)
        self._http = http
        limits = lane.limits
        self._idle_until = lane.clock() + limits.header_seconds
        """The deadline of a client without a request in progress."""
        self._frame_until = self._head_until = self._taken_until = NEVER
        own = self.h2_conn.local_settings
        own.max_concurrent_streams = self._settings.streams
        fields = limits.header_bytes + _FIELD_BYTES * limits.header_count
        own.max_header_list_size = self.h2_conn.decoder.max_header_list_size = fields
        own.initial_window_size = STREAM_BYTES
        own.max_frame_size = self.h2_conn.max_inbound_frame_size = _FRAME_BYTES
        own.acknowledge()
        place.expires_at = self._idle_until

    def has_room(self) -> bool:
        """Whether more may be read from the client now."""
        return self._held is None

    def takes(self, connection: Connection) -> bool:
        """Whether more may be read from this connection to the upstream: not while its client reads too slowly."""
        client = client_of(self._http, connection)
        stream = client and client.stream_id
        return not stream or self._waiting(stream) <= STREAM_BYTES

    def _handle_event(self, event: events.Event) -> CommandGenerator[None]:
        if isinstance(event, events.HookCompleted) and isinstance(event.command, WalletbridgeCallbackHook):
            yield from self._answered(event.command.exchange)
        elif not self._is_over:
            yield from self._step(event)
        elif isinstance(event, Expired | events.ConnectionClosed):
            self._place.cut()
        if not self._is_over:
            yield from self._settle()

    def _step(self, event: events.Event) -> CommandGenerator[None]:
        if isinstance(event, Expired):
            yield from self._expired()
        elif isinstance(event, events.Start):
            self._greet()
        elif isinstance(event, events.DataReceived):
            if self._held is None:
                yield from self._received(event)
        else:
            for command in super()._handle_event(event):
                if isinstance(command, SendData):
                    self._frames.sent(len(command.data))
                yield command

    def _greet(self) -> None:
        # mitmproxy's own greeting lets its client send two gigabytes.
        h2.connection.H2Connection.initiate_connection(self.h2_conn)
        self.h2_conn.increment_flow_control_window(CONNECTION_BYTES - self.h2_conn.inbound_flow_control_window)

    def _received(self, event: events.DataReceived) -> CommandGenerator[None]:
        frames, now, limits = self._frames, self._lane.clock(), self._lane.limits
        whole, taken = frames.whole, frames.window_updates
        try:
            frames.receive(event.data)
            yield from super()._handle_event(event)
            if not self._is_over:
                # DATA frames for closed streams made no events.
                frames.bring_nothing(frames.data)
                frames.data = 0
        except Flood as flood:
            yield from self._turn_away(Refused(429, str(flood)))
            return
        if frames.is_between:
            self._frame_until = NEVER
        elif self._frame_until == NEVER or frames.whole != whole:
            self._frame_until = now + limits.header_seconds
        if not frames.is_in_head:
            self._head_until = NEVER
        elif self._head_until == NEVER:
            self._head_until = now + limits.header_seconds
        if frames.window_updates != taken:
            self._taken_until = NEVER

    def close_connection(self, msg: str) -> CommandGenerator[None]:
        """See `Http2Connection.close_connection`. The client may read the reason before its connection is cut."""
        self._is_over = True
        self._place.expires_at = self._lane.clock() + LINGER_SECONDS
        handle = self._handle_event
        for command in super().close_connection(msg):
            is_close = isinstance(command, CloseConnection) and command.connection is self.conn
            yield CloseTcpConnection(self.conn, half_close=True) if is_close else command
        # mitmproxy's final state handles no event of the lane.
        self._handle_event = handle  # type: ignore[method-assign]

    # Time and room

    def _settle(self) -> CommandGenerator[None]:
        """After each event: opens windows where there is room, drops ended streams, and sets the deadline."""
        lane, now = self._lane, self._lane.clock()
        for stream, other in list(self._others.items()):
            if other.unread and not self._is_waiting_for_upstream(stream):
                self.h2_conn.acknowledge_received_data(other.unread, stream)
                other.unread = 0
            if self.is_closed(stream):
                del self._others[stream]
                self.streams.pop(stream, None)
                lane.leave_elsewhere(self._place)
        yield from self._flush()
        is_full = bool(self.h2_conn.stream_buffers) or self._place.is_stuck()
        self._taken_until = (min(self._taken_until, now + lane.limits.idle_seconds)) if is_full else NEVER
        if self._held is not None:
            self._idle_until = min(self._idle_until, now + HELD_SECONDS)
        elif self._callbacks or self._others:
            self._idle_until = NEVER
        elif self._idle_until == NEVER:
            self._idle_until = now + lane.limits.idle_seconds
            if lane.is_draining:
                yield from self.protocol_error("the gateway ends", ErrorCodes.NO_ERROR)
                return
        self._place.expires_at = self._next_time()

    def _next_time(self) -> float:
        until = (each.until for streams in (self._callbacks, self._others) for each in streams.values())
        return min(self._idle_until, self._frame_until, self._head_until, self._taken_until, *until)

    def _expired(self) -> CommandGenerator[None]:
        now = self._lane.clock()
        if self._held is not None:
            stream, self._held = self._held, None
            del self._callbacks[stream]
            yield from self._refuse(stream, TOO_MANY_WRONG)
            yield from self.protocol_error(TOO_MANY_WRONG.reason, ErrorCodes.ENHANCE_YOUR_CALM)
        elif self._taken_until <= now and (self.h2_conn.stream_buffers or self._place.is_stuck()):
            self._place.cut()
        elif min(self._frame_until, self._head_until) <= now or (self._idle_until <= now and not self._is_set_up):
            yield from self._turn_away(TIMEOUT)
        elif self._idle_until <= now:
            yield from self.protocol_error("no request came", ErrorCodes.NO_ERROR)
        else:
            yield from self._expire_streams(now)

    def _expire_streams(self, now: float) -> CommandGenerator[None]:
        limits = self._lane.limits
        for stream in [stream for stream, each in self._callbacks.items() if each.until <= now]:
            del self._callbacks[stream]
            yield from self._refuse(stream, TIMEOUT)
        for stream, other in [(stream, each) for stream, each in self._others.items() if each.until <= now]:
            if other.unread and not other.is_extended:
                # Not the client's fault: the upstream takes nothing. It gets the time of an idle connection.
                other.until, other.is_extended = now + max(0, limits.idle_seconds - limits.body_seconds), True
                continue
            reason = TAKES_NOTHING if other.unread else TIMEOUT
            yield ReceiveHttp(RequestProtocolError(stream, reason.reason, ErrorCode.CANCEL))
            yield from self._refuse(stream, reason)
            if not self.is_closed(stream):
                self.h2_conn.reset_stream(stream, ErrorCodes.CANCEL)

    def _turn_away(self, refused: Refused) -> CommandGenerator[None]:
        """Refuses the client, and ends the connection."""
        self._lane.refused(refused)
        yield from self.protocol_error(refused.reason, ErrorCodes.ENHANCE_YOUR_CALM)

    def _is_waiting_for_upstream(self, stream: int) -> bool:
        layer = self._http.streams.get(stream)
        return layer is not None and bool(layer._paused_event_queue)  # noqa: SLF001 - mitmproxy shows it nowhere else

"""
The requests of one HTTP/2 connection: callbacks are answered here and never become flows of mitmproxy; requests for
other paths go to its HTTP layer, stream by stream, as from its own server.
"""

import h2.events
from h2.errors import ErrorCodes
from mitmproxy.proxy.commands import SendData
from mitmproxy.proxy.context import Context
from mitmproxy.proxy.layer import CommandGenerator
from mitmproxy.proxy.layers.http._base import ReceiveHttp
from mitmproxy.proxy.layers.http._events import RequestData
from mitmproxy.proxy.layers.http._http2 import Http2Server

from walletbridge.gateway.gateway import Request
from walletbridge.observe.trace import Trace
from walletbridge.protocol import answers
from walletbridge.serve.lane.conversation import TOO_MANY_WRONG
from walletbridge.serve.lane.deadlines import NEVER, CarriedPlace
from walletbridge.serve.lane.heads import Head
from walletbridge.serve.lane.http2_frames import Flood, Frames
from walletbridge.serve.lane.http2_streams import Callback, Fields, Other, head_of, read_headers
from walletbridge.serve.lane.port import CarryingLane, Exchange
from walletbridge.serve.lane.refusals import Refused
from walletbridge.serve.lane.signals import WalletbridgeCallbackHook
from walletbridge.settings import Http2

_CONTINUE = [(b":status", b"100")]


class Http2Requests(Http2Server):
    """One connection. `LaneHttp2` decides when and why it ends."""

    def __init__(self, context: Context, lane: CarryingLane, place: CarriedPlace) -> None:
        super().__init__(context)
        self._lane = lane
        self._place = place
        limits, self._settings = lane.limits, lane.http2 or Http2()
        self._frames = Frames(
            head_bytes=limits.header_bytes,
            resets=self._settings.resets_per_second,
            idle=self._settings.idle_frames_per_second,
            clock=lane.clock,
        )
        self._callbacks: dict[int, Callback] = {}
        self._others: dict[int, Other] = {}
        self._asking: dict[Exchange, int] = {}
        self._held: int | None = None
        """The stream whose 429 for too many wrong tokens is delayed."""
        self._is_set_up = self._is_over = False

    def handle_h2_event(self, event: h2.events.Event) -> CommandGenerator[bool]:
        """See `Http2Server.handle_h2_event`. Returns whether reading has ended."""
        stream = getattr(event, "stream_id", None) or 0
        callback, other = self._callbacks.get(stream), self._others.get(stream)
        match event:
            case h2.events.RequestReceived(headers=headers):
                yield from self._request(stream, event, list(headers or ()))
            case h2.events.DataReceived(data=data, flow_controlled_length=size):
                self._frames.data -= 1
                yield from self._body(stream, data or b"", size or 0)
            case h2.events.TrailersReceived():
                # RFC 9110 section 6.5.1: a sender cannot rely on trailers, and mitmproxy's HTTP/1.1 cannot send them.
                pass
            case h2.events.StreamEnded() if callback is not None:
                yield from self._ended(stream, callback)
            case h2.events.StreamReset() if callback is not None:
                callback.is_gone = True
                if not callback.is_asked:
                    del self._callbacks[stream]
            case h2.events.RemoteSettingsChanged():
                self._is_set_up = True
            case _:
                if isinstance(event, h2.events.StreamEnded) and other is not None:
                    other.until = NEVER
                return (yield from super().handle_h2_event(event))
        return self._is_over or self._held is not None

    def _request(self, stream: int, event: h2.events.Event, headers: Fields) -> CommandGenerator[None]:
        try:
            method, path, fields = read_headers(headers, self._lane.limits.header_count)
            has_ended = getattr(event, "stream_ended", None) is not None
            if self._lane.is_callback(path.decode("latin-1")):
                yield from self._begin(stream, head_of(method, fields), has_ended=has_ended)
                return
            self._lane.enter_elsewhere(self._place)
        except Refused as refused:
            self._frames.bring_nothing()
            yield from self._refuse(stream, refused)
            return
        body_seconds = self._lane.limits.body_seconds
        self._others[stream] = Other(NEVER if has_ended else self._lane.clock() + body_seconds)
        yield from super().handle_h2_event(event)

    def _begin(self, stream: int, head: Head, *, has_ended: bool) -> CommandGenerator[None]:
        """Begins a callback. Answers a wrong token and a too large body from the head."""
        lane, address, now = self._lane, self._place.address, self._lane.clock()
        until = now + lane.limits.body_seconds
        self._callbacks[stream] = callback = Callback(head, now, until, has_ended=has_ended)
        if len(self._callbacks) > 2 * self._settings.streams:
            # Requests that their client has reset are still being answered.
            raise Flood("too many requests at the same time")
        if lane.bridge is not None and not lane.bridge.admits(address, head.tokens, head.forwarded):
            if lane.forgives(address, head.forwarded):
                yield from self._ask(stream, callback, has_token=False, body=b"")
            else:
                lane.refused(TOO_MANY_WRONG)
                self._held = stream
            return
        if not self._place.is_proven:
            lane.prove(self._place)
        if head.length is not None and head.length > lane.bounds.body_bytes:
            yield from self._ask(stream, callback, has_token=True, body=None)
        elif head.expects_continue and not has_ended:
            self.h2_conn.send_headers(stream, _CONTINUE)

    def _body(self, stream: int, data: bytes, size: int) -> CommandGenerator[None]:
        if (other := self._others.get(stream)) is not None:
            yield from self._body_of_other(stream, other, data, size)
            return
        self.h2_conn.acknowledge_received_data(size, stream)
        callback = self._callbacks.get(stream)
        if callback is None or callback.is_asked:
            return
        callback.size += len(data)
        callback.pieces.append(data)
        if callback.size > self._lane.bounds.body_bytes:
            yield from self._ask(stream, callback, has_token=True, body=None)

    def _ended(self, stream: int, callback: Callback) -> CommandGenerator[None]:
        callback.has_ended = True
        if not callback.is_asked:
            yield from self._ask(stream, callback, has_token=True, body=b"".join(callback.pieces))

    def _trace(self, head: Head) -> Trace:
        return Trace(client=self._place.address, forwarded=head.forwarded)

    def _ask(self, stream: int, callback: Callback, *, has_token: bool, body: bytes | None) -> CommandGenerator[None]:
        callback.until = NEVER
        callback.pieces.clear()
        head = callback.head
        request = Request(head.method, has_token, body, callback.received_at, head.is_encoded)
        exchange = Exchange(head, request, not callback.has_ended, self._trace(head))
        self._asking[exchange] = stream
        hook = WalletbridgeCallbackHook(exchange)
        # This layer waits for the hook, so that no layer above it queues events.
        hook.blocking = self  # type: ignore[assignment]
        yield hook

    def _answered(self, exchange: Exchange) -> CommandGenerator[None]:
        stream = self._asking.pop(exchange)
        callback = self._callbacks.pop(stream)
        answer = exchange.answer or answers.UNKNOWN
        is_sent = not (callback.is_gone or self._is_over or self._place.is_closing()) and self.is_open_for_us(stream)
        if is_sent:
            body = b"" if exchange.head.method == "HEAD" else answer.body
            fields = [(name.lower(), value) for name, value in answer.headers]
            self._respond(stream, answer.http_status, fields, body)
        self._lane.delivered(exchange, sent=is_sent)
        yield from self._flush()

    def _refuse(self, stream: int, refused: Refused) -> CommandGenerator[None]:
        """Refuses one request."""
        self._lane.refused(refused)
        if self.is_open_for_us(stream):
            self._respond(stream, refused.http_status, [(b"content-type", b"text/plain")], refused.reason.encode())
        yield from self._flush()

    def _respond(self, stream: int, http_status: int, fields: Fields, body: bytes) -> None:
        status, length = (b":status", b"%d" % http_status), (b"content-length", b"%d" % len(body))
        self.h2_conn.send_headers(stream, [status, *fields, length], end_stream=not body)
        if body:
            self.h2_conn.send_data(stream, body, end_stream=True)
        if not self.is_closed(stream) and not self._waiting(stream):
            # RFC 9113 section 8.1: the client need not send the rest.
            self.h2_conn.reset_stream(stream, ErrorCodes.NO_ERROR)

    def _body_of_other(self, stream: int, other: Other, data: bytes, size: int) -> CommandGenerator[None]:
        if data:
            yield ReceiveHttp(RequestData(stream, data))
        other.until, other.is_extended = self._lane.clock() + self._lane.limits.body_seconds, False
        other.unread += size

    def _waiting(self, stream: int) -> int:
        """Bytes of an answer that its client does not take yet."""
        return sum(len(chunk.data) for chunk in self.h2_conn.stream_buffers.get(stream, ()))

    def _flush(self) -> CommandGenerator[None]:
        if data := self.h2_conn.data_to_send():
            self._frames.sent(len(data))
            yield SendData(self.conn, data)

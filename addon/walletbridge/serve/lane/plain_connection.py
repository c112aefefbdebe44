"""
A new connection, while it brings callbacks in plain text: a conversation on a socket, without mitmproxy.

A client can open thousands of these, so each consists of as little as possible. Python's garbage collector visits all
its objects in a full collection, and answers wait meanwhile. So a connection gets a task, a stream, a buffer and
objects of mitmproxy only when it needs them, and leaves no reference cycle at its end.
"""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import cast

from walletbridge.serve.lane.conversation import LINGER_SECONDS, Conversation
from walletbridge.serve.lane.deadlines import NEVER, Place
from walletbridge.serve.lane.lane import Lane
from walletbridge.serve.lane.port import Exchange
from walletbridge.serve.lane.receipt import watch
from walletbridge.serve.lane.refusals import Refused
from walletbridge.serve.lane.responses import refusal_bytes
from walletbridge.serve.lane.tls import TLS_HANDSHAKE

NO_TLS = Refused(400, "expected TLS")

type Carry = Callable[[Place, asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class PlainConnection(Place, asyncio.Protocol):
    """One connection; `port.Wire` describes the methods that its conversation uses."""

    __slots__ = (
        "_asked",
        "_carry",
        "_conversation",
        "_is_answered",
        "_is_asking",
        "_is_ended",
        "_is_full",
        "_is_held",
        "_lane",
        "_rest",
        "_transport",
    )

    def __init__(self, lane: Lane, carry: Carry, address: str = "") -> None:
        """
        `carry` takes over a connection that is not for callbacks: the place, whose address and deadline stay valid, and
        the stream. It leaves the gate at its end. `address`: the client's, if it is not the socket's.
        """
        super().__init__(address, NEVER)
        self._lane = lane
        self._carry = carry
        self._transport: asyncio.Transport | None = None
        """None before it is admitted, once it is lost, and once it was given away."""
        self._conversation: Conversation | None = None
        """None until the first bytes arrive."""
        self._asked: Exchange | None = None
        self._rest: bytes | None = None
        self._is_asking = self._is_answered = False
        self._is_ended = False
        """Whether our sending side is closed."""
        self._is_full = False
        """Whether the client does not take sent bytes."""
        self._is_held = False
        """Whether reading is paused."""

    # The protocol of its transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Admits the connection, or refuses it."""
        transport = cast("asyncio.Transport", transport)
        peername = transport.get_extra_info("peername")
        if peername is None:
            # The client left before this call.
            transport.abort()
            return
        lane, self.address = self._lane, self.address or peername[0]
        try:
            lane.gate.enter(self)
        except Refused as refused:
            lane.refused(refused)
            transport.write(refusal_bytes(refused))
            transport.close()
            return
        self._transport = transport
        self.expires_at = lane.clock() + lane.limits.header_seconds
        lane.places.add(self)

    def data_received(self, data: bytes) -> None:
        """Passes the bytes to the conversation; TLS goes to `carry`."""
        conversation = self._conversation
        if conversation is None:
            if data[0] == TLS_HANDSHAKE:
                self._give_away(data)
                return
            conversation = self._begun()
        conversation.received(data)
        self._settle(conversation)

    def eof_received(self) -> bool:
        """The client has closed its sending side. Returns whether the transport stays open for answers."""
        if self._conversation is None:
            return False
        self._conversation.finished()
        return True

    def pause_writing(self) -> None:
        """Pauses a client that does not read its answers."""
        self._is_full = True
        self._hold_back_or_go_on()

    def resume_writing(self) -> None:
        """Resumes the client."""
        self._is_full = False
        self._hold_back_or_go_on()

    def connection_lost(self, exc: Exception | None) -> None:
        """Removes the connection."""
        del exc
        transport, self._transport = self._transport, None
        conversation, self._conversation = self._conversation, None
        if transport is None:
            return
        # It is closed already, but a transport whose `close` was not called keeps reference cycles.
        transport.close()
        if conversation is not None:
            conversation.left()
        self._lane.places.remove(self)
        self._lane.gate.leave(self)

    # The wire of its conversation

    def send(self, data: bytes) -> bool:
        """See `Wire`."""
        transport = self._transport
        if transport is None or transport.is_closing() or self._is_ended:
            return False
        transport.write(data)
        return not transport.is_closing()

    def close(self, *, half: bool) -> None:
        """See `Wire`. A client that does not take the last bytes is cut after LINGER_SECONDS."""
        transport = self._transport
        if transport is None:
            return
        if half:
            self._is_ended = True
            try:
                transport.write_eof()
            except OSError:
                # A connection that cannot be written to is dead.
                transport.abort()
            return
        transport.close()
        if transport.get_write_buffer_size():
            self.expires_at = self._lane.clock() + LINGER_SECONDS

    def confirm(self) -> None:
        """See `Wire`."""
        if self._transport is not None and self._conversation is not None:
            watch(self._transport, partial(self._confirmed, self._conversation), seconds=LINGER_SECONDS)

    def ask(self, exchange: Exchange) -> None:
        """See `Wire`."""
        self._asked = exchange

    def hand_over(self, rest: bytes) -> None:
        """See `Wire`."""
        self._rest = rest

    # Its place

    def expire(self) -> None:
        """See `Place.expire`."""
        transport, conversation = self._transport, self._conversation
        if transport is None:
            return
        if conversation is None or transport.is_closing():
            transport.abort()
        else:
            conversation.expired()

    def cut(self) -> None:
        """See `Place.cut`."""
        if self._transport is not None:
            self._transport.abort()

    def _confirmed(self, conversation: Conversation, is_received: bool) -> None:  # noqa: FBT001 - a callback's argument
        conversation.confirmed(is_received=is_received)
        self.close(half=False)

    def _begun(self) -> Conversation:
        lane = self._lane
        self._conversation = conversation = Conversation(lane, self, self)
        if lane.has_tls:
            conversation.refuse(NO_TLS)
        return conversation

    def _settle(self, conversation: Conversation) -> None:
        """Does the work that the last step asked for, until nothing more can be done at once."""
        while (exchange := self._asked) is not None:
            self._asked = None
            self._is_asking, self._is_answered = True, False
            # Bound to the conversation, which records the answer even once the client has left.
            self._lane.begin(exchange, partial(self._answered, conversation))
            self._is_asking = False
            if self._is_answered:
                conversation.answered()
        if self._rest is not None:
            rest, self._rest = self._rest, None
            self._give_away(rest)
        else:
            self._hold_back_or_go_on()

    def _answered(self, conversation: Conversation) -> None:
        """The exchange has its answer, or will have none."""
        if self._is_asking:
            # Called from within `begin`: `_settle` is still running and goes on by itself.
            self._is_answered = True
        else:
            conversation.answered()
            self._settle(conversation)

    def _hold_back_or_go_on(self) -> None:
        """Pauses a client that sends far ahead of its answers or does not take them; otherwise resumes it."""
        transport, conversation = self._transport, self._conversation
        if transport is None or conversation is None:
            return
        is_held = self._is_full or not conversation.has_room()
        if is_held is not self._is_held:
            self._is_held = is_held
            (transport.pause_reading if is_held else transport.resume_reading)()

    def _give_away(self, rest: bytes) -> None:
        """Turns the connection into a stream for mitmproxy that begins with `rest`."""
        transport, self._transport = self._transport, None
        if transport is None:
            return
        self._conversation = None
        self._lane.places.remove(self)
        reader = asyncio.StreamReader()
        reader.feed_data(rest)
        stream = asyncio.StreamReaderProtocol(reader, partial(self._carry, self))
        if self._is_full:
            stream.pause_writing()
        transport.set_protocol(stream)
        transport.resume_reading()
        stream.connection_made(transport)

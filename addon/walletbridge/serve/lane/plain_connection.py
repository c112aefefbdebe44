"""
A connection as it comes in, and for as long as it brings callbacks in plain text: a conversation on a socket, past
mitmproxy.

Anybody can have thousands of these, so one is made of as little as can be. What a connection holds is looked at by
Python's garbage collector whenever it goes through everything, and answers wait meanwhile; so there is no task, no
stream, no buffer and nothing of mitmproxy's, until a connection needs it, and nothing is left in a circle at its end.
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
    """Made for one connection; see `port.Wire` for the half of it that its conversation knows."""

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
        `carry` is given what is not for callbacks: the place, whose address and time hold on, and the stream. It leaves
        the gate at its end. `address`: the client's, where it is not the socket's.
        """
        super().__init__(address, NEVER)
        self._lane = lane
        self._carry = carry
        self._transport: asyncio.Transport | None = None
        """None before it is let in, once it is lost, and once it was given away."""
        self._conversation: Conversation | None = None
        """None until something was said."""
        self._asked: Exchange | None = None
        self._rest: bytes | None = None
        self._is_asking = self._is_answered = False
        self._is_ended = False
        """Whether we have closed our sending side."""
        self._is_full = False
        """Whether the client does not take what it is sent."""
        self._is_held = False
        """Whether nothing is read from it."""

    # The protocol of its transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Lets it in, or turns it away."""
        transport = cast("asyncio.Transport", transport)
        peername = transport.get_extra_info("peername")
        if peername is None:
            # Gone before it was here.
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
        """Takes the bytes to the conversation."""
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
        """Holds back who does not read its answers."""
        self._is_full = True
        self._hold_back_or_go_on()

    def resume_writing(self) -> None:
        """Goes on with it."""
        self._is_full = False
        self._hold_back_or_go_on()

    def connection_lost(self, exc: Exception | None) -> None:
        """Leaves."""
        del exc
        transport, self._transport = self._transport, None
        conversation, self._conversation = self._conversation, None
        if transport is None:
            return
        # Closed already; but a transport that was not asked to close keeps circles of its own.
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
        """See `Wire`. Who does not take what is still to go out is not waited for without end."""
        transport = self._transport
        if transport is None:
            return
        if half:
            self._is_ended = True
            try:
                transport.write_eof()
            except OSError:
                # What cannot be written to any more is dead.
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
        """Does what was asked for in the last step, until nothing is left to be done at once."""
        while (exchange := self._asked) is not None:
            self._asked = None
            self._is_asking, self._is_answered = True, False
            # With its conversation: once the client has left, this has none, and yet the answer is accounted for.
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
        """What was asked has its answer, or will have none."""
        if self._is_asking:
            # At once: whoever asked is still at it, and goes on by itself.
            self._is_answered = True
        else:
            conversation.answered()
            self._settle(conversation)

    def _hold_back_or_go_on(self) -> None:
        """Reads no more from a client that sends far ahead of its answers, or does not take them."""
        transport, conversation = self._transport, self._conversation
        if transport is None or conversation is None:
            return
        is_held = self._is_full or not conversation.has_room()
        if is_held is not self._is_held:
            self._is_held = is_held
            (transport.pause_reading if is_held else transport.resume_reading)()

    def _give_away(self, rest: bytes) -> None:
        """From here on the connection is a stream, as mitmproxy has it, that begins with `rest`."""
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

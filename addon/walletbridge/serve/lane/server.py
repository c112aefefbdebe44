"""
Where connections come in: mitmproxy's reverse mode with a listener and a handler of our own.

mitmproxy finds a mode by the name of its class, so this module is imported before the options are set.
"""

import asyncio
import time
from typing import Any, Protocol, cast

from mitmproxy import ctx
from mitmproxy.options import Options
from mitmproxy.proxy.commands import StartHook
from mitmproxy.proxy.context import Context
from mitmproxy.proxy.events import ConnectionClosed, DataReceived, Event, HookCompleted
from mitmproxy.proxy.layer import Layer
from mitmproxy.proxy.layers.modes import ReverseProxy
from mitmproxy.proxy.mode_servers import AsyncioServerInstance, ProxyConnectionHandler
from mitmproxy.proxy.mode_specs import ProxyMode, ReverseMode

from walletbridge.serve.lane.addon import Lane
from walletbridge.serve.lane.conversation import Conversation, Exchange
from walletbridge.serve.lane.layer import Expired, HandOver, WalletbridgeCallbackHook
from walletbridge.serve.lane.place import Place
from walletbridge.serve.lane.refusals import Refused
from walletbridge.serve.lane.responses import refusal_bytes
from walletbridge.serve.listening import ADDON

BACKLOG = 2048
"""Connections that the system holds for us while a crowd comes in; it may allow fewer."""
ROOM_POLL_SECONDS = 0.02


class LaneMaster(Protocol):
    """A master with a lane."""

    lane: Lane


class LaneMode(ReverseMode):  # type: ignore[no-untyped-call]
    """`lane:http://HOST:PORT`: a reverse proxy behind the fast lane."""


class LaneInstance(AsyncioServerInstance[LaneMode]):  # type: ignore[no-untyped-call]
    """The listener."""

    async def listen(self, host: str, port: int) -> list[Any]:
        """Listens on TCP alone, where the doors say, or by itself where there are none."""
        doors = ctx.master.addons.get(ADDON)  # type: ignore[no-untyped-call]
        if doors is not None:
            # Only these two of a Server's attributes are used: `sockets` and `close`.
            return [doors.listen(self.handle_stream)]
        return [await asyncio.start_server(self.handle_stream, host, port, backlog=BACKLOG)]

    def make_top_layer(self, context: Context) -> Layer:
        """As in the reverse mode."""
        return ReverseProxy(context)

    async def handle_stream(self, reader: Any, writer: Any = None) -> None:
        """A connection, from its begin to its end."""
        peername = writer.get_extra_info("peername")
        if peername is None:
            # Gone before it was here.
            writer.close()
            return
        lane = cast("LaneMaster", ctx.master).lane
        try:
            lane.gate.enter(peername[0])
        except Refused as refused:
            lane.refused(refused)
            writer.write(refusal_bytes(refused))
            writer.close()
            return
        try:
            await self._handle(lane, reader, writer, peername[0])
        finally:
            lane.gate.leave(peername[0])

    async def _handle(self, lane: Lane, reader: Any, writer: Any, address: str) -> None:
        handler = LaneHandler(lane, address, reader, writer, ctx.options, self.mode)
        handler.layer = self.make_top_layer(handler.layer.context)
        lane.places.add(handler.client.id, handler.place)
        try:
            with self.manager.register_connection(handler.client.id, handler):
                await handler.handle_client()
        finally:
            lane.places.remove(handler.client.id)


class LaneHandler(ProxyConnectionHandler):
    """
    Reads and writes a connection as mitmproxy does. A callback's hook goes straight to the gateway: there is nobody
    else to ask, and to ask costs more than to answer.
    """

    def __init__(  # noqa: PLR0913,PLR0917 - the last five are mitmproxy's
        self, lane: Lane, address: str, reader: Any, writer: Any, options: Options, mode: ProxyMode
    ) -> None:
        super().__init__(ctx.master, reader, writer, options, mode)  # type: ignore[no-untyped-call]
        self._lane = lane
        self._writer = writer
        self._conversation: Conversation | None = None
        """Had without the layers, as far as there is one."""
        self._asked: Exchange | None = None
        self._rest: bytes | None = None
        self._is_asking = self._is_answered = False
        self.place = Place(
            address,
            expires_at=lane.clock() + lane.limits.header_seconds,
            cut=self._cut,
            tell=self._tell_expired,
        )

    async def server_event(self, event: Event) -> None:
        """
        See `ConnectionHandler.server_event`. What concerns the lane and the client alone goes to the lane, past the
        layers above: that is nearly all that happens here, and all that mitmproxy would do for it is bookkeeping.
        """
        conversation = self._conversation
        if conversation is None:
            await super().server_event(event)
            direct = self.place.direct
            # What was asked through the layers is answered through them.
            if direct is not None and not direct.is_answering and self._conversation is None:
                self._conversation, direct.wire = direct, self
            if self._conversation is not None:
                # What waited for its turn at the layers has come to the conversation by way of them.
                await self._settle(self._conversation)
            return
        self.timeout_watchdog.last_activity = time.time()
        if isinstance(event, DataReceived):
            conversation.received(event.data)
        elif isinstance(event, HookCompleted):
            conversation.answered()
        elif isinstance(event, ConnectionClosed):
            conversation.left()
        elif isinstance(event, Expired):
            conversation.expired()
        await self._settle(conversation)

    async def hook_task(self, hook: StartHook) -> None:
        """See `ConnectionHandler.hook_task`."""
        if not isinstance(hook, WalletbridgeCallbackHook):
            await super().hook_task(hook)
            return
        try:
            await self._lane.answer(hook.exchange)
        finally:
            await self.server_event(HookCompleted(hook))

    # The wire of a conversation that is had without the layers

    def send(self, data: bytes) -> None:
        """See `Wire`."""
        if not self._writer.is_closing():
            self._writer.write(data)

    def close(self, *, half: bool) -> None:
        """See `Wire`."""
        if self.client in self.transports:
            self.close_connection(self.client, half)

    def ask(self, exchange: Exchange) -> None:
        """See `Wire`."""
        self._asked = exchange

    def hand_over(self, rest: bytes) -> None:
        """See `Wire`."""
        self._rest = rest

    async def _settle(self, conversation: Conversation) -> None:
        """Does what was asked for in the last step, until nothing is left to be done at once."""
        while self._asked is not None:
            exchange, self._asked = self._asked, None
            self._is_asking, self._is_answered = True, False
            # Begins at once: mitmproxy has made all tasks of its loop do so.
            _keep(asyncio.ensure_future(self._answer(conversation, exchange)))
            self._is_asking = False
            if self._is_answered:
                conversation.answered()
        if self._rest is not None:
            rest, self._rest, self._conversation = self._rest, None, None
            await super().server_event(HandOver(rest))

    async def _answer(self, conversation: Conversation, exchange: Exchange) -> None:
        try:
            await self._lane.answer(exchange)
        finally:
            if self._is_asking:
                # Answered at once: whoever asked is still at it, and goes on by itself.
                self._is_answered = True
            else:
                conversation.answered()
                await self._settle(conversation)

    async def drain_writers(self) -> None:
        """See `ConnectionHandler.drain_writers`; also holds back a client that sends far ahead of its answers."""
        if len(self.transports) > 1 or self._writer.transport.get_write_buffer_size():
            await super().drain_writers()  # type: ignore[no-untyped-call]
        if not self.place.has_room() and asyncio.current_task() is self.transports[self.client].handler:
            while not self.place.has_room():  # noqa: ASYNC110 - no client that means well comes here
                await asyncio.sleep(ROOM_POLL_SECONDS)

    def _cut(self) -> None:
        io = self.transports.get(self.client)
        if io is not None and io.handler is not None:
            io.handler.cancel("its time is up")

    def _tell_expired(self) -> None:
        _keep(asyncio.ensure_future(self.server_event(Expired())))


def _keep(task: asyncio.Future[None]) -> None:
    """The loop itself holds tasks only weakly."""
    if not task.done():
        _KEPT.add(task)
        task.add_done_callback(_KEPT.discard)


_KEPT: set[asyncio.Future[None]] = set()

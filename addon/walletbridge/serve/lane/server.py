"""
Where connections come in: mitmproxy's reverse mode with a listener and a handler of our own.

mitmproxy finds a mode by the name of its class, so this module is imported before the options are set.
"""

import asyncio
from typing import Any, Protocol, cast

from mitmproxy import ctx
from mitmproxy.options import Options
from mitmproxy.proxy.commands import StartHook
from mitmproxy.proxy.context import Context
from mitmproxy.proxy.events import HookCompleted
from mitmproxy.proxy.layer import Layer
from mitmproxy.proxy.layers.modes import ReverseProxy
from mitmproxy.proxy.mode_servers import AsyncioServerInstance, ProxyConnectionHandler
from mitmproxy.proxy.mode_specs import ProxyMode, ReverseMode

from walletbridge.serve.lane.addon import Lane
from walletbridge.serve.lane.exchange import WalletbridgeCallbackHook
from walletbridge.serve.lane.layer import Expired
from walletbridge.serve.lane.place import Place
from walletbridge.serve.lane.refusals import Refused
from walletbridge.serve.lane.responses import refusal_bytes

BACKLOG = 2048
"""Connections that the system holds for us while a crowd comes in; it may allow fewer."""
ROOM_POLL_SECONDS = 0.02


class LaneMaster(Protocol):
    """A master with a lane."""

    lane: Lane
    reuse_port: bool
    """Whether other processes may listen on the same port."""


class LaneMode(ReverseMode):  # type: ignore[no-untyped-call]
    """`lane:http://HOST:PORT`: a reverse proxy behind the fast lane."""


class LaneInstance(AsyncioServerInstance[LaneMode]):  # type: ignore[no-untyped-call]
    """The listener."""

    async def listen(self, host: str, port: int) -> list[Any]:
        """Listens on TCP alone; see `AsyncioServerInstance.listen`."""
        reuse_port = cast("LaneMaster", ctx.master).reuse_port or None
        return [await asyncio.start_server(self.handle_stream, host, port, backlog=BACKLOG, reuse_port=reuse_port)]

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
        self.place = Place(
            address,
            expires_at=lane.clock() + lane.limits.header_seconds,
            cut=self._cut,
            tell=self._tell_expired,
        )

    async def hook_task(self, hook: StartHook) -> None:
        """See `ConnectionHandler.hook_task`."""
        if not isinstance(hook, WalletbridgeCallbackHook):
            await super().hook_task(hook)
            return
        try:
            await self._lane.answer(hook.exchange)
        finally:
            await self.server_event(HookCompleted(hook))

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
        task = asyncio.ensure_future(self.server_event(Expired()))
        if not task.done():
            _TELLING.add(task)
            task.add_done_callback(_TELLING.discard)


_TELLING: set[asyncio.Future[None]] = set()
"""The loop itself holds tasks only weakly."""

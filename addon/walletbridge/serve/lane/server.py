"""
Where connections come in: mitmproxy's reverse mode with a listener and a handler of our own.

mitmproxy finds a mode by the name of its class, so this module is imported before the options are set.
"""

import asyncio
from typing import Any, Protocol, cast

from mitmproxy import ctx
from mitmproxy.proxy.context import Context
from mitmproxy.proxy.layer import Layer
from mitmproxy.proxy.layers.modes import ReverseProxy
from mitmproxy.proxy.mode_servers import AsyncioServerInstance
from mitmproxy.proxy.mode_specs import ReverseMode

from walletbridge.serve.lane.addon import Lane
from walletbridge.serve.lane.connection import LaneHandler
from walletbridge.serve.lane.refusals import Refused
from walletbridge.serve.lane.responses import refusal_bytes
from walletbridge.serve.listening import ADDON, protocol
from walletbridge.serve.stream import Reader

BACKLOG = 2048
"""Connections that the system holds for us while a crowd comes in; it may allow fewer."""


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
        loop = asyncio.get_running_loop()
        return [await loop.create_server(lambda: protocol(self.handle_stream), host, port, backlog=BACKLOG)]

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

    async def _handle(self, lane: Lane, reader: Reader, writer: asyncio.StreamWriter, address: str) -> None:
        handler = LaneHandler(lane, address, reader, writer, ctx.options, self.mode)
        handler.layer = self.make_top_layer(handler.layer.context)
        lane.places.add(handler.client.id, handler.place)
        try:
            with self.manager.register_connection(handler.client.id, handler):
                await handler.handle_client()
        finally:
            reader.give_to(None)
            lane.places.remove(handler.client.id)

"""
The lane's listener: mitmproxy's reverse mode with a listener, connections and a handler of walletbridge.

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

from walletbridge.serve.lane.conversation import LINGER_SECONDS
from walletbridge.serve.lane.deadlines import Place
from walletbridge.serve.lane.lane import Lane
from walletbridge.serve.lane.mitmproxy_connection import LaneHandler
from walletbridge.serve.lane.plain_connection import PlainConnection
from walletbridge.serve.lane.proxied import ProxiedConnection
from walletbridge.serve.listening import ADDON

BACKLOG = 2048
"""Connections that may wait to be accepted; the system may allow fewer."""


class LaneMaster(Protocol):
    """A master with a lane."""

    lane: Lane


class LaneMode(ReverseMode):  # type: ignore[no-untyped-call]
    """`lane:http://HOST:PORT`: a reverse proxy behind the fast lane."""


class LaneInstance(AsyncioServerInstance[LaneMode]):  # type: ignore[no-untyped-call]
    """The listener."""

    async def listen(self, host: str, port: int) -> list[Any]:
        """Listens on TCP alone: on the sockets of the doors addon, or without that addon on its own."""
        lane, carry = _lane(), self.carry

        def connect() -> asyncio.Protocol:
            if lane.has_proxy_headers:
                return ProxiedConnection(lane, lambda address: PlainConnection(lane, carry, address))
            return PlainConnection(lane, carry)

        doors = ctx.master.addons.get(ADDON)  # type: ignore[no-untyped-call]
        if doors is not None:
            # mitmproxy uses only these two attributes of a Server: `sockets` and `close`.
            return [doors.listen(connect, lambda: lane.gate.connections, lambda: lane.is_sweeping)]
        return [await asyncio.get_running_loop().create_server(connect, host, port, backlog=BACKLOG)]

    def make_top_layer(self, context: Context) -> Layer:
        """The same as in reverse mode."""
        return ReverseProxy(context)

    async def carry(self, place: Place, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Has mitmproxy carry a connection until its end. See `plain_connection.Carry`."""
        lane = _lane()
        try:
            handler = LaneHandler(lane, place.address, place.expires_at, reader, writer, ctx.options, self.mode)
            lane.gate.follow(place, handler.place)
            place = handler.place
            handler.layer = self.make_top_layer(handler.layer.context)
            with (
                lane.carries(handler.client.id, handler.place),
                self.manager.register_connection(handler.client.id, handler),
            ):
                await handler.handle_client()
        finally:
            lane.gate.leave(place)
            if writer.transport.get_write_buffer_size():
                # Closes once the client has read everything, or is cut after LINGER_SECONDS.
                asyncio.get_running_loop().call_later(LINGER_SECONDS, writer.transport.abort)


def _lane() -> Lane:
    return cast("LaneMaster", ctx.master).lane

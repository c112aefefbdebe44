"""
Detects that the client of a held callback has left.
"""

from mitmproxy import ctx
from mitmproxy.addons.proxyserver import Proxyserver  # noqa: TC002 - costs nothing here
from mitmproxy.http import HTTPFlow
from mitmproxy.proxy.layers.http import HttpLayer
from mitmproxy.proxy.layers.http._events import RequestProtocolError


def has_left(flow: HTTPFlow) -> bool:
    """Whether the client has closed its connection, or has reset this one stream of it."""
    return not flow.client_conn.connected or _is_reset(flow)


def _is_reset(flow: HTTPFlow) -> bool:
    """A reset is queued until the hook that holds the flow ends. mitmproxy documents no way to see it."""
    proxyserver: Proxyserver | None = ctx.master.addons.get("proxyserver")  # type: ignore[no-untyped-call]
    handler = proxyserver.connections.get(flow.client_conn.id) if proxyserver else None
    if handler is None:
        return False
    layers = [layer for layer in handler.layer.context.layers if isinstance(layer, HttpLayer)]
    streams = [stream for layer in layers for stream in layer.streams.values() if stream.flow is flow]
    return any(isinstance(event, RequestProtocolError) for one in streams for event in one._paused_event_queue)  # noqa: SLF001 - see above

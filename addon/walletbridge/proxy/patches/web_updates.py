"""
Gathers mitmweb's messages to browsers: one for each callback instead of six. A slow browser costs no memory.

mitmweb puts every change of a flow into an unbounded queue for each browser. mitmproxy documents no way to bound it, so
this module replaces the function that fills it. mitmproxy's version is bounded.
"""

import asyncio
from collections.abc import Callable
from typing import Any

from mitmproxy.addons.view import View
from mitmproxy.flow import Flow
from mitmproxy.master import Master

GATHER_SECONDS = 0.1
BEHIND_MAX = 500
"""Messages that a browser may lag behind. After that it gets one message to reload the list."""
_ADD = "flows/add"


class WebUpdates:
    """Replaces `ClientConnection.broadcast_flow`."""

    def __init__(self, connections: Any, view: View, to_json: Callable[[Flow], Any]) -> None:
        """`connections` is mitmweb's class of browser connections; it holds all of them."""
        self._connections = connections
        self._view = view
        self._to_json = to_json
        self._changed: dict[str, tuple[str, Flow]] = {}

    def broadcast_flow(self, kind: str, flow: Flow) -> None:
        """Registers a new or changed flow. Does nothing without a browser."""
        if not self._connections.connections:
            return
        if not self._changed:
            asyncio.get_running_loop().call_later(GATHER_SECONDS, self.tell)
        before = self._changed.get(flow.id)
        self._changed[flow.id] = (_ADD if before and before[0] == _ADD else kind, flow)

    def tell(self) -> None:
        """Sends the current state of the changed flows. mitmweb itself reports removed flows."""
        changed, self._changed = self._changed, {}
        browsers = [browser for browser in self._connections.connections if self._keeps_up(browser)]
        if not browsers:
            return
        for kind, flow in changed.values():
            if flow in self._view:
                content = self._to_json(flow)
                for browser in browsers:
                    browser._broadcast_flow(kind, flow, content)  # noqa: SLF001 - see above

    def _keeps_up(self, browser: Any) -> bool:
        queue: asyncio.Queue[bytes] = browser._send_queue  # noqa: SLF001 - see above
        if queue.qsize() < BEHIND_MAX:
            return True
        while not queue.empty():
            queue.get_nowait()
        browser.send(self._connections._json_dumps({"type": "flows/reset"}))  # noqa: SLF001 - see above
        return False


def gather_updates(master: Master, view: View) -> WebUpdates | None:
    """Installs the gathering. Does nothing outside mitmweb."""
    if not hasattr(master, "app"):
        return None
    from mitmproxy.tools.web import app  # noqa: PLC0415 - only mitmweb has its libraries loaded

    connections: Any = app.ClientConnection
    updates = WebUpdates(connections, view, app.flow_to_json)
    connections.broadcast_flow = updates.broadcast_flow
    return updates

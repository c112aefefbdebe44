"""
Sends mitmweb's list of flows to a browser in parts: sending it at once would delay callbacks all that time.

mitmproxy documents no way to change this, so a handler of walletbridge precedes its own. mitmproxy's version is
bounded.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from itertools import batched
from typing import Any

from mitmproxy.master import Master

PART = 20
"""Flows sent before callbacks may run."""


def list_in_parts(master: Master, before: Callable[[], None]) -> None:
    """Installs the handler. Does nothing outside mitmweb. Each request for the list calls `before` first."""
    application: Any = getattr(master, "app", None)
    if application is None:
        return
    # Only mitmweb has loaded its libraries.
    from mitmproxy.tools.web.app import RequestHandler, flow_to_json  # noqa: PLC0415 - see above
    from tornado.escape import json_encode  # noqa: PLC0415 - see above
    from tornado.iostream import StreamClosedError  # noqa: PLC0415 - see above

    class FlowsInParts(RequestHandler):  # type: ignore[no-untyped-call]
        """Requires a login: mitmproxy wraps the methods of every handler."""

        async def get(self) -> None:
            # Send pending updates first: a page ignores the addition of a flow that is in its list, in any state.
            before()
            self.set_header("Content-Type", "application/json; charset=UTF-8")
            separator = "["
            # The browser may have left.
            with suppress(StreamClosedError):
                for part in batched(list(self.view), PART):
                    self.write(separator + json_encode([flow_to_json(flow) for flow in part])[1:-1])
                    separator = ","
                    await self.flush()
                    await asyncio.sleep(0)
                await self.finish("[]" if separator == "[" else "]")

    application.add_handlers(r".*", [(r"/flows(?:\.json)?", FlowsInParts)])

"""
mitmweb's list of flows, told to a browser in parts: all of it at once would hold up callbacks for as long as it takes.

No documented way changes how it is told: its handler is put behind one of ours. Its version is bounded.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from itertools import batched
from typing import Any

from mitmproxy.master import Master

PART = 20
"""Flows that are told before callbacks have their turn again."""


def list_in_parts(master: Master, before: Callable[[], None]) -> None:
    """In mitmweb; elsewhere nothing is done. `before` is called when somebody wants the list."""
    application: Any = getattr(master, "app", None)
    if application is None:
        return
    # Only mitmweb has its libraries loaded.
    from mitmproxy.tools.web.app import RequestHandler, flow_to_json  # noqa: PLC0415 - see above
    from tornado.escape import json_encode  # noqa: PLC0415 - see above
    from tornado.iostream import StreamClosedError  # noqa: PLC0415 - see above

    class FlowsInParts(RequestHandler):  # type: ignore[no-untyped-call]
        """With its own login: mitmproxy wraps the methods of every handler."""

        async def get(self) -> None:
            # A page takes no new flow that it has from the list, whatever has become of it since.
            before()
            self.set_header("Content-Type", "application/json; charset=UTF-8")
            separator = "["
            # Its browser may be gone, which is no news.
            with suppress(StreamClosedError):
                for part in batched(list(self.view), PART):
                    self.write(separator + json_encode([flow_to_json(flow) for flow in part])[1:-1])
                    separator = ","
                    await self.flush()
                    await asyncio.sleep(0)
                await self.finish("[]" if separator == "[" else "]")

    application.add_handlers(r".*", [(r"/flows(?:\.json)?", FlowsInParts)])

"""
Hides accounts in the bodies of flows. The answer must go out as it is, so that is done once it has.
"""

import asyncio

from mitmproxy import ctx, hooks
from mitmproxy.http import HTTPFlow

from walletbridge.proxy.live_view.harmless import harmless
from walletbridge.proxy.live_view.mask import mask_in_body

POLL_SECONDS = 0.05


class Masking:
    """Flows whose answers are on their way."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def later(self, flow: HTTPFlow, account: str) -> None:
        """Masks its bodies when it has ended. `account` is empty where the request could not be read."""
        task = asyncio.ensure_future(_mask(flow, account))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _mask(flow: HTTPFlow, account: str) -> None:
    while flow.live:  # noqa: ASYNC110 - nobody announces that an answer has gone
        await asyncio.sleep(POLL_SECONDS)
    with harmless():
        for message in (flow.request, flow.response):
            if message is not None and message.raw_content:
                message.data.content = mask_in_body(message.raw_content, account)
        flow._backup = None  # noqa: SLF001 - holds the bodies as they were
        await ctx.master.addons.trigger_event(hooks.UpdateHook([flow]))

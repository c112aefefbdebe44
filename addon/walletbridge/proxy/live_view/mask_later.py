"""
Hides accounts in the bodies of flows after the unchanged answer has been sent.
"""

import asyncio

from mitmproxy import ctx, hooks
from mitmproxy.http import HTTPFlow

from walletbridge.proxy.live_view.harmless import harmless
from walletbridge.proxy.live_view.mask import mask_in_body

POLL_SECONDS = 0.05


class Masking:
    """Flows whose answers are not sent yet."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def later(self, flow: HTTPFlow, account: str) -> None:
        """Masks the bodies when the flow has ended. `account` is empty if the request could not be read."""
        task = asyncio.ensure_future(_mask(flow, account))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _mask(flow: HTTPFlow, account: str) -> None:
    while flow.live:  # noqa: ASYNC110 - no event reports a sent answer
        await asyncio.sleep(POLL_SECONDS)
    with harmless():
        for message in (flow.request, flow.response):
            if message is not None and message.raw_content:
                message.data.content = mask_in_body(message.raw_content, account)
        flow._backup = None  # noqa: SLF001 - holds the original bodies
        await ctx.master.addons.trigger_event(hooks.UpdateHook([flow]))

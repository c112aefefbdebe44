"""
A browser's part, as far as it costs mitmweb anything: the list is loaded, and all that is told of flows is taken.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import aiohttp


@asynccontextmanager
async def watching(address: str) -> AsyncIterator[None]:
    """Looks at mitmweb as long as the context lasts. `address` is that of its page, with its login."""
    url, _, token = address.partition("?token=")
    login = {"Authorization": f"Bearer {token}"}
    async with (
        aiohttp.ClientSession(headers=login) as client,
        client.get(f"{url}flows", raise_for_status=True) as flows,
        client.ws_connect(f"{url}updates", max_msg_size=0) as updates,
    ):
        await flows.read()
        taking = asyncio.ensure_future(_take(updates))
        try:
            yield
        finally:
            if taking.done():
                taking.result()
                raise RuntimeError("mitmweb has closed the browser's connection")
            taking.cancel()
            with suppress(asyncio.CancelledError):
                await taking


async def _take(updates: aiohttp.ClientWebSocketResponse) -> None:
    async for _ in updates:
        pass

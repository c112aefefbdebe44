"""Waiting for what sets no event: other processes, files, the wire."""

import asyncio
from collections.abc import Callable

SECONDS = 20.0
"""Far more than it takes, for machines that do other work at the same time."""
POLL_SECONDS = 0.005


async def until(holds: Callable[[], object], *, seconds: float = SECONDS, every: float = POLL_SECONDS) -> None:
    """Lets the event loop run until `holds`; raises TimeoutError where it does not in time."""
    try:
        async with asyncio.timeout(seconds):
            while not holds():  # noqa: ASYNC110 - see above
                await asyncio.sleep(every)
    except TimeoutError:
        raise TimeoutError("what was waited for did not come") from None

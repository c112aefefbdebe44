"""
Work that must not end before it is told to: what looks after others while nobody waits for it. A fault in one round of
it is logged, and it begins again.
"""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

AGAIN_SECONDS = 1.0
"""After a fault, so that one that stays does not take the processor."""


async def lasting(run: Callable[[], Coroutine[Any, Any, None]], *, on_fault: Callable[[Exception], None]) -> None:
    """Runs `run` until it returns or is cancelled, again and again where it raises."""
    while True:
        try:
            await run()
        except Exception as error:  # noqa: BLE001 - others depend on it
            with suppress(Exception):
                on_fault(error)
            await asyncio.sleep(AGAIN_SECONDS)
        else:
            return

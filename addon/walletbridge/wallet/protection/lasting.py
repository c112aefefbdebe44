"""
Keeps background work running until it is stopped, as no caller waits for it. A fault is reported, and the work begins
again.
"""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

AGAIN_SECONDS = 1.0
"""The pause after a fault, so that a lasting fault does not take the processor."""


async def lasting(run: Callable[[], Coroutine[Any, Any, None]], *, on_fault: Callable[[Exception], None]) -> None:
    """Runs `run` until it returns or is cancelled; where it raises, runs it again."""
    while True:
        try:
            await run()
        except Exception as error:  # noqa: BLE001 - other work depends on it
            with suppress(Exception):
                on_fault(error)
            await asyncio.sleep(AGAIN_SECONDS)
        else:
            return

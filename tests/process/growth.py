"""How much memory something takes of a process."""

import asyncio
from collections.abc import Awaitable

import psutil


async def growth(process: psutil.Process, work: Awaitable[None]) -> int:
    """By how many bytes the process grew, at most, while the work was done."""
    before = most = process.memory_info().rss
    doing = asyncio.ensure_future(work)
    while not doing.done():
        most = max(most, process.memory_info().rss)
        await asyncio.sleep(0.02)
    await doing
    return most - before

"""
The pipe from the supervisor to a worker: one byte means "serve", and its end means that the supervisor is gone.

A worker reports in the shared memory.
"""

import asyncio
import os
from collections.abc import Callable

SERVE = b"s"


class Control:
    """The worker's end of the pipe."""

    def __init__(self, file: int) -> None:
        """`file` is the descriptor of that end."""
        self._file = file
        self._told = asyncio.Event()
        self._on_end: Callable[[], None] | None = None

    async def told_to_serve(self, *, on_end: Callable[[], None]) -> None:
        """
        Waits for "serve". Calls `on_end` when the supervisor is gone, then or later: nothing else would look after this
        worker.
        """
        self._on_end = on_end
        asyncio.get_running_loop().add_reader(self._file, self._read)
        await self._told.wait()

    def _read(self) -> None:
        if os.read(self._file, 1) == SERVE:
            self._told.set()
            return
        asyncio.get_running_loop().remove_reader(self._file)
        if self._on_end:
            self._on_end()

"""
Turns inside one process: a caller that wants to call the wallet for a transaction waits for the present one.

First come, first served. Uses memory only for taken turns.
"""

import asyncio
from collections import deque
from contextlib import suppress


class Turns:
    """For one event loop."""

    def __init__(self) -> None:
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}
        """The waiting callers by key. A key is present while its turn is taken."""

    def is_taken(self, key: str) -> bool:
        """Whether the turn of `key` is taken."""
        return key in self._waiting

    async def take(self, key: str, seconds: float) -> bool:
        """Waits for the turn, at most `seconds`. Returns whether it was taken; then `give_back` must follow."""
        waiting = self._waiting.get(key)
        if waiting is None:
            self._waiting[key] = deque()
            return True
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiting.append(turn)
        try:
            await asyncio.wait({turn}, timeout=max(0.0, seconds))
        except asyncio.CancelledError:
            self._leave(key, turn)
            raise
        if turn.done():
            return True
        self._leave(key, turn)
        return False

    def give_back(self, key: str) -> None:
        """Hands the turn to the next in line."""
        waiting = self._waiting[key]
        if waiting:
            waiting.popleft().set_result(None)
        else:
            del self._waiting[key]

    def _leave(self, key: str, turn: asyncio.Future[None]) -> None:
        if turn.done():
            # The turn was handed over at the same moment.
            self.give_back(key)
            return
        with suppress(ValueError):
            self._waiting[key].remove(turn)

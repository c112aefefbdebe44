"""
Loads new callback tokens from their file while the gateway runs. If it cannot be used, the old tokens stay in force.
"""

import asyncio
from collections.abc import Callable, Mapping

from walletbridge.gateway.tokens import Tokens
from walletbridge.protocol.errors import SettingsError
from walletbridge.settings import Callback, read_tokens

type OnEvent = Callable[[str, Mapping[str, object]], None]


class Rotation:
    """Reads the token file at intervals. It is small, and its content misses no change, unlike its timestamps."""

    def __init__(self, callback: Callback, tokens: Tokens, *, on_event: OnEvent) -> None:
        """`on_event` reports new tokens, and each reason for a failed read once; never a token."""
        self._callback = callback
        self._tokens = tokens
        self._on_event = on_event
        self._problem = ""

    async def run(self) -> None:
        """Runs until it is cancelled. Returns at once if the tokens come from the environment."""
        while self._callback.token_file:
            await asyncio.sleep(self._callback.token_file_seconds)
            await self.look()

    async def look(self) -> None:
        """Reads the file in a thread, and accepts its tokens if they are new."""
        try:
            found = await asyncio.to_thread(read_tokens, self._callback, {})
        except SettingsError as error:
            if str(error) != self._problem:
                self._problem = str(error)
                self._on_event("callback tokens not read: the old ones stay", {"problem": self._problem})
            return
        self._problem = ""
        if self._tokens.replace(found):
            self._on_event("callback tokens replaced", {"tokens": len(found)})

"""
A connection's stream of bytes, as mitmproxy reads it, that can also give each piece away as it comes.
"""

import asyncio
from collections.abc import Callable

type Take = Callable[[bytes], None]


class Reader(asyncio.StreamReader):
    """
    Read by `read` alone. A buffer, and a task that is woken up for what lies in it, cost as much as a callback's
    parsing and decoding: whoever needs neither takes the bytes where they come in.
    """

    def __init__(self) -> None:
        super().__init__()
        self._take: Take | None = None
        self._unread = 0
        """Bytes that came and were not taken, and that nobody has read yet."""

    def give_to(self, take: Take | None) -> None:
        """From now on gives what comes to `take`, which raises nothing, after all that is still to be read; or not."""
        self._take = take

    def feed_data(self, data: bytes) -> None:  # type: ignore[override]  # what comes from a transport is bytes
        """What the protocol calls when bytes have come."""
        if self._take is not None and not self._unread:
            self._take(data)
        else:
            self._unread += len(data)
            super().feed_data(data)

    async def read(self, n: int = -1) -> bytes:
        """See `StreamReader.read`."""
        data = await super().read(n)
        self._unread -= len(data)
        return data

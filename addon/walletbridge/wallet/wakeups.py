"""
gRPC wakes up the event loop with one byte for each ended call, and reads one byte in each turn of the loop. Where many
calls end together, the first turn reports them all, and the turns of the other bytes find nothing. This module reads
all waiting bytes at once.

gRPC does not document this. Where its socket or the loop looks different, this module changes nothing.
"""

import socket
import sys
from asyncio import AbstractEventLoop
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from fcntl import ioctl
from termios import FIONREAD
from typing import Any

_INT_BYTES = 4


class Gathered:
    """Calls gRPC's reader, which reads one byte and reports every ended call; then reads the other waiting bytes."""

    def __init__(self, wakeups: socket.socket, read: Callable[..., object]) -> None:
        self._wakeups = wakeups
        self._read = read
        self._count = bytearray(_INT_BYTES)

    def __call__(self, *args: object) -> None:
        """The loop calls this when a byte has arrived."""
        more = self._waiting() - 1
        # Where this raises, it has not finished, and the other bytes are still needed.
        self._read(*args)
        if more > 0:
            # gRPC queues an ended call before it sends the byte, so the reader has found the calls of these bytes.
            with suppress(OSError):
                self._wakeups.recv(more)

    def _waiting(self) -> int:
        try:
            ioctl(self._wakeups, FIONREAD, self._count)
        except (OSError, ValueError):
            return 0
        return int.from_bytes(self._count, sys.byteorder)


@contextmanager
def gathered_wakeups(loop: AbstractEventLoop) -> Iterator[None]:
    """Inside the context, `Gathered` reads each socket that gRPC adds to `loop`; no other code may run there."""
    own: dict[str, Any] | None = getattr(loop, "__dict__", None)
    if own is None or "add_reader" in own:
        yield
        return
    add_reader = loop.add_reader

    def add_gathered(file: Any, read: Callable[..., object], *args: Any) -> None:
        add_reader(file, Gathered(file, read) if _sends_bytes(file) else read, *args)

    own["add_reader"] = add_gathered
    try:
        yield
    finally:
        del own["add_reader"]


def _sends_bytes(file: object) -> bool:
    """Whether it looks like gRPC's wake-up socket."""
    return isinstance(file, socket.socket) and file.type == socket.SOCK_STREAM and file.gettimeout() == 0

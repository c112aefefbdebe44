"""
gRPC wakes up the event loop by a byte for each call that has ended, and reads one byte in each of the loop's turns.
Where many calls end together the first turn tells of all of them, and as many turns follow that find nothing to tell.
Here what has come is read at once.

gRPC documents nothing of this. What does not look as it is known to is left as it is.
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
    """Calls what reads one wake-up and tells of every call that has ended; then reads the others that had come."""

    def __init__(self, wakeups: socket.socket, read: Callable[..., object]) -> None:
        self._wakeups = wakeups
        self._read = read
        self._count = bytearray(_INT_BYTES)

    def __call__(self, *args: object) -> None:
        """What the loop calls when a wake-up has come."""
        more = self._waiting() - 1
        # Raises where it has not come to its end; then the others are needed.
        self._read(*args)
        if more > 0:
            # A call is there to be found before its byte is: those of these bytes were.
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
    """What gRPC begins to read in `loop` as long as the context lasts, where no other code runs, it reads so."""
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
    """Whether it looks like the socket that gRPC uses."""
    return isinstance(file, socket.socket) and file.type == socket.SOCK_STREAM and file.gettimeout() == 0

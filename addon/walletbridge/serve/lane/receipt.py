"""
Whether the system at the other end of a connection has received what was sent.

A client that has closed its sending side may be waiting for its answer, or it may have gone altogether: both look the
same until something is sent. Then the system of one that waits confirms the bytes, and that of one that has gone resets
the connection.
"""

import asyncio
import fcntl
import socket
import struct
import sys
import termios
from collections.abc import Callable

FIRST_SECONDS = 0.002
"""From the sending to the first look; doubled from look to look."""
LONGEST_SECONDS = 0.1

type Received = bool | None
"""None: not known yet."""


def received(connection: socket.socket) -> Received:
    """Looks once. Where the system cannot tell (it is not Linux), this is never known."""
    if sys.platform != "linux":
        return None
    try:
        if connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            return False
        unconfirmed = fcntl.ioctl(connection.fileno(), termios.TIOCOUTQ, bytes(4))
    except (OSError, ValueError):
        # Closed here by now.
        return False
    return True if struct.unpack("i", unconfirmed)[0] == 0 else None


def watch(
    transport: asyncio.WriteTransport,
    tell: Callable[[bool], None],
    *,
    seconds: float,
    is_lost: Callable[[], bool] = lambda: False,
) -> None:
    """
    Calls `tell`, which raises nothing, once it is known; after so many seconds it counts as not received.

    `is_lost` says whether the transport has met an error: the system tells of a reset but once, to who meets it first.
    """
    loop = asyncio.get_running_loop()
    try:
        # A file of our own: the transport may close its own at once, and then there is nothing left to look at.
        connection = transport.get_extra_info("socket").dup()
    except OSError:
        loop.call_soon(tell, False)  # noqa: FBT003 - the callback's own argument
        return
    ends_at = loop.time() + seconds

    def look(pause: float) -> None:
        is_waiting = bool(transport.get_write_buffer_size())
        is_received = False if is_lost() else None if is_waiting else received(connection)
        if is_received is None and loop.time() < ends_at:
            loop.call_later(pause, look, min(2 * pause, LONGEST_SECONDS))
            return
        connection.close()
        tell(bool(is_received))

    loop.call_later(FIRST_SECONDS, look, FIRST_SECONDS)

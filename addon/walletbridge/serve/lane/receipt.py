"""
Finds out whether the system at the other end of a connection has received the sent bytes.

A client that has closed its sending side may be waiting for its answer or may have gone: both look the same until bytes
are sent. Then the system of a waiting client acknowledges the bytes, and the system of a client that has gone resets
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
"""Seconds from sending to the first look. The pauses then double, up to LONGEST_SECONDS."""
LONGEST_SECONDS = 0.1

type Received = bool | None
"""None while it is not known."""


def received(connection: socket.socket) -> Received:
    """Looks once. Only Linux reports this; elsewhere the result is always None."""
    if sys.platform != "linux":
        return None
    try:
        if connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            return False
        unconfirmed = fcntl.ioctl(connection.fileno(), termios.TIOCOUTQ, bytes(4))
    except (OSError, ValueError):
        # The socket is already closed on this side.
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
    Calls `tell` with the result once it is known, or with False after `seconds`. `tell` must not raise.

    `is_lost` returns whether the transport has met an error: the system reports a reset only once, to its first reader.
    """
    loop = asyncio.get_running_loop()
    try:
        # A duplicate descriptor: the transport may close its own at once, and then it cannot be inspected.
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

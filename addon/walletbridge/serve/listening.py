"""
Accepts connections for mitmproxy, from sockets that several workers may share.

All workers accept from the same sockets. So a worker that ends or dies leaves no connection in a queue of its own, as
it would with a socket for each (SO_REUSEPORT). Each takes one connection at a time, so a burst spreads over all.
"""

import asyncio
import socket
from collections.abc import Callable, Sequence

from walletbridge.serve.sockets import BACKLOG, HANDSHAKE_SECONDS, close, refuse_new

ACCEPT_AGAIN_SECONDS = 1.0
"""Seconds to wait after a failure to accept, mostly for too many open files."""
ADDON = "doors"
"""The name of the addon that has the sockets."""

type Connect = Callable[[], asyncio.BaseProtocol]
"""Makes the protocol of a new connection."""


class Listener:
    """Accepts connections after `start`: one from each socket in every turn of the event loop."""

    def __init__(self, sockets: Sequence[socket.socket], connect: Connect, *, on_accept: Callable[[], None]) -> None:
        self.sockets = tuple(sockets)
        self._connect = connect
        self._on_accept = on_accept
        self._loop = asyncio.get_running_loop()
        self._starting: set[asyncio.Future[object]] = set()
        self._is_accepting = False

    def start(self) -> None:
        """Starts to accept. Clients that have connected before are served now."""
        self._is_accepting = True
        for listener in self.sockets:
            self._loop.add_reader(listener, self._accept, listener)

    async def stop(self, *, is_last: bool) -> None:
        """
        Ends accepting, and closes the sockets in this process. Clients that have connected by now are accepted first.

        `is_last`: no other process accepts from them, so a new connection would be lost and must not begin.
        """
        if self._is_accepting:
            if is_last:
                refuse_new(self.sockets)
                await asyncio.sleep(HANDSHAKE_SECONDS)
            self._accept_waiting()
        self.close()
        if self._starting:
            await asyncio.wait(self._starting)

    def close(self) -> None:
        """Ends accepting at once. mitmproxy calls this at its end."""
        if self._is_accepting:
            self._is_accepting = False
            for listener in self.sockets:
                self._loop.remove_reader(listener)
        close(self.sockets)

    def _accept(self, listener: socket.socket) -> bool:
        try:
            connection, _ = listener.accept()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            # Another worker was faster.
            return False
        except OSError:
            self._loop.remove_reader(listener)
            self._loop.call_later(ACCEPT_AGAIN_SECONDS, self._accept_again, listener)
            return False
        connection.setblocking(False)  # noqa: FBT003 - its only argument
        self._on_accept()
        starting: asyncio.Future[object] = asyncio.ensure_future(
            self._loop.connect_accepted_socket(self._connect, connection)
        )
        self._starting.add(starting)
        starting.add_done_callback(self._started)
        return True

    def _accept_waiting(self) -> None:
        for listener in self.sockets:
            for _ in range(BACKLOG):
                if not self._accept(listener):
                    break

    def _accept_again(self, listener: socket.socket) -> None:
        if self._is_accepting:
            self._loop.add_reader(listener, self._accept, listener)

    def _started(self, starting: asyncio.Future[object]) -> None:
        self._starting.discard(starting)
        if not starting.cancelled():
            # A client may have left already; asyncio reports an error that is never read.
            starting.exception()

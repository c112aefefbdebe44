"""
Accepts connections once the gateway can answer, and drains them at the end without losing an answer.

An addon of mitmproxy. The lane's mode gets the sockets from it; the gateway's addon opens and closes it.
"""

import asyncio
import os
import socket
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from mitmproxy import ctx

from walletbridge.gateway.running_gateway import Bridge
from walletbridge.gateway.shared_memory import Share
from walletbridge.observe.metrics import names
from walletbridge.observe.metrics.names import WorkerState
from walletbridge.serve.admin.admin import Admin
from walletbridge.serve.listening import Connect, Listener
from walletbridge.serve.systemd import Notifier
from walletbridge.serve.worker_pipe import Control
from walletbridge.settings import Serve

WALLET_SECONDS = 1.0
"""Seconds that connections wait at the start until it is known whether the wallet is there."""
PULSE_SECONDS = 1.0
DRAIN_POLL_SECONDS = 0.02


@dataclass(kw_only=True, eq=False)
class Doors:
    """For one process: the only one, or a worker that a supervisor orders to serve."""

    sockets: Sequence[socket.socket]
    share: Share
    serve: Serve
    control: Control | None = None
    """The pipe from the supervisor; None without one."""
    admin: Admin | None = None
    bridge: Bridge | None = None
    """The gateway; None before it is up."""
    _notifier: Notifier = field(default_factory=lambda: Notifier(os.environ))
    _listener: Listener | None = None
    _pulse: asyncio.Task[None] | None = None
    _state: WorkerState | None = None
    _lines_lost: int = 0
    """Lost lines of the log that are already counted."""
    _connections: Callable[[], int] = int
    """Returns the number of open connections."""
    _keeps_times: Callable[[], bool] = lambda: True
    """Returns whether the time limits of connections are enforced."""

    @property
    def is_stopping(self) -> bool:
        """Whether no new connection is accepted."""
        return self._state is WorkerState.DRAINING

    def is_alive(self) -> bool:
        """Whether the process enforces the time limits of connections. If not, it counts as hanging."""
        return self._keeps_times()

    def listen(self, connect: Connect, count: Callable[[], int], keeps_times: Callable[[], bool]) -> Listener:
        """
        Returns the listener that mitmproxy uses as its server, once `open` starts it. `count` returns the number of
        connections, `keeps_times` whether the sweep over them goes on.
        """
        accepted = self.share.part.series(names.CONNECTIONS_ACCEPTED)
        self._is(WorkerState.STARTING)

        def on_accept() -> None:
            self.share.part.cells[accepted] += 1

        self._connections, self._keeps_times = count, keeps_times
        self._listener = Listener(self.sockets, connect, on_accept=on_accept)
        return self._listener

    async def open(self, bridge: Bridge) -> None:
        """Accepts connections once the wallet is there or known to be away, and a supervisor, if any, orders it."""
        self.bridge = bridge
        self._pulse = asyncio.ensure_future(self._beat(bridge))
        if self.admin:
            await self.admin.start()
        await bridge.wallet_seen(WALLET_SECONDS)
        if self.control and not self.is_stopping:
            self._is(WorkerState.READY)
            await self.control.told_to_serve(on_end=ctx.master.shutdown)
        if self._listener and not self.is_stopping:
            self._listener.start()
            self._is(WorkerState.SERVING)
            self._notifier.ready()

    async def close(self, at_once: asyncio.Event) -> None:
        """
        Accepts no new connection, and waits until the open ones have ended. Each answer closes its connection.

        Waits for idle connections as well, up to `drain_seconds`: their clients may be about to use them.
        """
        self._is(WorkerState.DRAINING)
        self._notifier.stopping()
        if self._listener:
            await self._listener.stop(is_last=self.control is None)
        ends_at = time.monotonic() + self.serve.drain_seconds
        while self._connections() and time.monotonic() < ends_at and not at_once.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(at_once.wait(), DRAIN_POLL_SECONDS)

    async def done(self) -> None:
        """The last hook, after the gateway's own."""
        if self._pulse:
            self._pulse.cancel()
        if self.admin:
            await self.admin.stop()

    async def _beat(self, bridge: Bridge) -> None:
        beats = self.share.part.series(names.BEATS)
        while True:
            try:
                self._tell(bridge, beats)
            except Exception as error:  # noqa: BLE001 - a worker that does not beat is killed
                bridge.log.failed(error)
            await asyncio.sleep(PULSE_SECONDS)

    def _tell(self, bridge: Bridge, beats: int) -> None:
        part = self.share.part
        if self.is_alive():
            part.cells[beats] += 1
            self._notifier.alive()
        part.set(names.CONNECTIONS, self._connections())
        part.set(names.CACHE_SIZE, len(bridge.status_cache))
        lost = bridge.log.lines_lost
        part.cells[part.series(names.LOG_LINES_LOST)] += lost - self._lines_lost
        self._lines_lost = lost

    def _is(self, state: WorkerState) -> None:
        self._state = state
        for each in WorkerState:
            self.share.part.set(names.WORKERS, int(each is state), state=each)

"""
A connection of the lane that mitmproxy carries, because of TLS or of requests for other paths.
"""

import asyncio
import logging
import time
from functools import partial
from typing import Any, cast

from mitmproxy import ctx
from mitmproxy.flow import Flow
from mitmproxy.options import Options
from mitmproxy.proxy.commands import StartHook
from mitmproxy.proxy.events import Event, HookCompleted
from mitmproxy.proxy.mode_servers import ProxyConnectionHandler
from mitmproxy.proxy.mode_specs import ProxyMode

from walletbridge.serve.lane.conversation import LINGER_SECONDS
from walletbridge.serve.lane.deadlines import CarriedPlace
from walletbridge.serve.lane.lane import Lane
from walletbridge.serve.lane.receipt import watch
from walletbridge.serve.lane.signals import Expired, WalletbridgeCallbackHook

ROOM_POLL_SECONDS = 0.02
READ_BYTES = 16_384
"""Bytes read at once from a stranger: as one-byte chunks, they take some milliseconds."""
WAIT_SECONDS_MAX = 10.0
FREE_READS = 4
"""Reads without a turn for a known address: enough for its handshake and its token."""


class LaneHandler(ProxyConnectionHandler):
    """
    Reads and writes a connection as mitmproxy does. A callback's hook goes straight to the gateway: no other addon uses
    it, and asking them all costs more than the answer.
    """

    def __init__(  # noqa: PLR0913,PLR0917 - the last four are mitmproxy's
        self,
        lane: Lane,
        address: str,
        expires_at: float,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        options: Options,
        mode: ProxyMode,
    ) -> None:
        super().__init__(ctx.master, reader, writer, options, mode)  # type: ignore[no-untyped-call]
        self._lane = lane
        # Behind a load balancer the socket's other end is not the client.
        self.client.peername = (address, *self.client.peername[1:])
        self._transport = writer.transport
        self._turns: set[asyncio.Future[None]] = set()
        self._is_gone = False
        self.transports[self.client].reader = cast("asyncio.StreamReader", _Reader(reader, self))
        self.place = CarriedPlace(
            address,
            expires_at,
            cut=self._cut,
            tell=self._tell_expired,
            is_closing=self._transport.is_closing,
            is_stuck=lambda: bool(self._transport.get_write_buffer_size()),
            confirm=partial(
                watch, self._transport, seconds=LINGER_SECONDS, is_lost=lambda: reader.exception() is not None
            ),
        )

    async def handle_client(self) -> None:
        """See `ConnectionHandler.handle_client`. Ends the waiting for turns once the client has gone."""
        try:
            await super().handle_client()
        finally:
            self._is_gone = True
            for turn in self._turns:
                if not turn.done():
                    turn.set_result(None)

    @property
    def is_known(self) -> bool:
        """Whether its address has sent an accepted token."""
        return self._lane.strangers.knows(self.place.address)

    async def turn(self) -> None:
        """
        Waits until more work may be done for the client; see `Strangers`. A wait of up to WAIT_SECONDS_MAX does not
        count against its deadline.
        """
        place, lane = self.place, self._lane
        if place.is_proven or self._is_gone:
            return
        began, expires_at = lane.clock(), place.expires_at
        # Limited: waiting bytes are kept in memory.
        place.expires_at = waits_until = max(expires_at, began + WAIT_SECONDS_MAX)
        turn = asyncio.get_running_loop().create_future()
        self._turns.add(turn)
        try:
            await lane.strangers.turn(turn, place.address)
        finally:
            self._turns.discard(turn)
            if place.expires_at == waits_until:
                place.expires_at = expires_at + (lane.clock() - began)

    async def server_event(self, event: Event) -> None:
        """See `ConnectionHandler.server_event`, which never waits: its thread time is work for this client."""
        is_stranger, began = not self.place.is_proven, time.thread_time()
        await super().server_event(event)
        if is_stranger:
            self._lane.strangers.charge(time.thread_time() - began)

    async def handle_hook(self, hook: StartHook) -> None:
        """See `ConnectionHandler.handle_hook`. No addon of `serve` waits in a hook for another path."""
        is_stranger, began = not self.place.is_proven, time.thread_time()
        await super().handle_hook(hook)
        if is_stranger:
            self._lane.strangers.charge(time.thread_time() - began)

    async def hook_task(self, hook: StartHook) -> None:
        """See `ConnectionHandler.hook_task`. A stranger's request for another path waits here, at each of its hooks."""
        if not isinstance(hook, WalletbridgeCallbackHook):
            if isinstance(hook.args()[0], Flow):
                await self.turn()
            await super().hook_task(hook)
            return
        try:
            await self._lane.answer(hook.exchange)
        finally:
            await self.server_event(HookCompleted(hook))

    def log(self, message: str, level: int = logging.INFO, exc_info: Any = None) -> None:
        """
        See `ConnectionHandler.log`. Cuts the connection on an error, which is a fault in a layer of mitmproxy or
        walletbridge: it would leave the connection open without a reader.
        """
        super().log(message, level, exc_info)
        if level >= logging.ERROR:
            self._cut()

    async def drain_writers(self) -> None:
        """See `ConnectionHandler.drain_writers`; also pauses a client that sends far ahead of its answers."""
        task = asyncio.current_task()
        connection = next((each for each, io in self.transports.items() if io.handler is task), self.client)
        is_client = connection is self.client
        self.place.is_held = self.place.is_held or is_client
        if len(self.transports) > 1 or self._transport.get_write_buffer_size():
            await super().drain_writers()  # type: ignore[no-untyped-call]
        # Polling is enough: no well-behaved client waits in the second loop.
        while not is_client and not self.place.takes(connection) and self.client in self.transports:  # noqa: ASYNC110
            await asyncio.sleep(ROOM_POLL_SECONDS)
        while is_client and not self.place.has_room() and self.client in self.transports:  # noqa: ASYNC110
            await asyncio.sleep(ROOM_POLL_SECONDS)
        self.place.is_held = self.place.is_held and not is_client

    def _cut(self) -> None:
        # Bytes that the client does not take would keep a connection that is only closed.
        self._transport.abort()
        io = self.transports.get(self.client)
        if io is not None and io.handler is not None:
            io.handler.cancel("its time is up")

    def _tell_expired(self) -> None:
        _keep(asyncio.ensure_future(self.server_event(Expired())))


def _keep(task: asyncio.Future[Any]) -> None:
    """Keeps a task alive: the loop holds only a weak reference."""
    if not task.done():
        _KEPT.add(task)
        task.add_done_callback(_KEPT.discard)


_KEPT: set[asyncio.Future[Any]] = set()


class _Reader:
    """mitmproxy's reader of the client: reads little at a time from a stranger, and passes it on only at its turn."""

    def __init__(self, reader: asyncio.StreamReader, handler: LaneHandler) -> None:
        self._reader = reader
        self._handler = handler
        self._reads = 0

    async def read(self, bytes_max: int) -> bytes:
        """See `StreamReader.read`."""
        handler = self._handler
        data = await self._reader.read(bytes_max if handler.place.is_proven else min(bytes_max, READ_BYTES))
        self._reads += 1
        if data and not (self._reads <= FREE_READS and handler.is_known):
            await handler.turn()
        return data

"""
One connection of the lane that mitmproxy carries, because of TLS or of requests that are no callbacks.
"""

import asyncio
import logging
from functools import partial
from typing import Any

from mitmproxy import ctx
from mitmproxy.options import Options
from mitmproxy.proxy.commands import StartHook
from mitmproxy.proxy.events import HookCompleted
from mitmproxy.proxy.mode_servers import ProxyConnectionHandler
from mitmproxy.proxy.mode_specs import ProxyMode

from walletbridge.serve.lane.addon import Lane
from walletbridge.serve.lane.conversation import LINGER_SECONDS
from walletbridge.serve.lane.place import CarriedPlace
from walletbridge.serve.lane.receipt import watch
from walletbridge.serve.lane.signals import Expired, WalletbridgeCallbackHook

ROOM_POLL_SECONDS = 0.02


class LaneHandler(ProxyConnectionHandler):
    """
    Reads and writes a connection as mitmproxy does. A callback's hook goes straight to the gateway: there is nobody
    else to ask, and to ask costs more than to answer.
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

    async def hook_task(self, hook: StartHook) -> None:
        """See `ConnectionHandler.hook_task`."""
        if not isinstance(hook, WalletbridgeCallbackHook):
            await super().hook_task(hook)
            return
        try:
            await self._lane.answer(hook.exchange)
        finally:
            await self.server_event(HookCompleted(hook))

    def log(self, message: str, level: int = logging.INFO, exc_info: Any = None) -> None:
        """
        See `ConnectionHandler.log`. What mitmproxy logs as an error is a fault in its layers or ours: it would leave
        the connection open with nothing that reads it.
        """
        super().log(message, level, exc_info)
        if level >= logging.ERROR:
            self._cut()

    async def drain_writers(self) -> None:
        """See `ConnectionHandler.drain_writers`; also holds back a client that sends far ahead of its answers."""
        task = asyncio.current_task()
        connection = next((each for each, io in self.transports.items() if io.handler is task), self.client)
        is_client = connection is self.client
        self.place.is_held = self.place.is_held or is_client
        if len(self.transports) > 1 or self._transport.get_write_buffer_size():
            await super().drain_writers()  # type: ignore[no-untyped-call]
        while not is_client and not self.place.takes(connection) and self.client in self.transports:  # noqa: ASYNC110 - see below
            await asyncio.sleep(ROOM_POLL_SECONDS)
        while is_client and not self.place.has_room() and self.client in self.transports:  # noqa: ASYNC110 - no client that means well comes here
            await asyncio.sleep(ROOM_POLL_SECONDS)
        self.place.is_held = self.place.is_held and not is_client

    def _cut(self) -> None:
        # What the client does not take would keep a connection that is only closed.
        self._transport.abort()
        io = self.transports.get(self.client)
        if io is not None and io.handler is not None:
            io.handler.cancel("its time is up")

    def _tell_expired(self) -> None:
        _keep(asyncio.ensure_future(self.server_event(Expired())))


def _keep(task: asyncio.Future[Any]) -> None:
    """The loop itself holds tasks only weakly."""
    if not task.done():
        _KEPT.add(task)
        task.add_done_callback(_KEPT.discard)


_KEPT: set[asyncio.Future[Any]] = set()

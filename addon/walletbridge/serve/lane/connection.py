"""
One connection of the lane: as mitmproxy carries it, and past mitmproxy once it is known that it brings callbacks.
"""

import asyncio
import time
from collections.abc import Coroutine
from typing import Any

from mitmproxy import ctx
from mitmproxy.options import Options
from mitmproxy.proxy.commands import StartHook
from mitmproxy.proxy.events import ConnectionClosed, DataReceived, Event, HookCompleted
from mitmproxy.proxy.mode_servers import ProxyConnectionHandler
from mitmproxy.proxy.mode_specs import ProxyMode

from walletbridge.serve.lane.addon import Lane
from walletbridge.serve.lane.conversation import Conversation, Exchange
from walletbridge.serve.lane.layer import Expired, HandOver, WalletbridgeCallbackHook
from walletbridge.serve.lane.place import Place
from walletbridge.serve.stream import Reader

ROOM_POLL_SECONDS = 0.02


class LaneHandler(ProxyConnectionHandler):
    """
    Reads and writes a connection as mitmproxy does. A callback's hook goes straight to the gateway: there is nobody
    else to ask, and to ask costs more than to answer. Where a conversation can be had without the layers, its bytes
    are taken where they come in: to wake up mitmproxy's task for them costs as much again.
    """

    def __init__(  # noqa: PLR0913,PLR0917 - the last five are mitmproxy's
        self,
        lane: Lane,
        address: str,
        reader: Reader,
        writer: asyncio.StreamWriter,
        options: Options,
        mode: ProxyMode,
    ) -> None:
        super().__init__(ctx.master, reader, writer, options, mode)  # type: ignore[no-untyped-call]
        self._lane = lane
        self._reader = reader
        self._transport = writer.transport
        self._loop = asyncio.get_running_loop()
        self._conversation: Conversation | None = None
        """Had without the layers, as far as there is one."""
        self._asked: Exchange | None = None
        self._rest: bytes | None = None
        self._is_asking = self._is_answered = False
        self.place = Place(
            address,
            expires_at=lane.clock() + lane.limits.header_seconds,
            cut=self._cut,
            tell=self._tell_expired,
            is_closing=self._transport.is_closing,
        )

    async def server_event(self, event: Event) -> None:
        """
        See `ConnectionHandler.server_event`. What concerns the lane and the client alone goes to the lane, past the
        layers above: that is nearly all that happens here, and all that mitmproxy would do for it is bookkeeping.
        """
        conversation = self._conversation
        if conversation is None:
            await super().server_event(event)
            direct = self.place.direct
            # What was asked through the layers is answered through them.
            if direct is not None and not direct.is_answering and self._conversation is None:
                self._conversation, direct.wire = direct, self
                self._reader.give_to(self._received)
            if self._conversation is not None:
                # What waited for its turn at the layers has come to the conversation by way of them.
                self._settle(self._conversation)
            return
        self.timeout_watchdog.last_activity = time.time()
        if isinstance(event, DataReceived):
            conversation.received(event.data)
        elif isinstance(event, HookCompleted):
            conversation.answered()
        elif isinstance(event, ConnectionClosed):
            conversation.left()
        elif isinstance(event, Expired):
            conversation.expired()
        self._settle(conversation)

    async def hook_task(self, hook: StartHook) -> None:
        """See `ConnectionHandler.hook_task`."""
        if not isinstance(hook, WalletbridgeCallbackHook):
            await super().hook_task(hook)
            return
        try:
            await self._lane.answer(hook.exchange)
        finally:
            await self.server_event(HookCompleted(hook))

    async def drain_writers(self) -> None:
        """See `ConnectionHandler.drain_writers`; also holds back a client that sends far ahead of its answers."""
        if len(self.transports) > 1 or self._transport.get_write_buffer_size():
            await super().drain_writers()  # type: ignore[no-untyped-call]
        if not self.place.has_room() and asyncio.current_task() is self.transports[self.client].handler:
            await self._until_there_is_room()

    # The wire of a conversation that is had without the layers

    def send(self, data: bytes) -> bool:
        """See `Wire`."""
        transport = self._transport
        if transport.is_closing():
            return False
        transport.write(data)
        return not transport.is_closing()

    def close(self, *, half: bool) -> None:
        """See `Wire`."""
        if self.client in self.transports:
            self.close_connection(self.client, half)

    def ask(self, exchange: Exchange) -> None:
        """See `Wire`."""
        self._asked = exchange

    def hand_over(self, rest: bytes) -> None:
        """See `Wire`."""
        self._rest = rest

    def _received(self, data: bytes) -> None:
        """Bytes have come, of which mitmproxy's task for the connection hears nothing."""
        conversation = self._conversation
        if conversation is None:
            raise RuntimeError("bytes for a conversation that is over")
        self.timeout_watchdog.last_activity = time.time()
        conversation.received(data)
        self._settle(conversation)
        if self._transport.get_write_buffer_size() or not self.place.has_room():
            waiting = self._begin(self._hold_back())
            if not waiting.done():
                _keep(waiting)
                self._transport.pause_reading()  # type: ignore[attr-defined]
                waiting.add_done_callback(self._go_on)

    async def _hold_back(self) -> None:
        await super().drain_writers()  # type: ignore[no-untyped-call]
        await self._until_there_is_room()

    async def _until_there_is_room(self) -> None:
        while not self.place.has_room() and self.client in self.transports:  # noqa: ASYNC110 - no client that means well comes here
            await asyncio.sleep(ROOM_POLL_SECONDS)

    def _go_on(self, _: object) -> None:
        self._transport.resume_reading()  # type: ignore[attr-defined]

    def _settle(self, conversation: Conversation) -> None:
        """Does what was asked for in the last step, until nothing is left to be done at once."""
        while (exchange := self._asked) is not None:
            self._asked = None
            self._is_asking, self._is_answered = True, False
            self._lane.begin(exchange, self._answered)
            self._is_asking = False
            if self._is_answered:
                conversation.answered()
        if self._rest is not None:
            rest, self._rest, self._conversation = self._rest, None, None
            self._reader.give_to(None)
            _keep(self._begin(super().server_event(HandOver(rest))))

    def _answered(self) -> None:
        """What was asked has its answer, or will have none."""
        if self._is_asking:
            # At once: whoever asked is still at it, and goes on by itself.
            self._is_answered = True
        elif (conversation := self._conversation) is not None:
            conversation.answered()
            self._settle(conversation)

    def _begin(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """A task that begins at once, as mitmproxy has it with all tasks of its loop."""
        return asyncio.Task(work, loop=self._loop, eager_start=True)

    def _cut(self) -> None:
        io = self.transports.get(self.client)
        if io is not None and io.handler is not None:
            io.handler.cancel("its time is up")

    def _tell_expired(self) -> None:
        _keep(self._begin(self.server_event(Expired())))


def _keep(task: asyncio.Future[None]) -> None:
    """The loop itself holds tasks only weakly."""
    if not task.done():
        _KEPT.add(task)
        task.add_done_callback(_KEPT.discard)


_KEPT: set[asyncio.Future[None]] = set()

"""
The gateway with all that it stands on, from start to drain: what a way of running walletbridge holds one of.
"""

import asyncio
import time
from collections.abc import Callable, Sequence

from walletbridge import answers
from walletbridge.answers import Answer
from walletbridge.callbacks import Command
from walletbridge.dispatch import Dispatch
from walletbridge.gateway import Gateway, Request
from walletbridge.logs import Log
from walletbridge.peers import Peers
from walletbridge.settings import Deadlines, Settings
from walletbridge.status_cache import StatusCache
from walletbridge.tokens import Tokens
from walletbridge.trace import Trace
from walletbridge.wallet.channel import Channel
from walletbridge.wallet.client import GrpcWallet


class Bridge:
    """
    Must be made inside a running event loop. Raises SettingsError where a file that the settings name cannot be read.
    """

    def __init__(
        self, settings: Settings, tokens: Tokens, log: Log, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.log = log
        self.clock = clock
        self.settings = settings
        self._tokens = tokens
        self._peers = Peers(settings.callback.allow_from)
        self._channel = Channel(settings.wallet, on_change=self._wallet_changed)
        self.wallet = GrpcWallet(
            self._channel,
            calls_max=settings.limits.wallet_calls,
            connect_wait=settings.wallet.connect_wait,
            clock=clock,
        )
        self.status_cache = StatusCache(
            size=settings.status_cache.size,
            ok_seconds=settings.status_cache.ok_seconds,
            canceled_seconds=settings.status_cache.canceled_seconds,
            clock=clock,
        )
        self._gateway = Gateway(
            Dispatch(self.wallet, self.status_cache, budgets=budgets(settings.deadlines), clock=clock),
            log,
            currency_decimals=settings.wallet.currency_decimals,
            body_bytes_max=settings.limits.body_bytes,
            clock=clock,
        )
        self._answering: set[asyncio.Future[Answer]] = set()
        self._stopped = False

    def is_callback(self, target: str) -> bool:
        """Whether a request target is the callback path; the query is ignored."""
        return target.partition("?")[0] == self.settings.callback.path

    def admits(self, peer: str, tokens: Sequence[bytes]) -> bool:
        """Whether a request from `peer` with these values of the token header is the provider's."""
        return self._peers.accept(peer) and self._tokens.accept(tokens)

    async def answer(self, request: Request, trace: Trace) -> Answer:
        """
        See `Gateway.answer`. Whoever waits here may be cancelled: the wallet call goes on, and its answer is given.
        """
        if self._stopped:
            return answers.UNKNOWN
        task = asyncio.ensure_future(self._gateway.answer(request, trace))
        if not task.done():
            self._answering.add(task)
            task.add_done_callback(self._answering.discard)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            # Bounded by the deadline of the call; a second cancellation is obeyed.
            await asyncio.wait({task})
            return answers.UNKNOWN if task.cancelled() else task.result()

    async def stop(self, *, at_once: asyncio.Event | None = None) -> None:
        """
        Lets calls in flight end and be answered, then closes the channel. `at_once` ends the waiting.

        The wait is bounded by the longest deadline; what is still open then is answered as unknown.
        """
        if self._stopped:
            return
        if self._answering:
            forced = asyncio.ensure_future((at_once or asyncio.Event()).wait())
            drained = asyncio.ensure_future(self._drain())
            await asyncio.wait(
                {forced, drained},
                timeout=max(budgets(self.settings.deadlines).values()),
                return_when=asyncio.FIRST_COMPLETED,
            )
            forced.cancel()
            drained.cancel()
        self._stopped = True
        await self._channel.close()
        if self._answering:
            # Closing the channel has ended their calls; now they are answered.
            await asyncio.wait(self._answering, timeout=1.0)
        self.log.event("stopped")

    async def _drain(self) -> None:
        while self._answering:
            await asyncio.wait(self._answering)

    def _wallet_changed(self, ready: bool) -> None:  # noqa: FBT001 - a callback's one argument
        if ready:
            self.log.event("wallet connected", target=self.settings.wallet.target)
        else:
            self.log.warning("wallet away", target=self.settings.wallet.target)


def budgets(deadlines: Deadlines) -> dict[Command, float]:
    """Seconds from a request's arrival to the end of its wallet call: the provider's limit less the way back."""
    return {
        Command.AUTHENTICATE: deadlines.authenticate - deadlines.margin,
        Command.BALANCE: deadlines.balance - deadlines.margin,
        Command.BET: deadlines.bet - deadlines.margin,
        Command.WIN: deadlines.win - deadlines.margin,
        Command.CANCEL: deadlines.cancel - deadlines.margin,
        Command.STATUS: deadlines.status - deadlines.margin,
    }

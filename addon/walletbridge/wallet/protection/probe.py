"""
Asks a wallet that does not answer, again and again, until it does: its answer closes the breaker.

The questions are the gateway's own: all callbacks may be bets, and no bet should be the test. Where the wallet does not
answer for a while, the connection may be at fault, and is made anew.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress

from walletbridge.observe.trace import Trace
from walletbridge.protocol.callbacks import Balance
from walletbridge.protocol.checks import Check
from walletbridge.protocol.errors import OutcomeUnknown
from walletbridge.wallet.port import Wallet
from walletbridge.wallet.protection.breaker import Breaker
from walletbridge.wallet.protection.lasting import lasting

NOBODY = "walletbridge-probe"
"""An account that no player has. `Not found` is an answer as good as any."""

PROBES_MAX = 32
"""How many questions may wait for an answer at the same time."""


class Probe:
    """Runs beside the callbacks; idle while the wallet answers. Must be made inside a running event loop."""

    def __init__(  # noqa: PLR0913 - its work, times and reports
        self,
        wallet: Wallet,
        breaker: Breaker,
        *,
        every: float,
        seconds: float,
        clock: Callable[[], float],
        renew_after: float = 0.0,
        renew: Callable[[], None] = lambda: None,
    ) -> None:
        """
        Asks every `every` seconds and waits `seconds` for each answer, even while earlier questions wait: these may be
        lost with a connection or a process. Calls `renew` after `renew_after` seconds without an answer, then after
        twice as long, and so on; 0 for never.
        """
        self._wallet = wallet
        self._breaker = breaker
        self._every = every
        self._seconds = seconds
        self._clock = clock
        self._renew_after = renew_after
        self._renew = renew
        self._wake = asyncio.Event()
        self._is_idle = True
        self._asking: set[asyncio.Future[None]] = set()
        self._running = asyncio.ensure_future(lasting(self._run, on_fault=lambda _: None))

    def begin(self) -> None:
        """A call had no answer: starts the questions."""
        if self._is_idle:
            self._wake.set()

    def wake(self) -> None:
        """The wallet may be back: asks at once."""
        self._wake.set()

    async def stop(self) -> None:
        """Stops asking."""
        tasks = {self._running, *self._asking}
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)

    async def _run(self) -> None:
        while True:
            self._is_idle = True
            await self._wake.wait()
            self._is_idle = False
            renew_after = self._renew_after
            while self._breaker.wants_probe:
                self._wake.clear()
                if renew_after and self._breaker.unanswered_for >= renew_after:
                    renew_after *= 2
                    self._renew()
                if len(self._asking) < PROBES_MAX:
                    asking = asyncio.ensure_future(self._ask())
                    self._asking.add(asking)
                    asking.add_done_callback(self._asking.discard)
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), self._every)
            self._wake.clear()

    async def _ask(self) -> None:
        question = Balance(account=NOBODY, checks=(Check.PLAYER_EXISTS,), requested_at=None)
        with suppress(OutcomeUnknown):
            await self._wallet.call(question, deadline=self._clock() + self._seconds, trace=Trace())

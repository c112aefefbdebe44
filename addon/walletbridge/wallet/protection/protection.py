"""
Makes all that stands between the callbacks and the wallet's client, from the settings.
"""

from collections.abc import Callable
from typing import Any

from walletbridge.protocol.callbacks import Command
from walletbridge.settings import Breaker as BreakerSettings
from walletbridge.settings import Limits as LimitsSettings
from walletbridge.wallet.port import Wallet
from walletbridge.wallet.protection.breaker import Breaker, Limits
from walletbridge.wallet.protection.call_slots import Places
from walletbridge.wallet.protection.guard import Guard, OnRefused, Watched
from walletbridge.wallet.protection.probe import Probe


class Protection:
    """Must be made inside a running event loop."""

    def __init__(  # noqa: PLR0913 - its inputs
        self,
        wallet: Wallet,
        *,
        breaker: BreakerSettings,
        limits: LimitsSettings,
        clock: Callable[[], float],
        on_change: Callable[[bool], None],
        on_stuck: Callable[[Command, bool], None] = lambda _, __: None,
        on_refused: OnRefused = lambda _, __: None,
        probe_seconds: float = 1.75,
        renew: Callable[[], None] = lambda: None,
    ) -> None:
        """
        `on_change` gets True when the wallet stops answering and False when it answers again, `on_stuck` the same for
        one command, `on_refused` each refused call. `probe_seconds`: how long a callback waits for a balance; also the
        probe's wait, unless the settings give one. `renew` makes the connection anew.
        """
        self.breaker = Breaker(
            Limits(failures=breaker.failures, patience=breaker.patience, away_seconds=breaker.away_after),
            clock=clock,
            on_change=on_change,
            on_stuck=on_stuck,
        )
        watched = Watched(wallet, self.breaker, clock=clock, on_failed=self._begin_probe)
        places = Places(
            limits.wallet_calls,
            kept_for_cancels=limits.kept_for_cancels,
            kept_for_wins=limits.kept_for_wins,
            waiting_max=limits.slot_waiting,
        )

        def guard(behind: Wallet, *, slot_wait: float = limits.slot_wait, **options: Any) -> Guard:
            return Guard(
                behind, places, self.breaker, on_refused=on_refused, slot_wait=slot_wait, clock=clock, **options
            )

        self.for_callbacks: Wallet = guard(watched)
        self.for_cancels: Wallet = guard(watched, on_behalf_of=Command.CANCEL)
        """For cancels, with all their questions before and after."""
        self.for_resolver: Wallet = guard(wallet, slot_wait=0.0, refused=frozenset())
        """
        Calls the wallet even while the breaker is open, at the resolver's own pace. The breaker does not get the
        results: they show little of how callbacks fare. It waits for no place: callbacks come first.
        """
        self._probe = Probe(
            watched,
            self.breaker,
            every=breaker.probe_every,
            seconds=probe_seconds if breaker.probe_seconds is None else breaker.probe_seconds,
            clock=clock,
            renew_after=breaker.renew_after,
            renew=renew,
        )

    def connected(self, *, ready: bool) -> None:
        """The connection to the wallet is there, or is gone."""
        self.breaker.connected(ready=ready)
        if ready:
            self._probe.wake()

    async def stop(self) -> None:
        """Stops the probe."""
        await self._probe.stop()

    def _begin_probe(self) -> None:
        self._probe.begin()

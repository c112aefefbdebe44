"""
All that stands between the callbacks and the wallet's client, made from the settings.
"""

from collections.abc import Callable

from walletbridge.callbacks import Command
from walletbridge.settings import Breaker as BreakerSettings
from walletbridge.settings import Limits as LimitsSettings
from walletbridge.wallet.breaker import Breaker, Limits
from walletbridge.wallet.guard import Guard, OnRefused, Watched
from walletbridge.wallet.places import Places
from walletbridge.wallet.port import Wallet
from walletbridge.wallet.probe import Probe


class Protection:
    """Must be made inside a running event loop."""

    def __init__(  # noqa: PLR0913 - what comes from outside
        self,
        wallet: Wallet,
        *,
        breaker: BreakerSettings,
        limits: LimitsSettings,
        clock: Callable[[], float],
        on_change: Callable[[bool], None],
        on_refused: OnRefused = lambda _, __: None,
    ) -> None:
        """
        `on_change` is told when the wallet does not answer any more (True) and when it does again (False), `on_refused`
        of each call that is refused.
        """
        self._on_change = on_change
        self.breaker = Breaker(
            Limits(failures=breaker.failures, patience=breaker.patience, away_seconds=breaker.away_after),
            clock=clock,
            on_change=self._changed,
        )
        watched = Watched(wallet, self.breaker, clock=clock)
        places = Places(
            limits.wallet_calls, kept_for_cancels=limits.kept_for_cancels, kept_for_wins=limits.kept_for_wins
        )
        self.for_callbacks: Wallet = Guard(watched, places, self.breaker, on_refused=on_refused)
        self.for_cancels: Wallet = Guard(
            watched, places, self.breaker, on_behalf_of=Command.CANCEL, on_refused=on_refused
        )
        """For cancels with all that they ask the wallet before and after."""
        self.for_resolver: Wallet = Guard(watched, places, self.breaker, refused=frozenset(), on_refused=on_refused)
        """Tries whatever is known of the wallet, with a backoff of its own."""
        self._probe = Probe(
            watched, self.breaker, every=breaker.probe_every, seconds=breaker.probe_seconds, clock=clock
        )

    def connected(self, *, ready: bool) -> None:
        """The connection to the wallet is there, or is gone."""
        self.breaker.connected(ready=ready)
        if ready:
            self._probe.wake()

    async def stop(self) -> None:
        """Probes no more."""
        await self._probe.stop()

    def _changed(self, is_silent: bool) -> None:  # noqa: FBT001 - a callback's one argument
        if is_silent:
            self._probe.wake()
        self._on_change(is_silent)

"""
Builds the parts that move money on one journal: bets, wins and cancels of callbacks, and the resolver.
"""

from collections.abc import Callable

from walletbridge.journal.sqlite import SqliteJournal
from walletbridge.rules.promises import Promises
from walletbridge.rules.resolver_plan import Switches
from walletbridge.settings import Settings
from walletbridge.transactions.durations import pace, times
from walletbridge.transactions.journalled import OnEvent
from walletbridge.transactions.missing_checks import checked
from walletbridge.transactions.resolver import Resolver
from walletbridge.transactions.status_cache import StatusCache
from walletbridge.transactions.transactions import Transactions
from walletbridge.transactions.turns import Turns
from walletbridge.wallet.port import Wallet
from walletbridge.wallet.protection.protection import Protection

RECOVERED = "the journal is older than what was answered: it was restored; what was under way in it is left to a person"

_MEGABYTE = 1_000_000


class Settlement:
    """The journal, the transactions, the cancels and the resolver. Create it inside a running event loop."""

    def __init__(  # noqa: PLR0913 - all parts of money safety
        self,
        settings: Settings,
        promises: Promises,
        protection: Protection,
        status_cache: StatusCache,
        *,
        keep_days: int,
        clock: Callable[[], float],
        on_event: OnEvent,
        on_problem: Callable[[str], None],
        on_wal: Callable[[str], None],
    ) -> None:
        """
        `keep_days`: days to keep rows at rest. `on_event` receives events that a person should look into. `on_problem`
        receives why the journal fails, and an empty text once it works again. `on_wal`: see `WalWatch`.
        """
        self.journal = SqliteJournal(
            settings.journal.path,
            keep_days=keep_days,
            waiting_max=settings.limits.journal_steps,
            on_problem=on_problem,
            on_recovered=lambda rows: on_event(RECOVERED, {"rows": rows, "help": "walletbridge journal recovered"}),
            wal_bytes=settings.journal.wal_megabytes * _MEGABYTE,
            on_wal=on_wal,
        )
        turns = Turns()

        def transactions(wallet: Wallet) -> Transactions:
            return Transactions(
                # Adds the checks that the wallet does not make.
                checked(wallet, promises),
                self.journal,
                turns,
                status_cache,
                promises=promises,
                times=times(settings.journal),
                clock=clock,
                on_event=on_event,
            )

        self.transactions = transactions(protection.for_callbacks)
        self.cancels = transactions(protection.for_cancels)
        """For cancels: an open breaker does not refuse their wallet calls."""
        self.resolver = Resolver(
            checked(protection.for_resolver, promises),
            self.journal,
            turns,
            status_cache,
            promises=promises,
            times=times(settings.journal),
            switches=Switches(
                wins=settings.journal.settle_wins,
                bets=settings.journal.settle_bets,
                rollback=settings.journal.rollback_rounds,
            ),
            pace=pace(settings),
            clock=clock,
            on_event=on_event,
            trouble_at=lambda: protection.breaker.failed_at,
        )

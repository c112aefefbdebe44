"""
Transactions and a resolver on a real journal, with a scripted wallet behind them.
"""

import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.support.callbacks import body, make_callback
from tests.support.fake_wallet import FakeWallet, Step

from walletbridge.journal.clock import JournalClock
from walletbridge.journal.sqlite import SqliteJournal
from walletbridge.observe.trace import Trace
from walletbridge.protocol.callbacks import Bet, Cancel, Status, Win, decode
from walletbridge.protocol.errors import OutcomeUnknown
from walletbridge.protocol.outcomes import Outcome
from walletbridge.rules.decisions import Times
from walletbridge.rules.promises import Promises
from walletbridge.rules.resolver_plan import Switches
from walletbridge.rules.row import Row
from walletbridge.transactions.resolver import Pace, Resolver
from walletbridge.transactions.status_cache import StatusCache
from walletbridge.transactions.transactions import Transactions
from walletbridge.transactions.turns import Turns

TIMES = Times(settle_after=0.2, abandon_after=0.8, redeliver_for=100, recheck_after=(0.1, 0.2), give_up_after=1)
PACE = Pace(
    call_seconds=2.0,
    calls_max=4,
    tick_seconds=0.01,
    pause_seconds=0.4,
    pause_seconds_max=0.4,
    prune_every=1000,
)
SENT = OutcomeUnknown("the wallet did not answer", sent=True)
NOT_SENT = OutcomeUnknown("there is no connection to the wallet", sent=False)
BUDGET_SECONDS = 2.0


class House:
    """What moves money, and what has come of it."""

    def __init__(
        self,
        journal: SqliteJournal,
        *,
        late_bets_refused: bool = True,
        switches: Switches | None = None,
        promises: Promises | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.journal = journal
        self.wallet = FakeWallet()
        self.turns = Turns()
        self.events: list[tuple[str, Mapping[str, object]]] = []
        self.cache = StatusCache(size=100, ok_seconds=5, canceled_seconds=5, clock=time.monotonic)
        promises = promises or Promises(late_bets_refused=late_bets_refused)
        self.transactions = Transactions(
            self.wallet,
            journal,
            self.turns,
            self.cache,
            promises=promises,
            times=TIMES,
            clock=time.monotonic,
            on_event=self._hear,
        )
        self.resolver = Resolver(
            self.wallet,
            journal,
            self.turns,
            self.cache,
            promises=promises,
            times=TIMES,
            switches=switches or Switches(),
            pace=PACE,
            clock=clock,
            on_event=self._hear,
        )

    def script(self, *steps: Step) -> None:
        """What the wallet's next calls come to."""
        self.wallet = FakeWallet(*steps)
        self.transactions._wallet = self.wallet
        self.resolver._wallet = self.wallet

    async def send(
        self, command: str, *, seconds: float = BUDGET_SECONDS, sent: bool | None = True, **data: Any
    ) -> str:
        """The result of a callback, or why it is unknown. `sent`: whether its answer goes out; None if nobody knows."""
        callback = decode(body(make_callback(command, **data)), currency_decimals=2)
        deadline, trace = time.monotonic() + seconds, Trace()
        try:
            outcome = await self._take(callback, deadline, trace)
        except OutcomeUnknown as unknown:
            return unknown.reason
        if sent is not None and isinstance(callback, Bet | Win):
            self.transactions.delivered(callback, sent=sent)
        return outcome.result.name

    async def _take(self, callback: Any, deadline: float, trace: Trace) -> Outcome:
        match callback:
            case Bet() | Win():
                return await self.transactions.move(callback, deadline=deadline, trace=trace)
            case Cancel():
                return await self.transactions.cancel(callback, deadline=deadline, trace=trace)
            case Status():
                return await self.transactions.status(callback, deadline=deadline, trace=trace)
        raise AssertionError(callback)

    async def rows(self) -> dict[str, Row]:
        """What the journal has that is not at rest, by transaction."""
        return {row.trans_id: row for _, row in await self.journal.to_look_at(after=0, limit=1000)}

    @property
    def commands(self) -> list[str]:
        """What reached the wallet since its last script."""
        return [call.callback.command.value for call in self.wallet.calls]

    def _hear(self, event: str, fields: Mapping[str, object]) -> None:
        self.events.append((event, fields))


@asynccontextmanager
async def house(path: Path, *, clock: Callable[[], float] | None = None, **options: Any) -> AsyncIterator[House]:
    """A house whose journal is the file at `path`. `clock` is that of the journal and of the resolver."""
    told = JournalClock("a clock of the test", clock) if clock else None
    journal = SqliteJournal(path, keep_days=1, waiting_max=100, on_problem=lambda _: None, clock=told)
    options |= {"clock": clock} if clock else {}
    try:
        yield House(journal, **options)
    finally:
        await journal.close()

"""The gateway's own code on a real journal, between a wallet that promises less and a provider that keeps its books."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from tests.support.callbacks import body, make_callback
from tests.support.clock import FakeClock
from tests.support.lesser_wallet import Crash, LesserWallet

from walletbridge.gateway.dispatch import Dispatch
from walletbridge.journal.clock import JournalClock
from walletbridge.journal.port import Change, Found
from walletbridge.journal.sqlite import SqliteJournal
from walletbridge.observe.trace import Trace
from walletbridge.protocol.callbacks import Bet, Command, Win, decode
from walletbridge.protocol.errors import OutcomeUnknown
from walletbridge.protocol.outcomes import Outcome, Result
from walletbridge.rules.decisions import Times
from walletbridge.rules.promises import Promises
from walletbridge.rules.resolver_plan import Switches
from walletbridge.rules.row import CancelState, Row
from walletbridge.transactions.missing_checks import checked
from walletbridge.transactions.resolver import Pace, Resolver
from walletbridge.transactions.status_cache import StatusCache
from walletbridge.transactions.transactions import Transactions
from walletbridge.transactions.turns import Turns

TIMES = Times(settle_after=10, abandon_after=20, redeliver_for=86400, recheck_after=(30, 60), give_up_after=100)
PACE = Pace(call_seconds=1, calls_max=1, tick_seconds=1, pause_seconds=1, pause_seconds_max=5, prune_every=1e9)
BUDGETS = {command: 1.75 if command in {Command.BET, Command.BALANCE} else 3.75 for command in Command}
REST_SECONDS = 240
SENDS = 4


class Belief(Enum):
    """What the provider takes for true."""

    UNSURE = "nothing but 500 came"
    MADE = "made"
    NOT_MADE = "refused or cancelled"
    LEFT = "its cancel was refused"


@dataclass(slots=True)
class Entry:
    """A bet or win in the provider's books."""

    command: str
    trans_id: int
    amount: int
    belief: Belief = Belief.UNSURE
    made_when_cancelled: int | None = None
    """How often it had been made when its cancel was answered."""

    @property
    def delta(self) -> int:
        """What it adds to the balance."""
        return self.amount if self.command == "win" else -self.amount


class LesserHouse:
    """The provider's side of it: one call after the other, as the wallet's fates will have it."""

    def __init__(self, path: Path, promises: Promises) -> None:
        """Must be made inside a running event loop."""
        self.clock = FakeClock()
        self.promises = promises
        self.wallet = LesserWallet(promises, self.clock)
        self.journal = SqliteJournal(
            path,
            keep_days=400,
            waiting_max=100,
            on_problem=lambda _: None,
            clock=JournalClock("this boot", self.clock),
        )
        self.entries: list[Entry] = []
        self.events: list[str] = []
        self.restart()

    def restart(self) -> None:
        """A process begins anew: what is in memory is lost."""
        wallet, turns = checked(self.wallet, self.promises), Turns()
        cache = StatusCache(size=100, ok_seconds=5, canceled_seconds=3600, clock=self.clock)
        shared: dict[str, Any] = {
            "promises": self.promises,
            "times": TIMES,
            "clock": self.clock,
            "on_event": self._hear,
        }
        self.transactions = Transactions(wallet, self.journal, turns, cache, **shared)
        self.resolver = Resolver(wallet, self.journal, turns, cache, switches=Switches(), pace=PACE, **shared)
        self._dispatch = Dispatch(wallet, self.transactions, cache, budgets=BUDGETS, clock=self.clock)

    async def send(self, command: str, *, is_heard: bool | None = True, **data: Any) -> Outcome | None:
        """What the provider hears. `is_heard`: whether the answer goes out; None if the gateway dies at that moment."""
        callback = decode(body(make_callback(command, **data)), currency_decimals=0)
        try:
            outcome = await self._dispatch.outcome(callback, received_at=self.clock(), trace=Trace())
        except OutcomeUnknown:
            return None
        except Crash:
            self.clock.tick(3)
            self.restart()
            return None
        assert outcome.balance is not None or command == "status" or outcome.result in {21, 22}
        if is_heard is None:
            self.restart()
        elif isinstance(callback, Bet | Win):
            self.transactions.delivered(callback, sent=is_heard)
        return outcome if is_heard else None

    async def play(self, command: str, amount: int, *, is_heard: bool | None = True) -> Entry:
        """A bet or win with all that the provider does about it. PROTOCOL: Retries."""
        entry = Entry(command, len(self.entries) + 1, amount)
        self.entries.append(entry)
        for _ in range(SENDS if command == "win" else 1):
            await self._move(entry, is_heard=is_heard)
            if entry.belief is not Belief.UNSURE:
                return entry
            is_heard = True
            self.pass_time(3)
        if command == "bet":
            await self.cancel(entry)
        return entry

    async def play_late(self, amount: int) -> Entry:
        """A bet that comes after its cancel."""
        entry = Entry("bet", len(self.entries) + 1, amount)
        self.entries.append(entry)
        await self.cancel(entry)
        outcome = await self.repeat(entry)
        assert outcome is None or outcome.result not in {Result.OK, Result.ALREADY_PROCESSED}, outcome
        return entry

    async def repeat(self, entry: Entry) -> Outcome | None:
        """The same callback once more."""
        return await self.send(entry.command, **self._data(entry))

    async def cancel(self, entry: Entry) -> None:
        """Until it is answered or given up."""
        for _ in range(SENDS):
            outcome = await self.send("cancel", trans_id=entry.trans_id, round_id=f"r{entry.trans_id}")
            if outcome is not None:
                is_settled = outcome.result in {Result.OK, Result.TRANSACTION_NOT_FOUND}
                entry.belief = Belief.NOT_MADE if is_settled else Belief.LEFT
                if is_settled:
                    entry.made_when_cancelled = self.wallet.count(str(entry.trans_id), "made")
                assert outcome.result in {0, 21, 22, 42, 99}
                return
            self.pass_time(3)
        entry.belief = Belief.NOT_MADE

    async def _move(self, entry: Entry, *, is_heard: bool | None) -> None:
        outcome = await self.send(entry.command, is_heard=is_heard, **self._data(entry))
        if outcome is not None:
            is_made = outcome.result in {Result.OK, Result.ALREADY_PROCESSED}
            entry.belief = Belief.MADE if is_made else Belief.NOT_MADE

    def _data(self, entry: Entry) -> dict[str, Any]:
        return {"trans_id": entry.trans_id, "round_id": f"r{entry.trans_id}", "amount": entry.amount}

    def pass_time(self, seconds: float) -> None:
        """What is late lands on the way."""
        self.clock.tick(seconds)
        self.wallet.land()

    async def settle(self) -> None:
        """The resolver looks at everything once."""
        self.resolver.wallet_is_back()
        try:
            await self.resolver.settle_page()
        except* Crash:  # the resolver makes its calls in a group of tasks
            self.clock.tick(3)
            self.restart()

    async def rest(self) -> None:
        """All is well again, and time passes until nothing more is done."""
        self.wallet.fates.clear()
        self.wallet.is_mute, self.wallet.refuses_player = False, 0
        for _ in range(REST_SECONDS // 6):
            self.pass_time(6)
            await self.settle()

    async def row(self, trans_id: int) -> Row | None:
        """What the journal has."""

        def step(found: Found) -> Change[Row | None]:
            return Change(None, takes_turn=False, value=found.row)

        row = await self.journal.look("test1234", str(trans_id), step, seconds=0)
        assert row is None or isinstance(row, Row)
        return row

    async def wrong(self) -> list[str]:
        """What must not be: money that moved twice, and books that differ though no person is told of it."""
        found = []
        for entry in self.entries:
            made, undone = (self.wallet.count(str(entry.trans_id), what) for what in ("made", "undone"))
            row = await self.row(entry.trans_id)
            if made > 1 or undone > made:
                found.append(f"{entry}: made {made} times, undone {undone} times")
            if entry.made_when_cancelled not in {None, made}:
                found.append(f"{entry}: made after its cancel was answered")
            if row is None or row.is_listed:
                continue
            is_owed = entry.belief is Belief.UNSURE and entry.command == "win"
            expected = entry.delta if entry.belief is Belief.MADE or is_owed else 0
            if self.wallet.net(str(entry.trans_id)) != expected:
                found.append(f"{entry}: {self.wallet.net(str(entry.trans_id))} moved; {row}")
            if entry.belief is Belief.NOT_MADE and row.cancel is CancelState.OWED:
                found.append(f"{entry}: owed, and not listed")
        return found

    def _hear(self, event: str, _: Mapping[str, object]) -> None:
        self.events.append(event)

    async def close(self) -> None:
        """Closes the journal."""
        await self.journal.close()
        await asyncio.sleep(0)

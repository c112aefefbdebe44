"""
Settles open journal rows: owed wins, owed cancels, and bets that their sender has written off.

It takes turns like a callback, with short deadlines and a small share of the wallet's calls, and never while a callback
has the turn of the same transaction or waits for it.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from msgspec.structs import replace

from walletbridge.journal.port import Busy, Change, Found, Journal, JournalUnavailable
from walletbridge.observe.trace import Trace
from walletbridge.protocol.callbacks import Cancel, Command, Status, Win
from walletbridge.protocol.checks import Check
from walletbridge.protocol.errors import OutcomeUnknown
from walletbridge.rules import after_call, asked
from walletbridge.rules.cancel_strategy import as_sent
from walletbridge.rules.decisions import End, Times, Verdict
from walletbridge.rules.promises import Promises
from walletbridge.rules.resolver_plan import NOTHING, SENDS, Action, Plan, Round, Switches, after, plan, take
from walletbridge.rules.row import CancelState, Row
from walletbridge.rules.stored_callback import cancel_of, status_of, win_of
from walletbridge.transactions.resolver_lanes import Lane, Share
from walletbridge.transactions.status_cache import StatusCache
from walletbridge.transactions.turns import Turns
from walletbridge.wallet.port import Wallet

PAGE_ROWS = 500
BETWEEN_PAGES_SECONDS = 0.05
"""Seconds to rest after a page without work."""

_KINDS = {
    Action.REDELIVER: Command.WIN,
    Action.CANCEL: Command.CANCEL,
    Action.ABANDON: Command.CANCEL,
    Action.RECHECK: Command.CANCEL,
    Action.ASK: Command.STATUS,
}
"""The command sent for an action. All other actions only write the row."""

type OnEvent = Callable[[str, Mapping[str, object]], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """The resolver's deadlines, concurrency and pauses."""

    call_seconds: float
    """Seconds: the longest deadline of its calls, and of a turn that it takes."""
    budgets: Mapping[Command, float] = field(default_factory=dict)
    """Seconds: the deadline of a command's calls, where it is shorter."""
    calls_max: int
    """The most calls of each kind at a time."""
    tick_seconds: float
    """Seconds between two looks for rows to settle."""
    pause_seconds: float
    """Seconds before the first retry; doubled from then on."""
    pause_seconds_max: float
    prune_every: float
    """Seconds between two deletions of rows long at rest."""


@dataclass(frozen=True, slots=True)
class _Taken:
    plan: Plan
    row: Row


class Resolver:
    """Runs beside the callbacks, one per worker."""

    def __init__(  # noqa: PLR0913 - all parts of money safety
        self,
        wallet: Wallet,
        journal: Journal,
        turns: Turns,
        status_cache: StatusCache,
        *,
        promises: Promises,
        times: Times,
        switches: Switches,
        pace: Pace,
        clock: Callable[[], float],
        on_event: OnEvent,
        trouble_at: Callable[[], float] = lambda: -1.0,
    ) -> None:
        """`trouble_at`: the time, on `clock`, when a callback last got no answer from the wallet."""
        self._wallet = wallet
        self._journal = journal
        self._turns = turns
        self._status_cache = status_cache
        self._promises = promises
        self._times = times
        self._switches = switches
        self._pace = pace
        self._clock = clock
        self._on_event = on_event
        self._trouble_at = trouble_at
        self._lanes = {kind: self._lane(kind) for kind in (Command.WIN, Command.CANCEL, Command.STATUS, None)}
        self._group: asyncio.TaskGroup | None = None
        self._news = asyncio.Event()
        self._is_back = False
        self._eager_from: int | None = None
        """Set while pauses are ignored for one round through all rows, from the one behind this number."""
        self._has_turned = False
        """Whether that round has come to the first row."""
        self._has_skipped = False
        self._answers = 0
        self._stopping = False
        self._pruned_at = clock()
        self._last = 0

    def _lane(self, kind: Command | None) -> Lane:
        pace = self._pace
        share = Share(
            pace.calls_max,
            pause_seconds=pace.pause_seconds,
            pause_seconds_max=pace.pause_seconds_max,
            clock=self._clock,
        )
        return Lane(share, lambda row, eager: self._begin(row, kind, eager=eager), waiting_max=PAGE_ROWS)

    def wallet_is_back(self) -> None:
        """Call it when the connection is back: the waiting rows are tried at once."""
        self._is_back = True
        self._news.set()

    def stop(self) -> None:
        """Ends `run` once the calls in flight have ended."""
        self._stopping = True
        self._news.set()

    async def run(self) -> None:
        """Settles rows until `stop`."""
        async with asyncio.TaskGroup() as self._group:
            while not self._stopping:
                await self._rest(await self._begin_page())
            for lane in self._lanes.values():
                lane.clear()

    async def settle_page(self) -> bool:
        """Settles one page of rows, in a circle. Returns whether to go on without a rest."""
        before = self._answers
        async with asyncio.TaskGroup() as self._group:
            seconds = await self._begin_page()
        return self._answers > before or not seconds

    async def _begin_page(self) -> float:
        """Begins to settle one page of rows, in a circle. Returns the seconds to rest before the next."""
        if self._is_back:
            self._is_back = False
            # One round from here, not from the front: else a wallet that comes and goes would starve later rows.
            self._eager_from, self._has_turned = self._last, False
            for lane in self._lanes.values():
                lane.share.try_soon()
        try:
            page = await self._journal.to_look_at(after=self._last, limit=PAGE_ROWS)
        except JournalUnavailable:
            return self._pace.tick_seconds
        eager = self._eager_from is not None
        began = sum(self._add(row, eager=eager) for _, row in page)
        self._last = page[-1][0] if len(page) == PAGE_ROWS else 0
        if eager:
            self._has_turned = self._has_turned or not self._last
            if self._has_turned and self._last >= (self._eager_from or 0):
                self._eager_from = None
        if self._eager_from is not None or (began and self._last):
            return 0.0
        return BETWEEN_PAGES_SECONDS if self._last else self._pace.tick_seconds

    def _add(self, row: Row, *, eager: bool) -> bool:
        """Adds a row to its lane if there is anything to do. Returns whether it is new there."""
        # The row's round is not known here, so the look decides.
        wanted = self._plan(row, Round(), now=self._journal.now(), eager=eager).action
        if wanted in {Action.NOTHING, Action.WAIT} and row.call is None:
            return False
        lane = self._lanes[_KINDS.get(wanted)]
        self._has_skipped = self._has_skipped or lane.is_full
        return lane.add(row, eager=eager)

    def _begin(self, row: Row, kind: Command | None, *, eager: bool) -> None:
        lane = self._lanes[kind]

        async def settle() -> None:
            try:
                await self.settle(row, eager=eager)
            finally:
                lane.ended(row)
            lane.share.gave_way(self._trouble_at())
            if not self._stopping:
                lane.go_on()
            if lane.is_dry and self._has_skipped:
                self._has_skipped = False
                self._news.set()

        assert self._group is not None  # noqa: S101 - rows come in pages, and those are looked at in a group
        self._group.create_task(settle())

    async def settle(self, row: Row, *, eager: bool = False) -> bool:
        """Takes the next step for `row` if its turn is free. Returns whether the wallet gave a definite answer."""
        key = row.trans_id
        if self._turns.is_taken(key) or not await self._turns.take(key, 0):
            return False
        try:
            # Taken before the look: after a slow look, nothing is sent at a time when another worker may have the turn.
            begun = self._clock()
            taken = await self._take(row, eager=eager)
            if taken is None:
                return False
            if taken.plan.action is Action.LEAVE:
                self._on_event("left to a person", {**_fields(row), "problem": taken.plan.reason})
            if taken.plan.action is Action.SETTLE:
                self._status_cache.forget(_cancel_of(row))
            if taken.plan.action not in SENDS:
                return False
            return await self._send(taken, begun)
        except JournalUnavailable:
            return False
        except Exception as error:  # noqa: BLE001 - one row must not keep the others from being settled
            await self._leave(row, f"a fault of the gateway: {error!r}")
            return False
        finally:
            self._turns.give_back(key)

    def _plan(self, row: Row, around: Round, *, now: float, eager: bool) -> Plan:
        return plan(row, around, self._times, self._switches, now=now, eager=eager, promises=self._promises)

    async def _take(self, row: Row, *, eager: bool) -> _Taken | None:
        seconds = self._pace.call_seconds

        def step(found: Found) -> Change[_Taken | None]:
            if found.row is None:
                return Change(None, takes_turn=False, value=None)
            chosen = self._plan(found.row, found.around, now=found.now, eager=eager)
            taken = take(found.row, chosen, now=found.now, seconds=seconds, around=found.around)
            return Change(
                taken if taken != found.row else None,
                takes_turn=chosen.action in SENDS,
                value=_Taken(chosen, taken) if chosen != NOTHING else None,
            )

        value = await self._journal.look(row.account, row.trans_id, step, seconds=seconds, needs_round=True)
        return None if isinstance(value, Busy) else value

    async def _leave(self, row: Row, problem: str) -> None:
        self._on_event("left to a person", {**_fields(row), "problem": problem})

        def step(found: Found) -> Change[None]:
            return Change(found.row and replace(found.row, for_human=problem), takes_turn=False, value=None)

        with suppress(JournalUnavailable):
            if isinstance(await self._journal.end(row.account, row.trans_id, step), Busy):
                # The step had not taken the turn yet.
                await self._journal.note(row.account, row.trans_id, step)

    async def _send(self, taken: _Taken, begun: float) -> bool:
        kind = _KINDS[taken.plan.action]
        share = self._lanes[kind].share
        deadline = begun + min(self._pace.call_seconds, self._pace.budgets.get(kind, self._pace.call_seconds))
        cancel = _cancel_of(taken.row)
        with self._status_cache.canceling(cancel):
            callback = self._callback(taken, cancel)
            came = await self._call(callback, deadline)
            verdict = await self._end(taken, callback, came, pause=share.pause)
        if isinstance(came, OutcomeUnknown):
            share.failed(begun)
            if verdict is not None and came.sent and _is_power_of_two(verdict.row.sends):
                # At growing intervals, so that a long outage is reported and does not fill the log.
                fields = {**_fields(verdict.row), "action": taken.plan.action.value, "sends": verdict.row.sends}
                self._on_event("still not settled", {**fields, "problem": came.reason})
            return False
        self._answers += 1
        share.answered()
        if verdict is not None:
            self._tell(taken, verdict)
        return True

    def _callback(self, taken: _Taken, cancel: Cancel) -> Win | Cancel | Status:
        match taken.plan.action:
            case Action.REDELIVER:
                return win_of(taken.row.request, (Check.NOT_PROCESSED,), sent_at=int(time.time()))
            case Action.ASK:
                return status_of(taken.row.request, (Check.TRANSACTION_EXISTS,))
            case _:
                return as_sent(taken.row, cancel, self._promises)

    async def _call(self, callback: Win | Cancel | Status, deadline: float) -> End:
        if self._clock() >= deadline:
            return OutcomeUnknown("the budget was used up before the wallet was called", sent=False)
        try:
            return await self._wallet.call(callback, deadline=deadline, trace=Trace())
        except OutcomeUnknown as unknown:
            return unknown

    async def _end(self, taken: _Taken, callback: Win | Cancel | Status, came: End, *, pause: float) -> Verdict | None:
        def step(found: Found) -> Change[Verdict | None]:
            if found.row is None:
                return Change(None, takes_turn=False, value=None)
            if isinstance(callback, Win):
                verdict = after_call.end_movement(found.row, came, now=found.now, for_provider=False)
            elif isinstance(callback, Status):
                verdict = asked.end_question(found.row, came, self._times, now=found.now)
            else:
                verdict = after_call.end_cancel(
                    found.row, came, self._promises, self._times, now=found.now, for_provider=False
                )
            row = after(verdict, taken.row, self._times, now=found.now, pause=pause)
            return Change(row, takes_turn=False, value=replace(verdict, row=row))

        value = await self._journal.end(callback.account, callback.trans_key, step)
        return None if isinstance(value, Busy) else value

    def _tell(self, taken: _Taken, verdict: Verdict) -> None:
        fields = {**_fields(verdict.row), "action": taken.plan.action.value, "result": verdict.row.result}
        if verdict.row.for_human:
            self._on_event("left to a person", {**fields, "problem": verdict.row.for_human})
        elif taken.row.rechecks_left and verdict.row.cancel is CancelState.DONE:
            self._on_event("a transaction landed after its cancel, and was cancelled now", fields)
        elif not verdict.row.is_open:
            self._on_event("settled", fields)

    async def _rest(self, seconds: float) -> None:
        if self._clock() - self._pruned_at >= self._pace.prune_every:
            self._pruned_at = self._clock()
            with suppress(JournalUnavailable):
                await self._journal.prune()
        if seconds:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), seconds)
            self._news.clear()


def _cancel_of(row: Row) -> Cancel:
    return cancel_of(row.request, (Check.TRANSACTION_EXISTS,), sent_at=int(time.time()))


def _is_power_of_two(number: int) -> bool:
    return number > 0 and number & (number - 1) == 0


def _fields(row: Row) -> dict[str, object]:
    return {"account": row.account, "trans_id": row.trans_id, "kind": row.kind, "amount": row.amount}

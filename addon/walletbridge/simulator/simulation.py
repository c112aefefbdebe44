"""
A run: reads the starting balances, lets the players play, compares the books, and makes the report.
"""

import asyncio
import itertools
import time
from collections.abc import Callable, Coroutine, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from random import Random

from walletbridge.simulator.books.transactions import Transaction
from walletbridge.simulator.plan import Plan
from walletbridge.simulator.play.accounts import CouldNotRun, ask_end, compare_end, read_start
from walletbridge.simulator.play.player import Player
from walletbridge.simulator.play.scenarios import SCENARIOS, Scenario
from walletbridge.simulator.report.cases import Case
from walletbridge.simulator.report.recorder import Recorder
from walletbridge.simulator.report.report import AccountLine, Report, TransactionLine
from walletbridge.simulator.wire.calls import text
from walletbridge.simulator.wire.client import Client

_FIRST_ID_MAX = 2**52
"""First ids are below this, so that all ids stay below 2**53: exact even where JSON numbers are doubles."""
_TRANSACTIONS_MAX = 100_000
_WEIGHTS = [scenario.weight for scenario in SCENARIOS]


@dataclass(frozen=True, slots=True)
class Progress:
    """The progress of a run."""

    share: float
    """0 to 1."""
    calls: int
    violations: int


async def run(plan: Plan, on_progress: Callable[[Progress], None] | None = None) -> Report:
    """
    Plays the provider by `plan` within `plan.duration` seconds. Calls `on_progress` after each scenario.

    Raises CouldNotRun if the simulator cannot judge anything.
    """
    async with Client(plan, time.monotonic) as client:
        try:
            return await _Run(plan, client, on_progress).run()
        except CouldNotRun as error:
            raise CouldNotRun(client.redact(str(error))) from None


class _Run:
    """The players of one run, and their results."""

    def __init__(self, plan: Plan, client: Client, on_progress: Callable[[Progress], None] | None) -> None:
        self._plan = plan
        self._client = client
        self._on_progress = on_progress
        self._recorder = Recorder(plan, client.redact)
        # The time is part of the seed, so that two runs against one wallet share no transaction.
        first_id = Random(f"{plan.seed}:{time.time_ns()}").randrange(_FIRST_ID_MAX)  # noqa: S311 - unique, not secret
        new_id = itertools.count(first_id).__next__
        self._players = [Player(account, plan, client, self._recorder, new_id=new_id) for account in plan.accounts]
        self._ready: list[Player] = []
        self._finished: set[str] = set()
        self._played = 0
        self._start = time.monotonic()

    @property
    def _seconds(self) -> float:
        return time.monotonic() - self._start

    async def run(self) -> Report:
        with suppress(TimeoutError):
            async with asyncio.timeout(self._plan.cut_at):
                self._ready = [player for player in self._players if await read_start(player)]
                await _all(self._play(player) for player in self._ready)
        with suppress(TimeoutError):
            async with asyncio.timeout(self._plan.duration - self._seconds):
                await _all(ask_end(player) for player in self._ready)
        lines = tuple(compare_end(player) for player in self._ready)
        self._recorder.conclude()
        return self._report(lines)

    async def _play(self, player: Player) -> None:
        for scenario in self._scenarios(player):
            if self._seconds > self._plan.play_until or len(player.transactions) > _TRANSACTIONS_MAX:
                return
            await player.settle_down()
            await scenario.play(player)
            self._finished.add(scenario.name)
            self._played += 1
            self._tell()

    def _scenarios(self, player: Player) -> Iterator[Scenario]:
        if self._plan.documented_cases:
            yield from self._documented()
        for _ in itertools.count() if self._plan.rounds is None else range(self._plan.rounds):
            yield from player.random.choices(SCENARIOS, _WEIGHTS)

    def _documented(self) -> list[Scenario]:
        with_inactive = self._plan.inactive_account is not None
        return [scenario for scenario in SCENARIOS if with_inactive or not scenario.needs_inactive_account]

    def _tell(self) -> None:
        if self._on_progress is None:
            return
        share = self._seconds / self._plan.duration
        if self._plan.rounds is not None:
            documented = len(self._documented()) if self._plan.documented_cases else 0
            share = max(share, self._played / len(self._ready) / (documented + self._plan.rounds))
        self._on_progress(Progress(min(share, 1.0), self._recorder.calls, self._recorder.violations_total))

    def _report(self, lines: tuple[AccountLine, ...]) -> Report:
        recorder, plan = self._recorder, self._plan
        wanted = [scenario.name for scenario in self._documented()] if plan.documented_cases else []
        not_tried = tuple(name for name in wanted if name not in self._finished)
        compared = len(lines) == len(self._players) and all(line.agrees is not None for line in lines)
        counts = {count.case: count.decided for count in recorder.cases}
        return Report(
            conforming=not recorder.violations_total,
            complete=compared and not not_tried,
            url=self._client.url,
            accounts=plan.accounts,
            seed=plan.seed,
            decimals=plan.decimals,
            time_scale=plan.time_scale,
            seconds=round(self._seconds, 3),
            calls=recorder.calls,
            cases=recorder.cases,
            not_tried=not_tried,
            violations_total=recorder.violations_total,
            violations=tuple(recorder.violations),
            broken_rules=recorder.broken_rules(),
            latencies=recorder.latencies(),
            ledger=lines,
            statuses_asked=counts.get(Case.FINAL_STATUS.title, 0),
            transactions=tuple(_line(one) for player in self._players for one in player.transactions),
        )


async def _all(tasks: Iterable[Coroutine[object, object, None]]) -> None:
    async with asyncio.TaskGroup() as group:
        for task in tasks:
            group.create_task(task)


def _line(transaction: Transaction) -> TransactionLine:
    call = transaction.call
    return TransactionLine(
        trans_id="" if call.trans_id is None else call.trans_id,
        account=call.account,
        kind=call.command,
        amount=Decimal(text(call.amount)),
        round_id=call.round_id,
        belief=transaction.belief,
        settled=transaction.settled,
        wallet_says=transaction.wallet_says,
    )

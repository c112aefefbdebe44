"""The gateway as it runs, in several workers on one journal, between a model of the wallet and one of the provider."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from tests.money.model.books import Kindness
from tests.money.model.loop import FakeTimeLoop
from tests.money.model.memory_journal import Disk, MemoryJournal
from tests.money.model.wallet import ModelWallet

from walletbridge.gateway.dispatch import Dispatch
from walletbridge.observe.trace import Trace
from walletbridge.protocol.callbacks import Bet, Callback, Command, Win
from walletbridge.protocol.errors import OutcomeUnknown
from walletbridge.protocol.outcomes import Outcome
from walletbridge.rules.decisions import Times
from walletbridge.rules.promises import Promises, Repeats
from walletbridge.rules.resolver_plan import Switches
from walletbridge.transactions.cancel_counter import Changes, buffer_bytes
from walletbridge.transactions.resolver import Pace, Resolver
from walletbridge.transactions.status_cache import StatusCache
from walletbridge.transactions.transactions import Transactions
from walletbridge.transactions.turns import Turns

WORKERS = 2
LIMITS = {command: 2.0 if command in {Command.BET, Command.BALANCE} else 4.0 for command in Command}
"""How long the provider waits. PROTOCOL: Time limits."""
MARGIN = 0.25
TIMES = Times(settle_after=8, abandon_after=20, redeliver_for=86400, recheck_after=(30, 60), give_up_after=100)
PACE = Pace(call_seconds=1, calls_max=4, tick_seconds=4, pause_seconds=0.5, pause_seconds_max=5, prune_every=1_000_000)
WAY_SECONDS = 0.002
"""From the gateway to the provider. In it the gateway may die."""


class Worker:
    """A gateway process, from its start to its death."""

    def __init__(self, world: "World", place: int, name: str) -> None:
        self._world = world
        self._name = name
        self._journal = MemoryJournal(world.disk, name)
        turns, clock = Turns(), world.loop.time
        changes = Changes(world.changes, worker=place, workers=WORKERS)
        cache = StatusCache(size=100, ok_seconds=5, canceled_seconds=3600, clock=clock, changes=changes)
        kindness = world.wallet.kindness
        repeats = Repeats.REPORTED if kindness.reports_repeats else Repeats.REPLAYED
        promises = Promises(late_bets_refused=kindness.remembers_cancels, repeats=repeats)
        self._transactions = Transactions(
            world.wallet,
            self._journal,
            turns,
            cache,
            promises=promises,
            times=TIMES,
            clock=clock,
            on_event=world.on_event,
        )
        self.resolver = Resolver(
            world.wallet,
            self._journal,
            turns,
            cache,
            promises=promises,
            times=TIMES,
            switches=Switches(),
            pace=PACE,
            clock=clock,
            on_event=world.on_event,
        )
        budgets = {command: seconds - MARGIN for command, seconds in LIMITS.items()}
        self._dispatch = Dispatch(world.wallet, self._transactions, cache, budgets=budgets, clock=clock)
        self._tasks: set[asyncio.Task[None]] = set()
        self._start(self.resolver.run())

    def receive(self, callback: Callback) -> asyncio.Future[Outcome | None]:
        """What the provider waits for: an outcome, or None for HTTP 500. Who cancels it has stopped waiting."""
        heard: asyncio.Future[Outcome | None] = self._world.loop.create_future()
        self._start(self._serve(callback, heard))
        return heard

    def die(self) -> None:
        """Without a word: what is not on disk by now is lost."""
        self._journal.is_dead = True
        self._world.disk.dead.add(self._name)
        for task in self._tasks:
            task.cancel()

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = self._world.loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, callback: Callback, heard: asyncio.Future[Outcome | None]) -> None:
        outcome: Outcome | None
        try:
            outcome = await self._dispatch.outcome(callback, received_at=self._world.loop.time(), trace=Trace())
        except OutcomeUnknown:
            outcome = None
        await asyncio.sleep(WAY_SECONDS)
        is_there = not heard.done()
        if is_there:
            heard.set_result(outcome)
        await asyncio.sleep(WAY_SECONDS)
        if isinstance(callback, Bet | Win) and outcome is not None:
            self._transactions.delivered(callback, sent=is_there or not self._world.leaving_is_seen)


class World:
    """Everything, on a loop of its own."""

    def __init__(self, kindness: Kindness, *, leaving_is_seen: bool = True) -> None:
        """`leaving_is_seen`: the gateway notices that the provider has closed the connection."""
        self.loop = FakeTimeLoop()
        asyncio.set_event_loop(self.loop)
        self.leaving_is_seen = leaving_is_seen
        self.disk = Disk(self.loop.time, seconds=0.001)
        self.wallet = ModelWallet(kindness, self.loop.time)
        self.changes = bytearray(buffer_bytes(WORKERS))
        self.events: list[str] = []
        self._workers: dict[int, Worker] = {}
        self._starts = 0
        self._turn = 0

    def on_event(self, event: str, _: object) -> None:
        self.events.append(event)

    def start(self, place: int) -> None:
        """Starts the worker of that place, if there is none."""
        if place not in self._workers:
            self._starts += 1
            self._workers[place] = self.run(self._make(place, f"worker {self._starts}"))

    async def _make(self, place: int, name: str) -> Worker:
        return Worker(self, place, name)

    def crash(self, place: int) -> None:
        """Kills the worker of that place, if there is one."""
        worker = self._workers.pop(place, None)
        if worker is not None:
            worker.die()

    def connect(self) -> None:
        """The wallet is there again."""
        self.wallet.is_away = False
        for worker in self._workers.values():
            worker.resolver.wallet_is_back()

    def worker(self) -> Worker | None:
        """One after the other, as a load balancer does."""
        self._turn += 1
        places = sorted(self._workers)
        return self._workers[places[self._turn % len(places)]] if places else None

    def run[T](self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(work)

    def pass_time(self, seconds: float) -> None:
        self.run(asyncio.sleep(seconds))

    def close(self) -> None:
        for place in range(WORKERS):
            self.crash(place)
        tasks = asyncio.all_tasks(self.loop)
        for task in tasks:
            task.cancel()
        self.run(_ended(tasks))
        asyncio.set_event_loop(None)
        self.loop.close()


async def _ended(tasks: set[asyncio.Task[Any]]) -> None:
    await asyncio.gather(*tasks, return_exceptions=True)

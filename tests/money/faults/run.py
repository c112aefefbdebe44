"""
One run: traffic under faults, then quiet until the journal has settled, then the comparison of the books.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests.money.faults import ledgers
from tests.money.faults.blows import Event
from tests.money.faults.books import Books, Entry, Verdict, compare
from tests.money.faults.cores import Cores
from tests.money.faults.files import JOURNAL
from tests.money.faults.goodput import until_good
from tests.money.faults.heard import Span
from tests.money.faults.plan import LATE_SECONDS_MAX, SCALE, Plan
from tests.money.faults.players import ACCOUNTS, NOBODY, play
from tests.money.faults.provider import Conduct, Provider
from tests.money.faults.suffering import suffer
from tests.money.faults.system import System
from tests.money.faults.traces import write_trace
from tests.support.waiting import until

from walletbridge.journal.clock import journal_clock
from walletbridge.journal.port import Change, Found
from walletbridge.journal.store import Store
from walletbridge.rules.row import Row

SETTLE_SECONDS = 120.0
"""
Within which the journal must have settled: `abandon_after`, the rechecks, refusals, and above all a machine so busy
that hardly a call ends in time.
"""
RECOVER_SECONDS = 10.0
"""Within which bets must be answered as usual without faults, while processes have a core. Never scaled."""
TRAFFIC_SECONDS = 600.0
"""A run that takes longer than this is stuck."""
LOOK_SECONDS = 0.1
"""Between two looks into the journal, which others write meanwhile."""
_ROWS_MAX = 100_000


@dataclass(slots=True)
class Result:
    """What came of a run."""

    plan: Plan
    folder: Path
    verdict: Verdict = field(default_factory=Verdict)
    calls: int = 0
    failures: Counter[str] = field(default_factory=Counter)
    """Callbacks without a definite answer, by what came instead; `500` among them."""
    late: int = 0
    """Answers that a gateway gave after the provider's limit."""
    blows: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    """What nobody should have said or done."""
    settled_after: float = 0.0
    """Seconds from the last callback until the journal was at rest."""
    recovered_after: float = 0.0
    """Seconds from the end of all faults until bets were answered as usual."""
    starved: float = 0.0
    """For how many of them one of the processes wanted to run and had no core."""
    seconds: float = 0.0

    @property
    def is_right(self) -> bool:
        """Whether there is no difference."""
        return not self.verdict.differences and not self.wrong


async def run(plan: Plan, folder: Path, *, recover_seconds: float = RECOVER_SECONDS) -> Result:
    """
    Makes one run; all that it leaves behind is in `folder`. Within so many seconds of the last fault bets must be
    answered as before.
    """
    started = time.monotonic()
    async with System(plan, folder) as system:
        conduct = Conduct(
            url=system.url,
            seed=plan.seed,
            voids_rounds=plan.has_rollback_rounds,
            scale=plan.scale,
        )
        provider = Provider(conduct, folder / "provider.log")
        async with (
            asyncio.timeout(TRAFFIC_SECONDS),
            asyncio.TaskGroup() as blows,
            provider,
            asyncio.TaskGroup() as players,
        ):
            blows.create_task(_storm(system, provider, plan.events))
            for account in (*ACCOUNTS, NOBODY):
                players.create_task(play(provider, account, plan, lambda: system.is_reachable))
        await system.calm()
        cores = Cores(system.pids)
        async with provider:
            recovered_after = await until_good(provider)
        starved = cores.waited()
        result = await conclude(system, provider)
    result.recovered_after, result.starved = recovered_after, starved
    if recovered_after - starved > recover_seconds:
        result.wrong.append(
            f"bets were answered as before only {recovered_after:.1f} s after the last fault, "
            f"of which {starved:.1f} s without a core"
        )
    result.seconds = time.monotonic() - started
    return result


async def conclude(system: System, provider: Provider) -> Result:
    """Waits until all is at rest, ends the gateways, and compares the books."""
    quiet_since = time.monotonic()
    await until_at_rest(system.folder, seconds=SETTLE_SECONDS * max(1.0, SCALE / system.plan.scale))
    settled_after = time.monotonic() - quiet_since
    # A wallet may still be at work on a call that nobody waits for.
    await asyncio.sleep(max(0.0, LATE_SECONDS_MAX / system.plan.scale - settled_after))
    await system.stop_gateways()
    entries, wrong = ledgers.read(system.plan, system.folder)
    verdict = compare(_books(system, provider, entries))
    verdict.differences += wrong
    result = Result(
        plan=system.plan,
        folder=system.folder,
        verdict=verdict,
        calls=provider.calls.total(),
        failures=provider.failures,
        late=system.logs.late,
        blows=system.kills,
        wrong=[*provider.wrong, *system.wrong, *system.logs.wrong],
        settled_after=settled_after,
    )
    for key in {key for key, _ in verdict.differences}:
        write_trace(system.folder, key)
    return result


async def _storm(system: System, provider: Provider, events: tuple[Event, ...]) -> None:
    async with asyncio.TaskGroup() as group:
        for event in events:
            await until(_reached(provider, min(event.at_call, system.plan.callbacks)), seconds=TRAFFIC_SECONDS)
            group.create_task(suffer(system, event))


def _reached(provider: Provider, calls: int) -> Callable[[], bool]:
    return lambda: provider.arrived >= calls


async def until_at_rest(folder: Path, *, seconds: float) -> None:
    """Waits until nothing is left to settle but by a person, at most so long."""
    with opened(folder) as store, suppress(TimeoutError):
        await until(lambda: is_at_rest(store), seconds=seconds, every=LOOK_SECONDS)


def is_at_rest(store: Store) -> bool:
    """Whether only a person has anything left to do."""
    return all(one.row.for_human for one in store.numbered(limit=_ROWS_MAX))


@contextmanager
def opened(folder: Path) -> Iterator[Store]:
    """The journal, as one more process that shares it."""
    store = Store(folder / JOURNAL, "fault bench 0 0 0", journal_clock())
    try:
        yield store
    finally:
        store.close()


def row_of(store: Store, account: str, key: str) -> Row | None:
    """The journal's row of a transaction."""

    def step(found: Found) -> Change[Row | None]:
        return Change(None, takes_turn=False, value=found.row)

    with store.transaction():
        return store.note(account, key, step)


def _books(system: System, provider: Provider, entries: dict[str, Entry]) -> Books:
    with opened(system.folder) as store:
        rows = {key: row_of(store, one.account, key) for key, one in provider.transactions.items()}
    ledgers.note_empty_cancels(system.plan, entries, rows)
    return Books(
        transactions=provider.transactions,
        entries=entries,
        rows=rows,
        heard=system.logs.heard,
        times=replace(system.logs.times, no_file=[Span(*unsaved) for unsaved in system.losses.unsaved]),
        made_after_refusal=system.refusals.made_after,
        remembers_cancels=system.plan.remembers_cancels,
        wallet_never_refuses=not system.plan.example,
        losses=system.losses,
        decided=system.decided,
    )

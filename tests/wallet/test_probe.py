"""Questions to a wallet that does not answer, until it does."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.helpers.fake_wallet import OK, FakeWallet, Held, Step
from tests.helpers.waiting import until

from walletbridge.callbacks import Balance, Callback
from walletbridge.errors import OutcomeUnknown
from walletbridge.outcomes import Outcome
from walletbridge.trace import Trace
from walletbridge.wallet.breaker import Breaker, Limits
from walletbridge.wallet.probe import NOBODY, Probe

NEVER = 3600.0
SILENT = OutcomeUnknown("the wallet did not answer", sent=True)


class Bench:
    """A probe of a scripted wallet, and the breaker that it may close."""

    def __init__(self, *steps: Step, every: float) -> None:
        self.breaker = Breaker(Limits(failures=1, patience=0, away_seconds=1), clock=time.monotonic)
        self.wallet = FakeWallet(*steps)
        self.probe = Probe(self, self.breaker, every=every, seconds=5, clock=time.monotonic)

    async def call(self, callback: Callback, *, deadline: float, trace: Trace) -> Outcome:
        """See `Wallet.call`."""
        outcome = await self.wallet.call(callback, deadline=deadline, trace=trace)
        self.breaker.answered()
        return outcome

    def open(self) -> None:
        self.breaker.broke()
        self.probe.wake()

    async def until_asked(self, times: int) -> None:
        await until(lambda: len(self.wallet.calls) >= times)


@asynccontextmanager
async def bench_of(*steps: Step, every: float) -> AsyncIterator[Bench]:
    bench = Bench(*steps, every=every)
    try:
        yield bench
    finally:
        await bench.probe.stop()


async def test_a_wallet_that_answers_is_not_asked() -> None:
    async with bench_of(every=0.001) as bench:
        bench.probe.wake()
        await asyncio.sleep(0.05)

        assert bench.wallet.calls == []


async def test_one_that_does_not_is_asked_for_the_balance_of_nobody() -> None:
    async with bench_of(every=NEVER) as bench:
        before = time.monotonic()
        bench.open()
        await bench.until_asked(1)

        [call] = bench.wallet.calls
        assert call.callback == Balance(account=NOBODY, checks=(21,), requested_at=None)
        assert before + 5 <= call.deadline <= time.monotonic() + 5


async def test_an_answer_closes_the_breaker_and_ends_the_questions() -> None:
    async with bench_of(every=0.001) as bench:
        bench.open()
        await until(lambda: not bench.breaker.is_open)
        await asyncio.sleep(0.05)

        assert len(bench.wallet.calls) == 1


async def test_it_is_asked_until_it_answers_and_again_when_it_falls_silent_again() -> None:
    async with bench_of(SILENT, SILENT, OK, SILENT, OK, every=0.001) as bench:
        bench.open()
        await until(lambda: not bench.breaker.is_open)
        assert len(bench.wallet.calls) == 3

        bench.open()
        await until(lambda: not bench.breaker.is_open)
        assert len(bench.wallet.calls) == 5


async def test_a_question_without_an_answer_holds_up_no_other() -> None:
    held = Held()
    async with bench_of(held, every=0.001) as bench:
        bench.open()
        await bench.until_asked(3)
        assert bench.breaker.is_open

        held.release()
        await until(lambda: not bench.breaker.is_open)


async def test_who_has_hope_need_not_wait_for_the_next_time() -> None:
    async with bench_of(SILENT, every=NEVER) as bench:
        bench.open()
        await bench.until_asked(1)
        bench.probe.wake()
        await bench.until_asked(2)


async def test_stopped_it_asks_no_more() -> None:
    held = Held()
    async with bench_of(held, every=0.001) as bench:
        bench.open()
        await bench.until_asked(1)
        await bench.probe.stop()
        asked = len(bench.wallet.calls)
        await asyncio.sleep(0.05)

        assert len(bench.wallet.calls) == asked

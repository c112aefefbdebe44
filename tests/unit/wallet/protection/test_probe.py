"""Questions to a wallet that does not answer, until it does."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.support.fake_wallet import OK, FakeWallet, Held, Step
from tests.support.waiting import until

from walletbridge.observe.trace import Trace
from walletbridge.protocol.callbacks import Balance, Callback, Command
from walletbridge.protocol.errors import OutcomeUnknown
from walletbridge.protocol.outcomes import Outcome
from walletbridge.wallet.protection.breaker import Breaker, Limits
from walletbridge.wallet.protection.probe import NOBODY, PROBES_MAX, Probe

NEVER = 3600.0
SILENT = OutcomeUnknown("the wallet did not answer", sent=True)


class Bench:
    """A probe of a scripted wallet, and the breaker that it may close."""

    def __init__(self, *steps: Step, every: float, renew_after: float = 0) -> None:
        self.renewed = 0
        self.breaker = Breaker(Limits(failures=1, patience=0, away_seconds=1), clock=time.monotonic)
        self.wallet = FakeWallet(*steps)
        self.probe = Probe(
            self,
            self.breaker,
            every=every,
            seconds=5,
            clock=time.monotonic,
            renew_after=renew_after,
            renew=self._renew,
        )

    async def call(self, callback: Callback, *, deadline: float, trace: Trace) -> Outcome:
        """See `Wallet.call`."""
        outcome = await self.wallet.call(callback, deadline=deadline, trace=trace)
        self.breaker.answered(callback.command)
        return outcome

    def _renew(self) -> None:
        self.renewed += 1

    def open(self) -> None:
        self.breaker.broke(Command.BET)
        self.breaker.broke(Command.WIN)
        self.probe.begin()

    async def until_asked(self, times: int) -> None:
        await until(lambda: len(self.wallet.calls) >= times)


@asynccontextmanager
async def bench_of(*steps: Step, every: float, renew_after: float = 0) -> AsyncIterator[Bench]:
    bench = Bench(*steps, every=every, renew_after=renew_after)
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


async def test_the_first_call_without_an_answer_is_reason_enough_to_ask() -> None:
    async with bench_of(every=NEVER) as bench:
        bench.breaker.broke(Command.BET)
        bench.probe.begin()
        await until(lambda: not bench.breaker.wants_probe)

        assert len(bench.wallet.calls) == 1


async def test_calls_that_fail_meanwhile_bring_no_more_questions() -> None:
    held = Held()
    async with bench_of(held, every=NEVER) as bench:
        bench.open()
        await bench.until_asked(1)
        for _ in range(20):
            bench.open()
            await asyncio.sleep(0)

        assert len(bench.wallet.calls) == 1


async def test_questions_without_an_answer_are_bounded() -> None:
    held = Held()
    async with bench_of(held, every=0.0001) as bench:
        bench.open()
        await bench.until_asked(PROBES_MAX)
        await asyncio.sleep(0.02)

        assert len(bench.wallet.calls) == PROBES_MAX


async def test_after_a_while_without_an_answer_the_connection_is_made_anew_and_then_more_seldom() -> None:
    held = Held()
    async with bench_of(held, every=0.005, renew_after=0.02) as bench:
        begun = time.monotonic()
        bench.open()
        await until(lambda: bench.renewed == 3)
        assert time.monotonic() - begun >= 0.02 * 4

        held.release()
        await until(lambda: not bench.breaker.wants_probe)


async def test_an_answer_in_time_leaves_the_connection_alone() -> None:
    async with bench_of(every=0.001, renew_after=5) as bench:
        bench.open()
        await until(lambda: not bench.breaker.is_open)

        assert bench.renewed == 0

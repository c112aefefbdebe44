"""A callback's budget, the status cache, the one wallet call."""

import asyncio
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from tests.helpers.callbacks import body, make_callback
from tests.helpers.clock import FakeClock
from tests.helpers.fake_wallet import OK, FakeWallet, Held, Step

from walletbridge.callbacks import Callback, Command, decode
from walletbridge.dispatch import Dispatch
from walletbridge.errors import OutcomeUnknown
from walletbridge.journal.rules import Promises, Times
from walletbridge.journal.sqlite import SqliteJournal
from walletbridge.outcomes import Outcome, Result, TransactionState
from walletbridge.status_cache import StatusCache
from walletbridge.trace import CacheUse, Trace
from walletbridge.transactions import Transactions
from walletbridge.turns import Turns

BUDGETS = {command: 1.5 + number for number, command in enumerate(Command)}
PROCESSED = Outcome(Result.OK, 400000, TransactionState.OK)
ANOTHER = {command: {"trans_id": 2} for command in (Command.BET, Command.WIN, Command.CANCEL, Command.STATUS)}
"""Makes another transaction of a callback: what nothing but 500 went out for is not sent again."""
TIMES = Times(settle_after=10, abandon_after=60, redeliver_for=86400, recheck_after=(60,), tries_max=5)
CANCELED = Outcome(Result.OK, 400000, TransactionState.CANCELED)


def callback(command: str, **overrides: Any) -> Callback:
    return decode(body(make_callback(command, **overrides)), currency_decimals=2)


type Make = Callable[..., Bench]


class Bench:
    """A dispatch with a scripted wallet behind it."""

    def __init__(self, journal: SqliteJournal, *steps: Step) -> None:
        self.clock = FakeClock()
        self.wallet = FakeWallet(*steps)
        self.cache = StatusCache(size=100, ok_seconds=5, canceled_seconds=3600, clock=self.clock)
        transactions = Transactions(
            self.wallet,
            journal,
            Turns(),
            self.cache,
            promises=Promises(late_bets_refused=True),
            times=TIMES,
            clock=self.clock,
            on_event=lambda _, __: None,
        )
        self._dispatch = Dispatch(self.wallet, transactions, self.cache, budgets=BUDGETS, clock=self.clock)

    async def send(self, command: str, *, passed: float = 0.0, **overrides: Any) -> tuple[Outcome, Trace]:
        """Dispatches a callback that came in `passed` seconds ago."""
        trace = Trace()
        received_at = self.clock() - passed
        outcome = await self._dispatch.outcome(callback(command, **overrides), received_at=received_at, trace=trace)
        return outcome, trace

    @property
    def commands(self) -> list[str]:
        """What reached the wallet."""
        return [call.callback.command.value for call in self.wallet.calls]


@pytest_asyncio.fixture
async def make_bench(tmp_path: Path) -> AsyncIterator[Callable[..., Bench]]:
    """Makes benches whose journal is a file of the test's own."""
    journal = SqliteJournal(tmp_path / "journal.db", keep_days=1, waiting_max=100, on_problem=lambda _: None)
    yield partial(Bench, journal)
    await journal.close()


@pytest.mark.parametrize("command", Command)
async def test_a_callback_makes_one_wallet_call_and_brings_back_its_outcome(make_bench: Make, command: Command) -> None:
    bench = make_bench(PROCESSED)
    outcome, _ = await bench.send(command)

    assert outcome == PROCESSED
    assert [call.callback for call in bench.wallet.calls] == [callback(command)]


@pytest.mark.parametrize("command", Command)
async def test_the_budget_runs_from_the_arrival(make_bench: Make, command: Command) -> None:
    bench = make_bench(PROCESSED)
    await bench.send(command, passed=1)

    assert bench.wallet.calls[0].deadline == bench.clock() - 1 + BUDGETS[command]


@pytest.mark.parametrize("command", Command)
async def test_without_a_budget_left_nothing_is_sent(make_bench: Make, command: Command) -> None:
    """At the deadline itself there is nothing left; a moment before there is."""
    bench = make_bench(PROCESSED)
    with pytest.raises(OutcomeUnknown, match="the budget was used up") as caught:
        await bench.send(command, passed=BUDGETS[command])
    assert caught.value.sent is False
    assert bench.commands == []

    await bench.send(command, passed=BUDGETS[command] - 0.125, **ANOTHER.get(command, {}))
    assert bench.commands == [command]


@pytest.mark.parametrize("sent", [True, False])
@pytest.mark.parametrize("command", Command)
async def test_an_unknown_outcome_is_passed_on_as_it_is(make_bench: Make, command: Command, *, sent: bool) -> None:
    bench = make_bench(OutcomeUnknown("away", sent=sent))
    with pytest.raises(OutcomeUnknown, match=r"^away$") as caught:
        await bench.send(command)

    assert caught.value.sent is sent
    assert bench.commands == [command]


@pytest.mark.parametrize("command", ["win", "cancel"])
async def test_a_repeated_win_or_cancel_goes_to_the_wallet_each_time(make_bench: Make, command: str) -> None:
    """Only the wallet knows that it is a repeat."""
    bench = make_bench(OK)
    for _ in range(3):
        await bench.send(command)

    assert bench.commands == [command] * 3


async def test_a_second_status_is_answered_from_the_cache(make_bench: Make) -> None:
    bench = make_bench(PROCESSED)
    _, first = await bench.send("status")
    outcome, second = await bench.send("status")

    assert (outcome.result, outcome.state) == (Result.OK, TransactionState.OK)
    assert (first.cache, second.cache) == (CacheUse.MISS, CacheUse.HIT)
    assert (second.tries, second.wallet_method) == (0, "")
    assert bench.commands == ["status"]


async def test_a_status_from_the_cache_needs_a_budget_as_well(make_bench: Make) -> None:
    """Its answer would come too late all the same."""
    bench = make_bench(PROCESSED)
    await bench.send("status")

    with pytest.raises(OutcomeUnknown):
        await bench.send("status", passed=BUDGETS[Command.STATUS])


@pytest.mark.parametrize("command", [command for command in Command if command is not Command.STATUS])
async def test_the_cache_is_for_status_alone(make_bench: Make, command: Command) -> None:
    bench = make_bench(PROCESSED)
    for overrides in ({}, ANOTHER.get(command, {})):
        _, trace = await bench.send(command, **overrides)
        assert trace.cache is None

    assert len(bench.cache) == 0
    assert len(bench.commands) == 2


async def test_a_cancel_between_two_questions_is_seen_by_the_second(make_bench: Make) -> None:
    bench = make_bench(PROCESSED, OK, CANCELED)
    await bench.send("status")
    await bench.send("cancel")
    outcome, trace = await bench.send("status")

    assert (outcome, trace.cache) == (CANCELED, CacheUse.MISS)


async def test_a_status_waits_for_the_cancel_of_its_transaction(make_bench: Make) -> None:
    held = Held()
    bench = make_bench(PROCESSED, held, CANCELED)
    await bench.send("status")
    cancel = asyncio.ensure_future(bench.send("cancel"))
    await held.arrived.wait()
    assert len(bench.cache) == 0

    status = asyncio.ensure_future(bench.send("status"))
    held.release()
    await cancel

    assert (await status)[0] == CANCELED


async def test_equal_questions_at_once_make_one_call(make_bench: Make) -> None:
    held = Held()
    bench = make_bench(held)
    asked = [asyncio.ensure_future(bench.send("status")) for _ in range(10)]
    await held.arrived.wait()
    held.release(PROCESSED)
    answers = await asyncio.gather(*asked)

    assert {outcome for outcome, _ in answers} == {PROCESSED}
    assert [trace.cache for _, trace in answers] == [CacheUse.MISS] + [CacheUse.JOINED] * 9
    assert [trace.tries for _, trace in answers] == [1] + [0] * 9
    assert bench.commands == ["status"]

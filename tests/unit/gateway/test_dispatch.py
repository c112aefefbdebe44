"""Which budget a callback has, and who takes it to the wallet."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.support.callbacks import body, make_callback
from tests.support.clock import FakeClock
from tests.support.fake_wallet import OK, FakeWallet, Held, Step

from walletbridge.gateway.dispatch import Dispatch
from walletbridge.journal.port import Change, Found
from walletbridge.journal.sqlite import SqliteJournal
from walletbridge.observe.trace import CacheUse, Trace
from walletbridge.protocol.callbacks import Callback, Command, decode
from walletbridge.protocol.errors import OutcomeUnknown
from walletbridge.protocol.outcomes import Outcome, Result, TransactionState
from walletbridge.rules.decisions import Times
from walletbridge.rules.promises import Promises
from walletbridge.rules.row import Row
from walletbridge.transactions import journalled
from walletbridge.transactions.status_cache import StatusCache
from walletbridge.transactions.transactions import Transactions
from walletbridge.transactions.turns import Turns

BUDGETS = {command: 1.5 + number for number, command in enumerate(Command)}
TIMES = Times(settle_after=10, abandon_after=60, redeliver_for=86400, recheck_after=(60,), give_up_after=300)
PROCESSED = Outcome(Result.OK, 400000, TransactionState.OK)
CANCELED = Outcome(Result.OK, 400000, TransactionState.CANCELED)
CHANGING = [Command.BET, Command.WIN, Command.CANCEL]
READING = [command for command in Command if command not in CHANGING]


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that is busy with something else is no subject here."""
    monkeypatch.setattr(journalled, "END_SECONDS", 30)


def callback(command: str, **overrides: Any) -> Callback:
    return decode(body(make_callback(command, **overrides)), currency_decimals=2)


class Bench:
    """A dispatch between a journal on disk and a scripted wallet."""

    def __init__(self, folder: Path, *steps: Step) -> None:
        self.events: list[str] = []
        """What a person should look into, or what was wrong with the journal."""
        self.clock = FakeClock()
        self.wallet = FakeWallet(*steps)
        self.cache = StatusCache(size=100, ok_seconds=5, canceled_seconds=3600, clock=self.clock)
        self.journal = SqliteJournal(
            folder / "journal.db", keep_days=30, waiting_max=1000, on_problem=self.events.append
        )
        of_transactions = Transactions(
            self.wallet,
            self.journal,
            Turns(),
            self.cache,
            promises=Promises(late_bets_refused=True),
            times=TIMES,
            clock=self.clock,
            on_event=self._on_event,
        )
        self._dispatch = Dispatch(self.wallet, of_transactions, self.cache, budgets=BUDGETS, clock=self.clock)

    def _on_event(self, event: str, fields: Mapping[str, object]) -> None:
        assert fields["account"] == "test1234"
        self.events.append(event)

    async def send(self, command: str, *, passed: float = 0.0, **overrides: Any) -> tuple[Outcome, Trace]:
        """Dispatches a callback that came in `passed` seconds ago."""
        trace = Trace()
        received_at = self.clock() - passed
        outcome = await self._dispatch.outcome(callback(command, **overrides), received_at=received_at, trace=trace)
        return outcome, trace

    async def row(self) -> Row | None:
        """What the journal says of the callbacks' transaction."""

        def look(found: Found) -> Change[Row | None]:
            return Change(None, takes_turn=False, value=found.row)

        row = await self.journal.look("test1234", "1676358190", look, seconds=1)
        assert row is None or isinstance(row, Row)
        return row

    @property
    def commands(self) -> list[str]:
        """What reached the wallet."""
        return [call.callback.command.value for call in self.wallet.calls]


@asynccontextmanager
async def bench_in(folder: Path, *steps: Step) -> AsyncIterator[Bench]:
    bench = Bench(folder, *steps)
    try:
        yield bench
    finally:
        await bench.journal.close()
        assert bench.events == []


@pytest.mark.parametrize("command", Command)
async def test_a_callback_makes_one_wallet_call_and_brings_back_its_outcome(tmp_path: Path, command: Command) -> None:
    outcome = PROCESSED if command is Command.STATUS else OK
    async with bench_in(tmp_path, outcome) as bench:
        assert (await bench.send(command))[0] == outcome
        assert [call.callback for call in bench.wallet.calls] == [callback(command)]


@pytest.mark.parametrize("command", Command)
async def test_the_budget_runs_from_the_arrival(tmp_path: Path, command: Command) -> None:
    async with bench_in(tmp_path, PROCESSED) as bench:
        await bench.send(command, passed=1)

        assert bench.wallet.calls[0].deadline == bench.clock() - 1 + BUDGETS[command]


@pytest.mark.parametrize("command", Command)
async def test_without_a_budget_left_nothing_is_sent(tmp_path: Path, command: Command) -> None:
    """At the deadline itself there is nothing left."""
    async with bench_in(tmp_path, PROCESSED) as bench:
        with pytest.raises(OutcomeUnknown) as caught:
            await bench.send(command, passed=BUDGETS[command])

        assert caught.value.sent is False
        assert bench.commands == []


@pytest.mark.parametrize("command", Command)
async def test_a_moment_before_the_deadline_there_is_still_a_budget(tmp_path: Path, command: Command) -> None:
    async with bench_in(tmp_path, PROCESSED) as bench:
        await bench.send(command, passed=BUDGETS[command] - 0.125)

        assert bench.commands == [command]


@pytest.mark.parametrize("command", CHANGING)
async def test_what_moves_money_has_its_row_though_nothing_was_sent(tmp_path: Path, command: Command) -> None:
    async with bench_in(tmp_path) as bench:
        with pytest.raises(OutcomeUnknown):
            await bench.send(command, passed=BUDGETS[command])

        assert await bench.row() is not None


@pytest.mark.parametrize("command", READING)
async def test_a_question_leaves_no_row(tmp_path: Path, command: Command) -> None:
    async with bench_in(tmp_path, PROCESSED) as bench:
        await bench.send(command)

        assert await bench.row() is None


@pytest.mark.parametrize("sent", [True, False])
@pytest.mark.parametrize("command", Command)
async def test_an_unknown_outcome_is_passed_on_as_it_is(tmp_path: Path, command: Command, *, sent: bool) -> None:
    async with bench_in(tmp_path, OutcomeUnknown("away", sent=sent)) as bench:
        with pytest.raises(OutcomeUnknown, match=r"^away$") as caught:
            await bench.send(command)

        assert caught.value.sent is sent
        assert bench.commands == [command]


async def test_a_second_status_is_answered_from_the_cache(tmp_path: Path) -> None:
    async with bench_in(tmp_path, PROCESSED) as bench:
        _, first = await bench.send("status")
        outcome, second = await bench.send("status")

        assert (outcome.result, outcome.state) == (Result.OK, TransactionState.OK)
        assert (first.cache, second.cache) == (CacheUse.MISS, CacheUse.HIT)
        assert (second.tries, second.wallet_method) == (0, "")
        assert bench.commands == ["status"]


async def test_a_status_from_the_cache_needs_a_budget_as_well(tmp_path: Path) -> None:
    """Its answer would come too late all the same."""
    async with bench_in(tmp_path, PROCESSED) as bench:
        await bench.send("status")

        with pytest.raises(OutcomeUnknown):
            await bench.send("status", passed=BUDGETS[Command.STATUS])


@pytest.mark.parametrize("command", [command for command in Command if command is not Command.STATUS])
async def test_the_cache_is_for_status_alone(tmp_path: Path, command: Command) -> None:
    async with bench_in(tmp_path, PROCESSED) as bench:
        _, trace = await bench.send(command)

        assert trace.cache is None
        assert len(bench.cache) == 0


async def test_a_cancel_between_two_questions_is_seen_by_the_second(tmp_path: Path) -> None:
    async with bench_in(tmp_path, PROCESSED, OK, CANCELED) as bench:
        await bench.send("status")
        await bench.send("cancel")
        outcome, trace = await bench.send("status")

        assert (outcome, trace.cache) == (CANCELED, CacheUse.MISS)


async def test_the_fact_is_dropped_before_the_wallet_is_called(tmp_path: Path) -> None:
    held = Held()
    async with bench_in(tmp_path, PROCESSED, held) as bench:
        await bench.send("status")
        cancel = asyncio.ensure_future(bench.send("cancel"))
        await held.arrived.wait()

        assert len(bench.cache) == 0
        held.release()
        await cancel


async def test_equal_questions_at_once_make_one_call(tmp_path: Path) -> None:
    held = Held()
    async with bench_in(tmp_path, held) as bench:
        asked = [asyncio.ensure_future(bench.send("status")) for _ in range(10)]
        await held.arrived.wait()
        held.release(PROCESSED)
        answers = await asyncio.gather(*asked)

        assert {outcome for outcome, _ in answers} == {PROCESSED}
        assert [trace.cache for _, trace in answers] == [CacheUse.MISS] + [CacheUse.JOINED] * 9
        assert [trace.tries for _, trace in answers] == [1] + [0] * 9
        assert bench.commands == ["status"]

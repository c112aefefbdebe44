"""What is counted of a callback and of a wallet call, and that counting stands in nobody's way."""

import asyncio
from collections.abc import Callable

import pytest
from tests.support.clock import FakeClock
from tests.support.fake_wallet import FakeWallet, Held

from walletbridge.observe.metrics import names
from walletbridge.observe.metrics.counts import CountingLog, CountingWallet, Counts
from walletbridge.observe.metrics.names import Refusal
from walletbridge.observe.metrics.part import Part
from walletbridge.observe.trace import CacheUse, Trace
from walletbridge.protocol import answers
from walletbridge.protocol.answers import Answer
from walletbridge.protocol.callbacks import BadCallback, Balance, Callback, Command
from walletbridge.protocol.errors import OutcomeUnknown, Overloaded, WalletDown
from walletbridge.protocol.outcomes import Outcome, Result

BALANCE = Balance(account="test1234", checks=(21,), requested_at=None)
OK = Answer(200, Result.OK, b"{}")
BUDGETS = dict.fromkeys(Command, 1.75)


@pytest.fixture
def counts() -> Counts:
    return Counts(Part(), BUDGETS)


def number(counts: Counts, name: str, **labels: str) -> int:
    return int(counts.part.cells[counts.part.series(name, **labels)])


def moved(counts: Counts, act: Callable[[], None]) -> dict[tuple[str, ...], int]:
    """What `act` has added to each series, times left out."""
    before = dict(counts.part.read())
    act()
    after = dict(counts.part.read())
    changed = {key: value - before.get(key, 0) for key, value in after.items() if value != before.get(key, 0)}
    return {key: change for key, change in changed.items() if not key[0].endswith("_sum")}


# Callbacks


def test_a_callback_counts_by_command_and_answer_and_in_its_bucket(counts: Counts) -> None:
    found = moved(counts, lambda: counts.answered(Trace(BALANCE), OK, 0.03))

    assert found == {
        (names.CALLBACKS, "command", "balance", "result", "0", "http_status", "200"): 1,
        ("walletbridge_callback_seconds_bucket", "command", "balance", "le", "0.05"): 1,
    }
    assert number(counts, "walletbridge_callback_seconds_sum", command="balance") == 30_000


@pytest.mark.parametrize(
    ("seconds", "bound"), [(-1, "0.005"), (0.005, "0.005"), (1.75, "1.75"), (1.7501, "2"), (5, "5"), (60, "+Inf")]
)
def test_a_bucket_holds_its_upper_bound(counts: Counts, seconds: float, bound: str) -> None:
    counts.answered(Trace(BALANCE), OK, seconds)

    assert number(counts, "walletbridge_callback_seconds_bucket", command="balance", le=bound) == 1


def test_what_is_over_its_budget_is_told(counts: Counts) -> None:
    counts.answered(Trace(BALANCE), OK, 1.75)
    assert number(counts, names.OVER_BUDGET, command="balance") == 0

    counts.answered(Trace(BALANCE), OK, 1.76)
    assert number(counts, names.OVER_BUDGET, command="balance") == 1


@pytest.mark.parametrize("use", CacheUse)
def test_uses_of_the_cache_count_by_kind(counts: Counts, use: CacheUse) -> None:
    counts.answered(Trace(BALANCE, cache=use), OK, 0.01)

    assert number(counts, names.CACHE_USES, use=use) == 1


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (answers.of_method("GET"), Refusal.METHOD),
        (answers.of_body_size(10), Refusal.BODY_SIZE),
        (answers.of_bad_callback(BadCallback("$", "no JSON")), Refusal.BAD_CALLBACK),
    ],
)
def test_a_request_that_is_no_callback_counts_by_what_is_wrong(counts: Counts, answer: Answer, reason: Refusal) -> None:
    found = moved(counts, lambda: counts.answered(Trace(), answer, 0.001))

    assert found[names.REFUSED, "reason", reason] == 1
    assert found[names.CALLBACKS, "command", "none", "result", "99", "http_status", str(answer.http_status)] == 1


def test_what_an_answer_does_not_tell_is_counted_by_who_knows(counts: Counts) -> None:
    """A wrong token and an address that is not allowed are answered alike."""
    counts.refused(Refusal.PEER)
    found = moved(counts, lambda: counts.answered(Trace(), answers.WRONG_TOKEN, 0.001))

    assert number(counts, names.REFUSED, reason="peer") == 1
    assert not any(name == names.REFUSED for name, *_ in found)


# The log


class Lines:
    """A log that remembers, or fails."""

    def __init__(self, *, is_broken: bool = False) -> None:
        self.said: list[object] = []
        self._is_broken = is_broken

    def answered(self, trace: Trace, answer: Answer, seconds: float) -> None:
        if self._is_broken:
            raise OSError("the disk is full")
        self.said.append((trace, answer, seconds))

    def failed(self, error: BaseException) -> None:
        self.said.append(error)


def test_what_is_counted_is_logged_as_well(counts: Counts) -> None:
    lines, trace, error = Lines(), Trace(BALANCE), ValueError()
    log = CountingLog(lines, counts)
    log.answered(trace, OK, 0.5)
    log.failed(error)

    assert lines.said == [(trace, OK, 0.5), error]
    assert number(counts, names.FAULTS) == 1
    assert number(counts, names.CALLBACKS, command="balance", result="0", http_status="200") == 1


def test_a_log_that_fails_does_not_stop_the_counting(counts: Counts) -> None:
    with pytest.raises(OSError, match="disk is full"):
        CountingLog(Lines(is_broken=True), counts).answered(Trace(BALANCE), OK, 0.5)

    assert number(counts, names.CALLBACKS, command="balance", result="0", http_status="200") == 1


# The wallet


async def call(wallet: CountingWallet, callback: Callback = BALANCE, trace: Trace | None = None) -> None:
    await wallet.call(callback, deadline=10.0, trace=trace or Trace())


async def test_a_call_counts_by_method_and_status_once_it_has_ended(counts: Counts) -> None:
    held, clock = Held(), FakeClock()
    task = asyncio.ensure_future(call(CountingWallet(FakeWallet(held), counts, clock=clock)))
    await held.arrived.wait()
    assert number(counts, names.WALLET_CALLS_IN_FLIGHT) == 1
    assert number(counts, names.WALLET_CALLS, method="Fake", status="OK") == 0

    clock.tick(0.2)
    held.release()
    await task

    assert number(counts, names.WALLET_CALLS_IN_FLIGHT) == 0
    assert number(counts, names.WALLET_CALLS, method="Fake", status="OK") == 1
    assert number(counts, "walletbridge_wallet_call_seconds_bucket", method="Fake", le="0.25") == 1
    assert number(counts, "walletbridge_wallet_call_seconds_sum", method="Fake") == pytest.approx(200_000, abs=1)


class Scripted:
    """A wallet that fills in the trace as a test says, and fails."""

    def __init__(self, error: OutcomeUnknown, *, tries: int = 0, status: str = "") -> None:
        self._error = error
        self._tries = tries
        self._status = status

    async def call(self, callback: Callback, *, deadline: float, trace: Trace) -> Outcome:
        del callback, deadline
        if self._tries:
            trace.tries += self._tries
            trace.wallet_method, trace.grpc_status = "wallet.v1.WalletService/GetBalance", self._status
        raise self._error


async def test_each_time_that_a_read_was_sent_counts(counts: Counts) -> None:
    lost = OutcomeUnknown("lost", sent=True)
    wallet = CountingWallet(Scripted(lost, tries=3, status="DEADLINE_EXCEEDED"), counts, clock=FakeClock())
    with pytest.raises(OutcomeUnknown):
        await call(wallet)

    assert number(counts, names.WALLET_CALLS, method="GetBalance", status="UNAVAILABLE") == 2
    assert number(counts, names.WALLET_CALLS, method="GetBalance", status="DEADLINE_EXCEEDED") == 1
    assert number(counts, names.WALLET_CALLS_IN_FLIGHT) == 0


async def test_a_call_that_was_not_sent_counts_by_its_command(counts: Counts) -> None:
    """Also where an earlier call of the same callback has left its status."""
    trace = Trace(tries=1, wallet_method="wallet.v1.WalletService/PlaceBet", grpc_status="OK")
    wallet = CountingWallet(Scripted(OutcomeUnknown("away", sent=False)), counts, clock=FakeClock())
    with pytest.raises(OutcomeUnknown):
        await call(wallet, trace=trace)

    assert number(counts, names.NOT_SENT, command="balance") == 1
    assert not any(key[0] == names.WALLET_CALLS for key, _ in counts.part.read())


def test_a_call_that_was_refused_counts_by_its_reason(counts: Counts) -> None:
    counts.shed(Command.BALANCE, Overloaded("256 wallet calls are in flight"))
    counts.shed(Command.BET, WalletDown("the wallet is down"))

    assert number(counts, names.REFUSED, reason="overload") == 1
    assert number(counts, names.REFUSED, reason="wallet_down") == 1
    assert number(counts, names.NOT_SENT, command="balance") == 1
    assert number(counts, names.NOT_SENT, command="bet") == 1


# States


def test_the_state_of_wallet_and_journal_is_that_of_now(counts: Counts) -> None:
    for is_failing in (True, False, True):
        counts.journal_failing(is_failing=is_failing)
        counts.wallet_connected(is_connected=not is_failing)

    assert number(counts, names.JOURNAL_FAILING) == 1
    assert number(counts, names.JOURNAL_FAILURES) == 2
    assert number(counts, names.WALLET_CONNECTED) == 0


def test_a_stuck_command_is_one_of_now(counts: Counts) -> None:
    counts.wallet_stuck(Command.BET, is_stuck=True)
    counts.wallet_stuck(Command.CANCEL, is_stuck=True)
    counts.wallet_stuck(Command.BET, is_stuck=False)

    assert number(counts, names.WALLET_STUCK, command="bet") == 0
    assert number(counts, names.WALLET_STUCK, command="cancel") == 1


def test_answers_that_did_not_go_out_count(counts: Counts) -> None:
    counts.not_delivered()

    assert number(counts, names.NOT_DELIVERED) == 1

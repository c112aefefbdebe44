"""Any request to its answer, and a line in the log for each."""

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

import pytest
from tests.support.callbacks import DROPPED, body, make_callback
from tests.support.clock import FakeClock
from tests.support.fake_wallet import OK, FakeWallet, Held, Step
from tests.support.vectors import Case, load_cases, load_documented

from walletbridge.gateway.dispatch import Dispatch
from walletbridge.gateway.gateway import Gateway, Request
from walletbridge.observe.trace import Trace
from walletbridge.protocol import answers
from walletbridge.protocol.answers import Answer
from walletbridge.protocol.callbacks import Bet, Callback
from walletbridge.protocol.errors import OutcomeUnknown
from walletbridge.protocol.outcomes import Outcome, Result, TransactionState

LIMIT = 65536
BUDGET = 2.0
BET = body(make_callback("bet"))
UNKNOWN = {"result": 99, "status": "ERROR"}


@dataclass
class RecordingLog:
    """Keeps what it is told; raises `error` where there is one."""

    error: Exception | None = None
    answers: list[tuple[Trace, Answer, float]] = field(default_factory=list)
    faults: list[BaseException] = field(default_factory=list)

    def answered(self, trace: Trace, answer: Answer, seconds: float) -> None:
        self.answers.append((trace, answer, seconds))
        if self.error:
            raise self.error

    def failed(self, error: BaseException) -> None:
        self.faults.append(error)
        if self.error:
            raise self.error


class StraightDispatch(Dispatch):
    """Takes every callback straight to the wallet."""

    def __init__(self, wallet: FakeWallet) -> None:
        self._wallet = wallet

    async def outcome(self, callback: Callback, *, received_at: float, trace: Trace) -> Outcome:
        return await self._wallet.call(callback, deadline=received_at + BUDGET, trace=trace)


class Bench:
    """A gateway with a scripted wallet behind it."""

    def __init__(self, *steps: Step, log: RecordingLog | None = None) -> None:
        self.clock = FakeClock()
        self.wallet = FakeWallet(*steps)
        self.log = log or RecordingLog()
        dispatch = StraightDispatch(self.wallet)
        self._gateway = Gateway(dispatch, self.log, currency_decimals=2, body_bytes_max=LIMIT, clock=self.clock)

    async def answer(
        self, raw: bytes | None = BET, *, method: str = "POST", has_token: bool = True, passed: float = 0.0
    ) -> Answer:
        request = Request(method=method, has_token=has_token, body=raw, received_at=self.clock() - passed)
        return await self._gateway.answer(request, Trace())


# The table, from the top: each request here would also fail at every later row

TOO_LARGE = b"x" * (LIMIT + 1)
ROWS: list[tuple[dict[str, Any], int, int]] = [
    ({"has_token": False, "method": "GET", "raw": TOO_LARGE}, 200, 100),
    ({"has_token": False, "method": "GET", "raw": None}, 200, 100),
    ({"has_token": False, "method": "POST", "raw": TOO_LARGE}, 200, 100),
    ({"has_token": False, "method": "POST", "raw": b"{"}, 200, 100),
    ({"has_token": False, "method": "POST", "raw": BET, "passed": 9}, 200, 100),
    ({"method": "GET", "raw": TOO_LARGE}, 405, 99),
    ({"method": "HEAD", "raw": None}, 405, 99),
    ({"method": "PUT", "raw": BET}, 405, 99),
    ({"method": "post", "raw": BET}, 405, 99),  # methods are case-sensitive
    ({"raw": None}, 413, 99),
    ({"raw": TOO_LARGE, "passed": 9}, 413, 99),
    ({"raw": b"{", "passed": 9}, 400, 99),
    ({"raw": b""}, 400, 99),
]


@pytest.mark.parametrize(("request_", "http_status", "result"), ROWS)
async def test_the_first_row_that_fits_is_the_answer(request_: dict[str, Any], http_status: int, result: int) -> None:
    bench = Bench()
    answer = await bench.answer(**request_)

    assert (answer.http_status, json.loads(answer.body)["result"], answer.result) == (http_status, result, result)
    assert bench.wallet.calls == []
    assert [logged for _, logged, _ in bench.log.answers] == [answer]


async def test_a_wrong_token_hears_nothing_more() -> None:
    answer = await Bench().answer(has_token=False)

    assert answer.body == b'{"result":100,"status":"ERROR"}'
    assert json.loads(answer.body) == load_documented().wrong_token_answer


async def test_a_wrong_method_hears_the_right_one() -> None:
    answer = await Bench().answer(method="GET")

    assert dict(answer.headers)[b"Allow"] == b"POST"


@pytest.mark.parametrize(("size", "http_status"), [(LIMIT, 400), (LIMIT + 1, 413)])
async def test_the_limit_of_the_body_is_a_last_good_size(size: int, http_status: int) -> None:
    assert (await Bench().answer(b" " * size)).http_status == http_status


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"[]", "$: expected an object, got an array"),
        (body(make_callback("bet", amount=DROPPED)), "$.data.amount: expected a number, but it is missing"),
        (body(make_callback("bet", amount=-1)), "$.data.amount: must not be negative"),
        (body(make_callback("bet", amount="1.001")), "$.data.amount: has more than the currency's 2 decimals"),
        (body(make_callback("bet", check="")), "$.check: expected the numbers of checks"),
        (body(make_callback("bet", command="refund")), "$.command: expected one of authenticate"),
        (b'{"command":"bet","command":"bet"}', "$.command: the key stands twice"),
    ],
)
async def test_what_is_no_callback_hears_where_it_is_wrong(raw: bytes, message: str) -> None:
    bench = Bench()
    answer = await bench.answer(raw)

    shown = json.loads(answer.body)
    assert answer.http_status == 400
    assert (shown["result"], shown["status"]) == (99, "ERROR")
    assert shown["message"].startswith(message)
    assert bench.wallet.calls == []
    assert bench.log.answers[0][0].reason == shown["message"]


# A known outcome


def outcome_of(case: Case) -> Outcome:
    """What a wallet says so that the answer is the documented one."""
    data = case.answer.get("data", {})
    state = TransactionState(data["trans_status"]) if "trans_status" in data else None
    return Outcome(Result(case.answer["result"]), data.get("balance", 0) * 100, state)


@pytest.mark.parametrize("case", load_cases(), ids=[case.name for case in load_cases()])
async def test_a_documented_callback_gets_its_documented_answer(case: Case) -> None:
    bench = Bench(outcome_of(case))
    answer = await bench.answer(body(case.request))

    assert answer.http_status == case.http_status
    assert answer.body == json.dumps(case.answer, separators=(",", ":")).encode()
    assert len(bench.wallet.calls) == 1


async def test_the_trace_and_the_log_say_what_came_of_it() -> None:
    bench = Bench()
    answer = await bench.answer(passed=0.5)

    [(trace, logged, seconds)] = bench.log.answers
    assert [call.deadline for call in bench.wallet.calls] == [bench.clock() - 0.5 + BUDGET]
    assert isinstance(trace.callback, Bet)
    assert (trace.tries, trace.reason) == (1, "")
    assert (logged, seconds) == (answer, 0.5)
    assert bench.log.faults == []


# An unknown outcome, and what goes wrong in our own code


@pytest.mark.parametrize("sent", [True, False])
async def test_an_unknown_outcome_is_500_and_says_why_in_the_log_alone(*, sent: bool) -> None:
    bench = Bench(OutcomeUnknown("the connection to the wallet broke", sent=sent))
    answer = await bench.answer()

    assert (answer.http_status, json.loads(answer.body)) == (500, UNKNOWN)
    assert bench.log.answers[0][0].reason == "the connection to the wallet broke"
    assert bench.log.faults == []


@pytest.mark.parametrize("error", [RuntimeError("bug"), KeyError("bug"), AssertionError(), RecursionError()])
async def test_a_fault_of_ours_is_500_and_is_logged(error: Exception) -> None:
    bench = Bench(error)
    answer = await bench.answer()

    assert answer == answers.UNKNOWN
    assert bench.log.faults == [error]
    assert [logged for _, logged, _ in bench.log.answers] == [answer]


async def test_an_outcome_whose_balance_is_not_known_is_500() -> None:
    """Nobody gets half an answer, and none holds null."""
    bench = Bench(Outcome(Result.OK, None))
    answer = await bench.answer()

    assert answer == answers.UNKNOWN
    assert bench.log.faults == []


async def test_a_cancelled_task_still_answers() -> None:
    held = Held()
    bench = Bench(held)
    task = asyncio.ensure_future(bench.answer())
    await held.arrived.wait()
    task.cancel()

    assert await task == answers.UNKNOWN
    assert bench.log.answers[0][0].reason == "the gateway was stopped"


@pytest.mark.parametrize("error", [RuntimeError("disk full"), OSError("disk full")])
@pytest.mark.parametrize(
    ("step", "http_status"), [(OK, 200), (OutcomeUnknown("away", sent=True), 500), (ValueError("bug"), 500)]
)
async def test_a_log_that_raises_does_not_lose_the_answer(step: Step, http_status: int, error: Exception) -> None:
    bench = Bench(step, log=RecordingLog(error))
    answer = await bench.answer()

    assert answer.http_status == http_status
    assert len(bench.wallet.calls) == 1
    assert [logged for _, logged, _ in bench.log.answers] == [answer]

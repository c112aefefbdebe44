"""Whole runs against correct and wrong servers."""

import json
from collections import Counter
from dataclasses import replace
from decimal import Decimal

import pytest
from tests.unit.simulator import wrong_handlers as wrong
from tests.unit.simulator.wrong_handlers import TOKEN, Flaky, Handler, Late, serving

from walletbridge.simulator.books.transactions import Belief
from walletbridge.simulator.plan import Plan
from walletbridge.simulator.report.report import Report
from walletbridge.simulator.simulation import Progress, run

PLAN = Plan(url="", token=TOKEN)


async def report_on(handler: Handler, plan: Plan = PLAN) -> Report:
    async with serving(handler) as url:
        return await run(replace(plan, url=url))


def found(report: Report) -> set[str]:
    return {violation.rule for violation in report.violations}


async def test_a_correct_server_conforms() -> None:
    handler = Handler({"test1234": 500000, "gone": 100}, inactive={"gone"})
    report = await report_on(handler, replace(PLAN, inactive_account="gone"))

    assert (report.conforming, report.complete, report.not_tried) == (True, True, ())
    (line,) = report.ledger
    assert (line.started_with, line.agrees) == (Decimal(5000), True)
    assert line.expected == line.balance == Decimal(handler.balances["test1234"]) / 100
    assert report.statuses_asked == len(report.transactions)
    assert report.unsettled == ()
    assert report.seconds < 10
    assert {latency.command for latency in report.latencies} == {
        "authenticate",
        "balance",
        "bet",
        "win",
        "cancel",
        "status",
    }


async def test_it_plays_one_account_in_whole_amounts() -> None:
    handler = Handler()
    await report_on(handler)

    accounts = Counter(json.loads(body)["data"]["account"] for body in handler.requests if b'"check":"21,22"' in body)
    assert set(accounts) - {"test1234"} == {account for account in accounts if account.startswith("nobody")}
    assert sum(accounts.values()) - accounts["test1234"] == 1
    assert handler.balances["test1234"] % 100 == 0


@pytest.mark.parametrize("hundredths", [0, 1, 50, 100, 250, 9050, 10**18])
@pytest.mark.parametrize("decimals", [0, 2])
async def test_any_balance_will_do_to_start_with(hundredths: int, decimals: int) -> None:
    report = await report_on(Handler({"test1234": hundredths}), replace(PLAN, decimals=decimals))

    assert (found(report), report.complete) == (set(), True)


@pytest.mark.parametrize(
    ("handler", "rule"),
    [
        (wrong.RefundsTwice, "cancel_twice"),
        (wrong.CoversFirst, "bet_twice_uncovered"),
        (wrong.WritesText, "numbers"),
        (wrong.WritesNull, "no_null"),
        (wrong.TwoLs, "one_l"),
        (wrong.FailedThoughMade, "not_made"),
        (wrong.FailedThoughMadeLater, "not_made"),
        (wrong.AnyToken, "token"),
        (wrong.TokenByPrefix, "token"),
        (wrong.PaysCanceledWin, "cancel_win"),
        (wrong.DebitsTwice, "bet_twice"),
        (wrong.EchoesText, "echo"),
        (wrong.RefusesLosses, "loss"),
        (wrong.FloatNoise, "exact"),
        (wrong.PaysTwice, "win_twice"),
        (wrong.Html, "json_answer"),
        (wrong.ForgetsCancels, "late_bet"),
        (wrong.WithoutTransactions, "transaction_known"),
        (wrong.DefiniteIs400, "definite_is_200"),
        (wrong.BalanceBefore, "movement"),
        (wrong.TakesNegativeAmounts, "malformed"),
    ],
)
async def test_a_wrong_server_is_caught(handler: type[Handler], rule: str) -> None:
    report = await report_on(handler())

    assert report.conforming is False
    assert rule in found(report)
    assert TOKEN not in report.to_json().decode()


@pytest.mark.parametrize("handler", [wrong.RefundsTwice, wrong.PaysCanceledWin, wrong.DebitsTwice, wrong.PaysTwice])
async def test_money_that_is_gone_shows_in_the_ledger(handler: type[Handler]) -> None:
    report = await report_on(handler())

    assert report.ledger[0].agrees is False
    assert "ledger" in found(report)


@pytest.mark.parametrize(
    ("handler", "rules"),
    [
        (wrong.CoversFirst, {"bet_twice_uncovered"}),
        (wrong.EchoesText, {"echo"}),
        (wrong.FloatNoise, {"exact"}),
        (wrong.RefusesLosses, {"loss"}),
        (wrong.ForgetsCancels, {"late_bet"}),
        (wrong.BalanceBefore, {"movement"}),
    ],
)
async def test_one_mistake_is_not_reported_as_another(handler: type[Handler], rules: set[str]) -> None:
    assert found(await report_on(handler())) == rules


async def test_a_late_answer_is_caught() -> None:
    """Two seconds late, at forty times the speed."""
    handler = Late()
    handler.seconds = 0.1
    report = await report_on(handler, replace(PLAN, time_scale=40, duration=1, rounds=0))

    assert "time_limit" in found(report)
    (bets,) = [latency for latency in report.latencies if latency.command == "bet"]
    assert bets.over_limit > 0
    assert bets.limit_ms == 50


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_what_it_believes_under_faults_is_what_is_true(seed: int) -> None:
    handler = Flaky({"test1234": 500000, "second": 30})
    plan = replace(
        PLAN,
        accounts=("test1234", "second"),
        decimals=2,
        seed=seed,
        wait_scale=1000,
        rounds=30,
        deposit_retries=50,
        faults_expected=True,
    )
    report = await report_on(handler, plan)

    assert found(report) == set()
    assert [line.agrees for line in report.ledger] == [True, True]
    for line in report.transactions:
        moved = handler.moved.get(str(line.trans_id))
        is_made = moved is not None and not moved.canceled
        assert (line.belief is Belief.APPLIED) is is_made
        assert line.settled


async def test_a_seed_plays_the_same_run_again() -> None:
    """Only the ids differ, so that two runs against one wallet share no transaction."""
    runs = []
    for seed in (1, 1, 2):
        handler = Handler()
        report = await report_on(handler, replace(PLAN, seed=seed))
        runs.append(
            (
                [(line.kind, line.amount, line.belief) for line in report.transactions],
                {str(line.trans_id) for line in report.transactions},
            )
        )

    (first, first_ids), (again, again_ids), (other, _) = runs
    assert first == again != other
    assert first_ids.isdisjoint(again_ids)


async def test_integer_ids_are_exact_as_doubles() -> None:
    report = await report_on(Handler(), replace(PLAN, rounds=0))

    integers = [line.trans_id for line in report.transactions if isinstance(line.trans_id, int)]
    assert 0 < len(integers) < len(report.transactions)
    assert all(0 <= number < 2**53 for number in integers)


async def test_the_run_ends_in_time() -> None:
    """Bets that are slow but in time: there is no wrong answer, but not all was tried."""
    handler = Late()
    handler.seconds = 0.3
    report = await report_on(handler, replace(PLAN, duration=1.5))

    assert report.seconds < 6
    assert (report.conforming, report.complete) == (True, False)
    assert "bets at once" in report.not_tried


async def test_it_plays_on_until_the_time_is_up() -> None:
    seen: list[Progress] = []
    async with serving(Handler()) as url:
        plan = replace(PLAN, url=url, documented_cases=False, rounds=None, duration=1)
        report = await run(plan, seen.append)

    assert report.conforming
    assert 0.6 <= report.seconds < 6
    assert len(report.transactions) > 10
    assert [progress.share for progress in seen] == sorted(progress.share for progress in seen)
    assert seen[-1].share <= 1
    assert seen[-1].calls <= report.calls

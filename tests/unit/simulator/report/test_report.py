"""The report as JSON."""

import json
from decimal import Decimal

from walletbridge.simulator.books.transactions import Belief
from walletbridge.simulator.report.report import (
    AccountLine,
    BrokenRule,
    CaseCount,
    Latency,
    Report,
    ShownAnswer,
    ShownExchange,
    ShownRequest,
    TransactionLine,
    Violation,
    could_not_run,
)


def transaction(trans_id: int | str, *, settled: bool) -> TransactionLine:
    return TransactionLine(
        trans_id=trans_id,
        account="test1234",
        kind="win",
        amount=Decimal("90.5"),
        round_id="12",
        belief=Belief.APPLIED if settled else Belief.GIVEN_UP,
        settled=settled,
        wallet_says="OK" if settled else None,
    )


def make_report(*, violations_total: int = 1, complete: bool = True) -> Report:
    """A report with one of each thing."""
    exchange = ShownExchange(
        request=ShownRequest(method="POST", headers={"Callback-Token": "***"}, body='{"command":"bet"}'),
        answer=ShownAnswer(http_status=200, body='{"result":31}', failure=None, milliseconds=1.5),
    )
    violation = Violation(
        case="bet sent twice", rule="bet_twice", section="Checks", sentence="Expected [41].", exchanges=(exchange,)
    )
    broken = BrokenRule(
        rule="bet_twice", section="Checks", says="41", violations=violations_total, commands={"bet": violations_total}
    )
    return Report(
        conforming=not violations_total,
        complete=complete,
        url="http://127.0.0.1/callback",
        accounts=("test1234",),
        seed=1,
        decimals=2,
        time_scale=1.0,
        seconds=0.5,
        calls=3,
        cases=(CaseCount(case="bet sent twice", rule="bet_twice", tried=3, decided=2, unknown=1, violations=1),),
        not_tried=() if complete else ("bonus",),
        violations_total=violations_total,
        violations=(violation,) if violations_total else (),
        broken_rules=(broken,) if violations_total else (),
        latencies=(
            Latency(
                command="bet",
                limit_ms=2000,
                count=3,
                p50_ms=1.0,
                p90_ms=2.0,
                p99_ms=2.0,
                max_ms=2001.0,
                over_limit=1,
            ),
        ),
        ledger=(
            AccountLine(
                account="test1234",
                started_with=Decimal(100),
                expected=Decimal("190.5"),
                balance=Decimal("190.5"),
                difference=Decimal(0),
                agrees=True,
            ),
        ),
        statuses_asked=1,
        transactions=(transaction(7, settled=True), transaction("seven", settled=False)),
    )


def test_json_for_scripts() -> None:
    document = json.loads(make_report().to_json(), parse_float=Decimal)

    assert (document["schema"], document["conforming"], document["could_not_run"]) == (1, False, None)
    assert document["ledger"][0]["expected"] == Decimal("190.5")
    assert document["violations"][0]["exchanges"][0]["answer"] == {
        "http_status": 200,
        "body": '{"result":31}',
        "failure": None,
        "milliseconds": Decimal("1.5"),
    }
    assert [line["trans_id"] for line in document["transactions"]] == [7, "seven"]
    assert document["unsettled"] == [document["transactions"][1]]
    assert document["unsettled"][0]["belief"] == "given_up"


def test_the_names_that_scripts_rely_on() -> None:
    assert set(json.loads(make_report().to_json())) == {
        "schema",
        "could_not_run",
        "conforming",
        "complete",
        "url",
        "accounts",
        "seed",
        "decimals",
        "time_scale",
        "seconds",
        "calls",
        "cases",
        "not_tried",
        "violations_total",
        "violations",
        "broken_rules",
        "latencies",
        "ledger",
        "statuses_asked",
        "transactions",
        "unsettled",
    }


def test_a_run_that_did_not_come_about() -> None:
    assert json.loads(could_not_run("no.")) == {"schema": 1, "could_not_run": "no.", "conforming": False}

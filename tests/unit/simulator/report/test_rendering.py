"""The report for people."""

import io
import shlex
from dataclasses import replace

import pytest
from rich.console import Console
from tests.unit.simulator.report.test_report import make_report

from walletbridge.simulator.report.rendering import render, verdict
from walletbridge.simulator.report.report import Report, ShownRequest


def rendered(report: Report, *, width: int = 140, shows_all: bool = False) -> str:
    out = io.StringIO()
    render(report, Console(file=out, width=width), shows_all=shows_all)
    return out.getvalue()


def test_everything_is_shown() -> None:
    text = rendered(make_report(), shows_all=True)

    for shown in (
        "http://127.0.0.1/callback",
        "bet sent twice",
        "2000",  # the limit
        "190.5",
        "win seven of test1234",
        "1. bet_twice",
        "Expected [41].",  # not taken for markup
        "Callback-Token: ***",
        '{"result":31}',
        "NOT CONFORMING: 1 violation.",
    ):
        assert shown in text


@pytest.mark.parametrize(
    ("violations", "complete", "begins"),
    [
        (0, True, "CONFORMING: "),
        (1, True, "NOT CONFORMING: 1 violation."),
        (2, True, "NOT CONFORMING: 2 violations."),
        (1, False, "NOT"),
        (0, False, "INCOMPLETE: "),
    ],
)
def test_the_verdict(violations: int, complete: bool, begins: str) -> None:  # noqa: FBT001 - a table
    assert verdict(make_report(violations_total=violations, complete=complete)).startswith(begins)


def test_what_there_was_no_time_for_is_named() -> None:
    report = make_report(violations_total=0, complete=False)

    assert "bonus: not tried" in rendered(report)
    assert "no time for: bonus." in verdict(report)
    assert "the final comparison" in verdict(replace(report, not_tried=()))


def test_long_lists_are_cut() -> None:
    report = make_report(violations_total=50)
    unsettled = replace(report, transactions=report.unsettled * 30)

    assert "1 of 50 violations shown" in rendered(report, shows_all=True)
    assert "--all shows 1 of 50 violations" in rendered(report)
    assert "20 of 30 shown" in rendered(unsettled)


def test_an_account_whose_balance_was_not_told() -> None:
    report = make_report()
    line = replace(report.ledger[0], balance=None, difference=None, agrees=None)

    assert "not told" in rendered(replace(report, ledger=(line,)))


@pytest.mark.parametrize("body", ['{"account":"o\'neil $HOME `id` \\\\"}', "", "@file", "x" * 900])
def test_a_request_can_be_pasted_into_a_shell(body: str) -> None:
    report = make_report()
    (violation,) = report.violations
    (exchange,) = violation.exchanges
    request = ShownRequest(method="POST", headers={"Callback-Token": "***"}, body=body)
    report = replace(report, violations=(replace(violation, exchanges=(replace(exchange, request=request),)),))

    (line,) = (line for line in rendered(report, width=40).splitlines() if line.startswith("  --data-raw "))
    assert shlex.split(line) == ["--data-raw", body]


@pytest.mark.parametrize(
    ("headers", "comment"), [({}, "no Callback-Token"), ({"Callback-Token": "cut"}, "with Callback-Token: cut")]
)
def test_another_token_is_said_behind_the_body(headers: dict[str, str], comment: str) -> None:
    report = make_report()
    (violation,) = report.violations
    (exchange,) = violation.exchanges
    request = ShownRequest(method="POST", headers=headers, body="{}")
    report = replace(report, violations=(replace(violation, exchanges=(replace(exchange, request=request),)),))

    assert f"  --data-raw '{{}}'  # {comment}\n" in rendered(report)


def test_a_rule_takes_few_lines_however_often_and_by_however_many_calls_it_was_broken() -> None:
    report = make_report(violations_total=500)
    (violation,) = report.violations
    (exchange,) = violation.exchanges
    answer = replace(exchange.answer, body="<p>\n" * 400)
    many = replace(violation, exchanges=(replace(exchange, answer=answer),) * 9)
    text = rendered(replace(report, violations=(many,) * 90)).splitlines()

    (begin,) = (number for number, line in enumerate(text) if line.startswith("bet_twice (500)"))
    example = text[begin : text.index("", begin)]
    assert text[0].startswith("Broken rules")
    assert example[2] == "4 of 9 calls, which were made at once:"
    assert len(example) <= 12

"""The report for people."""

import io
from dataclasses import replace

import pytest
from rich.console import Console
from tests.simulator.test_report import make_report

from walletbridge.simulator.rendering import render, verdict
from walletbridge.simulator.report import Report


def rendered(report: Report) -> str:
    out = io.StringIO()
    render(report, Console(file=out, width=140))
    return out.getvalue()


def test_everything_is_shown() -> None:
    text = rendered(make_report())

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

    assert "1 of 50 violations shown" in rendered(report)
    assert "20 of 30 shown" in rendered(unsettled)


def test_an_account_whose_balance_was_not_told() -> None:
    report = make_report()
    line = replace(report.ledger[0], balance=None, difference=None, agrees=None)

    assert "not told" in rendered(replace(report, ledger=(line,)))

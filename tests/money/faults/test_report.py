"""What is printed of a run."""

from collections import Counter
from pathlib import Path

import pytest
from tests.money.faults.books import Verdict
from tests.money.faults.plan import Plan
from tests.money.faults.report import counts, print_result, print_summary
from tests.money.faults.run import Result

RIGHT = Result(Plan(seed=3), Path("logs"), calls=300, failures=Counter({"500": 7, "late": 2}))
WRONG = Result(
    Plan(seed=4),
    Path("logs"),
    Verdict(differences=[("1", "it is gone")], for_person=[("2", "refused"), ("3", "refused")]),
    wrong=["the wallet ended with 1"],
)


def test_a_run_without_differences_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    print_result(RIGHT, again="tests.money.faults --seed 3")

    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("seed 3: 300 callbacks, 500 7 late 2, late 0; person 0, excused none")
    assert line.endswith("differences 0")


def test_a_run_with_differences_says_how_to_repeat_it(capsys: pytest.CaptureFixture[str]) -> None:
    print_result(WRONG, again="tests.money.faults --seed 4")

    assert capsys.readouterr().out.splitlines()[1:] == [
        "    1: it is gone",
        "    the wallet ended with 1",
        "    logs: logs",
        "    again: uv run python -m tests.money.faults --seed 4",
    ]


def test_the_summary_adds_up(capsys: pytest.CaptureFixture[str]) -> None:
    print_summary([RIGHT, WRONG])

    assert capsys.readouterr().out.splitlines() == [
        "2 runs, 300 callbacks, not answered: 500 7 late 2; answered late by a gateway 0; excused: none",
        "     2 left to a person: refused",
        "runs with differences: 4",
    ]


def test_counts() -> None:
    assert counts(Counter()) == "none"
    assert counts(Counter({"b": 1, "a": 2})) == "a 2 b 1"

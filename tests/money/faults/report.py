"""
What is printed of a run.
"""

from collections import Counter
from collections.abc import Sequence

import click
from tests.money.faults.books import by_reason
from tests.money.faults.run import Result


def print_result(result: Result, *, again: str) -> None:
    """One line, and for a run with differences what they are, where its logs lie, and the command that repeats it."""
    verdict = result.verdict
    click.echo(
        f"seed {result.plan.seed}: {result.calls} callbacks, {counts(result.failures)}, late {result.late}; "
        f"person {len(verdict.for_person)}, excused {counts(verdict.excused)}, landed late {verdict.landed_late}; "
        f"bets good after {result.recovered_after:.1f} s, without a core {result.starved:.1f} s, "
        f"settled in {result.settled_after:.1f} s, {result.seconds:.0f} s; {result.plan}; "
        f"differences {len(verdict.differences) + len(result.wrong)}"
    )
    if result.is_right:
        return
    for key, problem in verdict.differences:
        click.echo(f"    {key}: {problem}")
    for problem in result.wrong:
        click.echo(f"    {problem}")
    click.echo(f"    logs: {result.folder}")
    click.echo(f"    again: uv run python -m {again}")


def print_summary(results: Sequence[Result]) -> None:
    """What all runs came to."""
    persons: Counter[str] = Counter()
    excused: Counter[str] = Counter()
    unanswered: Counter[str] = Counter()
    for result in results:
        persons += by_reason(result.verdict.for_person)
        excused += result.verdict.excused
        unanswered += result.failures
    wrong = [result.plan.seed for result in results if not result.is_right]
    click.echo(
        f"{len(results)} runs, {sum(result.calls for result in results)} callbacks, "
        f"not answered: {counts(unanswered)}; answered late by a gateway "
        f"{sum(result.late for result in results)}; excused: {counts(excused)}"
    )
    for reason, count in persons.most_common():
        click.echo(f"{count:6} left to a person: {reason}")
    click.echo(f"runs with differences: {', '.join(map(str, sorted(wrong))) or 'none'}")


def counts(counted: Counter[str]) -> str:
    """Names and numbers, in a line."""
    return " ".join(f"{name} {count}" for name, count in sorted(counted.items())) or "none"

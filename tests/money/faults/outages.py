"""
Outages of 60 s under steady traffic, with rows owed, for each kind of wallet: how soon bets are answered as before, how
soon all is settled, and what is left to a person.

    uv run python -m tests.money.faults.outages                                       # the whole table
    uv run python -m tests.money.faults.outages --outage slow --owed 1000             # one line of it
    uv run python -m tests.money.faults.outages --wallet debit-credit --outage flapping

Every cell is a run of its own, with its processes and its comparison of the books.
"""

import asyncio
import itertools
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table
from tests.examples.catalog import WALLETS
from tests.money.faults.books import by_reason
from tests.money.faults.outage import OUTAGES, Course, course
from tests.money.faults.plan import Plan
from tests.money.faults.processes import cancel_on_sigterm
from tests.money.faults.report import counts
from tests.money.faults.run import RECOVER_SECONDS, Result

FULL = "wallet.v1"
"""A wallet that keeps to its contract."""
FORGETS = "wallet.v1, forgets cancels"
LEFT_MAX = 0.3
"""Of 1,000 callbacks to FULL, so many may be left to a person."""
SLOW = "slow"
"""The outage after which each owed win takes its time."""
_KINDS = (FULL, FORGETS, *WALLETS)
_WIDTH = 170


@dataclass(frozen=True, slots=True)
class Cell:
    """What came of one outage with one wallet."""

    wallet: str
    outage: str
    course: Course
    result: Result

    @property
    def left(self) -> float:
        """How many of 1,000 callbacks are left to a person."""
        return 1000 * len(self.result.verdict.for_person) / max(1, self.result.calls)

    @property
    def problems(self) -> list[str]:
        """What is not as it is promised."""
        found = [f"{key}: {problem}" for key, problem in self.result.verdict.differences] + self.result.wrong
        if self.wallet == FULL and self.left > LEFT_MAX:
            found.append(f"{self.left:.2f} of 1,000 callbacks are left to a person")
        if self.course.good_after > RECOVER_SECONDS:
            found.append(f"bets were answered as before only after {self.course.good_after:.1f} s")
        if self.course.wins_after > RECOVER_SECONDS and self.outage != SLOW:
            found.append(f"owed wins were in the wallet only after {self.course.wins_after:.1f} s")
        return found


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--wallet", "wallets", multiple=True, type=click.Choice(_KINDS), help="Repeatable; all without it.")
@click.option("--outage", "outages", multiple=True, type=click.Choice(list(OUTAGES)), help="Repeatable.")
@click.option("--owed", default=100, show_default=True, type=click.IntRange(1), help="Rows that are owed.")
@click.option("--seconds", default=60.0, show_default=True, help="How long an outage lasts, before scaling.")
@click.option("--scale", default=5.0, show_default=True, type=click.FloatRange(1, 20), help="Divides all times.")
@click.option("--jobs", default=2, show_default=True, type=click.IntRange(1), help="Runs at the same time.")
def main(  # noqa: PLR0913 - one for each option
    *, wallets: Sequence[str], outages: Sequence[str], owed: int, seconds: float, scale: float, jobs: int
) -> None:
    """Show what outages leave behind."""
    pairs = list(itertools.product(wallets or _KINDS, outages or list(OUTAGES)))
    cells = asyncio.run(_run_all(pairs, owed=owed, seconds=seconds, scale=scale, jobs=jobs))
    _show(cells)
    sys.exit(1 if any(cell.problems for cell in cells) else 0)


async def _run_all(
    pairs: Sequence[tuple[str, str]], *, owed: int, seconds: float, scale: float, jobs: int
) -> list[Cell]:
    places = asyncio.Semaphore(jobs)
    cancel_on_sigterm()

    async def make(wallet: str, outage: str) -> Cell:
        async with places:
            folder = Path(tempfile.mkdtemp(prefix="walletbridge-outage-"))
            plan = _plan(wallet, scale)
            cell = Cell(wallet, outage, *await course(plan, folder, OUTAGES[outage], owed=owed, seconds=seconds))
            click.echo(_line(cell))
            if not cell.problems:
                shutil.rmtree(folder)
            return cell

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(make(wallet, outage)) for wallet, outage in pairs]
    return [task.result() for task in tasks]


def _plan(wallet: str, scale: float) -> Plan:
    if wallet in WALLETS:
        remembers = WALLETS[wallet].remembers_cancels
        return Plan(seed=1, scale=scale, example=wallet, remembers_cancels=remembers)
    return Plan(seed=1, scale=scale, remembers_cancels=wallet == FULL)


def _line(cell: Cell) -> str:
    result, found = cell.result, cell.course
    problems = "; ".join(cell.problems[:5]) + (f"; {result.folder}" if cell.problems else "")
    return (
        f"{cell.wallet}, {cell.outage}: {result.calls} callbacks, {counts(result.failures)}; bets as before after "
        f"{found.good_after:.1f} s, wins in the wallet after {found.wins_after:.1f} s, settled after "
        f"{found.settled_after:.1f} s; person {counts(by_reason(result.verdict.for_person))}; "
        f"excused {counts(result.verdict.excused)}; problems: {problems or 'none'}"
    )


def _show(cells: Sequence[Cell]) -> None:
    outages = list(dict.fromkeys(cell.outage for cell in cells))
    table = Table("left to a person of 1,000", *outages)
    for wallet in dict.fromkeys(cell.wallet for cell in cells):
        table.add_row(wallet, *(f"{cell.left:.1f}" for cell in cells if cell.wallet == wallet))
    Console(width=_WIDTH).print(table)
    reasons: Counter[str] = Counter()
    for cell in cells:
        reasons += by_reason(cell.result.verdict.for_person)
    for reason, count in reasons.most_common():
        click.echo(f"{count:6} left to a person: {reason}")
    slowest = max(cells, key=lambda cell: cell.course.good_after)
    click.echo(f"bets as before after {slowest.course.good_after:.1f} s at most ({slowest.wallet}, {slowest.outage})")
    wrong = [f"{cell.wallet}, {cell.outage}" for cell in cells if cell.problems]
    click.echo(f"{len(cells)} outages; with problems: {'; '.join(wrong) or 'none'}")


if __name__ == "__main__":
    main()

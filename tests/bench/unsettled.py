"""
How long a start takes with very many rows that are not settled.

    uv run python -m tests.bench.unsettled
    uv run python -m tests.bench.unsettled --rows 1000000

"Opened" is what a start after another boot does to the file: all ages count from then on. "Loaded" is one round of the
resolver through all rows, page by page, as far as its decision what each of them needs. Callbacks need not wait for it.
"""

import asyncio
import time
from functools import partial
from itertools import batched
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from walletbridge.journal.clock import JournalClock
from walletbridge.journal.port import Change, Found
from walletbridge.journal.sqlite import SqliteJournal
from walletbridge.journal.store import Store
from walletbridge.rules.decisions import Times
from walletbridge.rules.resolver_plan import Action, Round, Switches, plan
from walletbridge.rules.row import Kind, Row
from walletbridge.transactions.resolver import PAGE_ROWS

_TIMES = Times(settle_after=10, abandon_after=60, redeliver_for=86400, recheck_after=(), give_up_after=300)
_BATCH_ROWS = 1000


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--rows", default=100_000, show_default=True, type=click.IntRange(1))
def main(*, rows: int) -> None:
    """Measure a start with so many rows that are not settled."""
    with TemporaryDirectory(prefix="walletbridge-bench-") as folder:
        path = Path(folder) / "journal.db"
        _fill(path, rows)
        started, cpu_started = time.monotonic(), time.process_time()
        Store(path, "opener 0 0 0", JournalClock("another boot", time.monotonic)).close()
        opened = time.monotonic() - started
        looked_at, loaded = asyncio.run(_load(path))
        cpu = time.process_time() - cpu_started
    click.echo(
        f"{looked_at:,} rows not settled: opened in {opened:.2f} s, loaded in {loaded:.2f} s; {cpu:.2f} s of CPU"
    )


def _fill(path: Path, rows: int) -> None:
    """Bets whose outcome is unknown, for which 500 has just gone out."""
    store = Store(path, "filler 0 0 0", JournalClock("a boot", time.monotonic))
    for numbers in batched(range(rows), _BATCH_ROWS):
        with store.transaction():
            for number in numbers:
                store.note("test1234", str(number), partial(_unresolved, str(number)))
    store.close()


def _unresolved(key: str, found: Found) -> Change[None]:
    row = Row(
        account="test1234",
        trans_id=key,
        kind=Kind.BET,
        amount=100,
        round_id=f"r{key}",
        request="{" + " " * 300 + "}",
        movement_unresolved_since=found.now,
        told_at=found.now,
        created_at=found.now,
    )
    return Change(row, takes_turn=False, value=None)


async def _load(path: Path) -> tuple[int, float]:
    """Rows, and seconds."""
    clock = JournalClock("another boot", time.monotonic)
    journal = SqliteJournal(path, keep_days=30, waiting_max=100, on_problem=click.echo, clock=clock)
    looked_at = after = 0
    started = time.monotonic()
    while True:
        page = await journal.to_look_at(after=after, limit=PAGE_ROWS)
        for _, row in page:
            wanted = plan(row, Round(), _TIMES, Switches(), now=journal.now())
            looked_at += wanted.action is Action.WAIT
        if len(page) < PAGE_ROWS:
            break
        after = page[-1][0]
    loaded = time.monotonic() - started
    await journal.close()
    return looked_at, loaded


if __name__ == "__main__":
    main()

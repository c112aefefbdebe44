"""
What walletbridge costs, beside what one could write by hand, in one run against the same wallet.

    uv run python -m tests.bench                        # all programs, 1 and 32 connections, `balance`
    uv run python -m tests.bench --kind bet --rounds 3
    uv run python -m tests.bench --kind bet --only serve --only unjournalled --syncs    # what the journal costs
    uv run python -m tests.bench --only naive --only mitmdump --connections 32
    uv run python -m tests.bench --only naive-web --only web --connections 8 --watched
    uv run python -m tests.bench --only plain --only serve --tls
    uv run python -m tests.bench --only plain --only serve --connections 256
    uv run python -m tests.bench --only plain-2 --only serve-2 --connections 32
    uv run python -m tests.bench --json > figures.json
    uv run python -m tests.bench --memory               # 100,000 callbacks through `serve`
    uv run python -m tests.bench.unsettled              # a start with 100,000 rows that are not settled

The programs:

- `naive`: a mitmproxy addon of twenty lines, without a token, deadline, check or log. The baseline.
- `plain`: an aiohttp server by hand, which checks the token. What leaving mitmproxy out would bring.
- `mitmdump`: walletbridge, loaded with `-s addon/main.py` and the flags of `naive`. It writes its log, to a file.
- `serve`: `walletbridge serve`.
- `naive-web` and `web` (only where they are named): the naive addon under mitmweb, and `walletbridge web`, which notes
  what came of each callback for people to see. A callback of `web` should take no more than 1.25 of the other's CPU,
  also while a browser looks (`--watched`).
- `plain-2` and `serve-2` (only where they are named): the same with two processes on one port; the CPU is that of all.
- `unjournalled` (only where it is named): `serve` with a journal that forgets. What a `bet` costs without a disk.

A bet of walletbridge is on disk before the wallet is called and again before it is answered; neither hand-written
program has anything like that. So its ratios say what the journal costs on this disk, and only those of `balance` say
what the gateway itself does.

How to read it: times and rates depend on the machine, ratios much less, so go by the ratios. Programs take turns, and
the best round of each counts, for each figure by itself. "CPU" is user and system time of the whole process for one
callback, the least of every 500, and the steadiest figure. "CPU spread" says how far the median round lies above the
best: where it is more than a few percent the machine was busy, and the run is worth repeating, or needs more rounds.
Rates and latencies at many connections are those of the load, the program and the wallet together, which share the
machine.

The memory that a run starts with grows while pools and caches fill; after 20,000 callbacks it should be flat.
"""

import asyncio
import signal
from typing import cast

import click
from tests.bench import report
from tests.bench.load import Kind
from tests.bench.measure import Plan, in_turns, memory
from tests.bench.programs import (
    MITMDUMP,
    NAIVE,
    NAIVE_WEB,
    PLAIN,
    PLAIN_TWO,
    PROGRAMS,
    SERVE,
    SERVE_TWO,
    UNJOURNALLED,
    WEB,
)

SETTLED_AFTER = 20_000
"""Callbacks after which memory should not grow."""
_MEBIBYTE = 1 << 20
_WITH_TLS = frozenset({PLAIN, PLAIN_TWO, SERVE, SERVE_TWO, UNJOURNALLED})
_WITH_PAGE = frozenset({NAIVE_WEB, WEB})


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--rounds", default=5, show_default=True, type=click.IntRange(1), help="How often each program has its turn."
)
@click.option("--callbacks", default=2000, show_default=True, type=click.IntRange(1), help="Callbacks in each turn.")
@click.option("--warm-up", default=500, show_default=True, type=click.IntRange(0), help="Callbacks before each turn.")
@click.option("--connections", multiple=True, default=(1, 32), show_default=True, type=click.IntRange(1))
@click.option("--kind", default="balance", show_default=True, type=click.Choice(["balance", "bet", "status"]))
@click.option(
    "--only",
    multiple=True,
    default=(NAIVE, PLAIN, MITMDUMP, SERVE),
    type=click.Choice(list(PROGRAMS)),
    help="These programs.",
)
@click.option("--tls", is_flag=True, help="Speak TLS with the program; only with `plain`, `serve` and those like them.")
@click.option("--watched", is_flag=True, help="A browser looks at mitmweb; only with `naive-web` and `web`.")
@click.option("--syncs", is_flag=True, help="Count how often the disk is made to write; needs strace.")
@click.option("--json", "as_json", is_flag=True, help="Print every round, as JSON.")
@click.option("--memory", "of_memory", is_flag=True, help="Measure the memory of `serve` instead.")
def main(  # noqa: PLR0913 - one for each option
    *,
    rounds: int,
    callbacks: int,
    warm_up: int,
    connections: tuple[int, ...],
    kind: str,
    only: tuple[str, ...],
    tls: bool,
    watched: bool,
    syncs: bool,
    as_json: bool,
    of_memory: bool,
) -> None:
    """Measure walletbridge beside what one could write by hand."""
    # Like Ctrl-C: whatever was started is ended first.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if of_memory:
        asyncio.run(_print_memory(cast("Kind", kind)))
        return
    if tls and not _WITH_TLS.issuperset(only):
        raise click.UsageError(f"with --tls, measure --only some of: {', '.join(sorted(_WITH_TLS))}")
    if watched and not _WITH_PAGE.issuperset(only):
        raise click.UsageError(f"with --watched, measure --only some of: {', '.join(sorted(_WITH_PAGE))}")
    plan = Plan(
        programs=[name for name in PROGRAMS if name in only],
        connections=connections,
        kind=cast("Kind", kind),
        rounds=rounds,
        callbacks=callbacks,
        warm_up=warm_up,
        counts_syncs=syncs,
        tls=tls,
        is_watched=watched,
    )
    measured = asyncio.run(in_turns(plan))
    if as_json:
        report.print_json(measured, kind)
    else:
        report.print_table(measured, kind)


async def _print_memory(kind: Kind) -> None:
    settled = last = 0
    async for sent, resident in memory(SERVE, kind):
        click.echo(f"{sent:7,} callbacks: {resident / _MEBIBYTE:6.1f} MiB")
        settled, last = (resident if sent <= SETTLED_AFTER else settled), resident
    click.echo(f"growth after the first {SETTLED_AFTER:,}: {(last - settled) / _MEBIBYTE:.1f} MiB")


if __name__ == "__main__":
    main()

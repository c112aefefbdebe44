"""
Prints what was measured: as ratios for people, as JSON for programs.
"""

import json
from collections.abc import Sequence
from statistics import median

import msgspec
from rich import box
from rich.console import Console
from rich.table import Column, Table
from tests.bench.load import Figures
from tests.bench.measure import Measured
from tests.bench.programs import MITMDUMP, NAIVE, NAIVE_WEB, PLAIN, PLAIN_TWO, SERVE, UNJOURNALLED

CPU_RATIO_MAX = 1.10
"""Of walletbridge to the naive addon, both under mitmdump and for `balance`: what all its care may cost."""
WIDTH = 140
"""Of a table, in columns, where it is not a terminal's."""


def print_table(measured: Sequence[Measured], kind: str) -> None:
    """A table for each number of connections, and what the benchmark is there to say."""
    console = Console()
    is_terminal = console.is_terminal
    if not is_terminal:
        console = Console(width=WIDTH)
    for connections in dict.fromkeys(one.connections for one in measured):
        same = {one.program: one for one in measured if one.connections == connections}
        table = _table(same, f"{kind}, {connections} connection{'s' if connections > 1 else ''}")
        if not is_terminal:
            # To be pasted as it is.
            table.box = box.MARKDOWN
        console.print(table)
        if kind == "balance" and {NAIVE, MITMDUMP} <= same.keys():
            console.print(_verdict(same))
        if kind == "bet" and {SERVE, UNJOURNALLED} <= same.keys():
            console.print(_journal_cost(same))


def print_json(measured: Sequence[Measured], kind: str) -> None:
    """All rounds, and the best of them; times in seconds."""
    rows = [
        {"program": one.program, "connections": one.connections, "kind": kind}
        | {"syncs": one.syncs, "best": msgspec.to_builtins(one.best), "rounds": msgspec.to_builtins(one.rounds)}
        for one in measured
    ]
    print(json.dumps(rows, indent=2))  # noqa: T201 - what was asked for


def _table(same: dict[str, Measured], title: str) -> Table:
    right = [Column(name, justify="right") for name in ("callbacks/s", "p50 ms", "p99 ms", "CPU µs", "CPU spread")]
    against = [baseline for baseline in (NAIVE, PLAIN, PLAIN_TWO, UNJOURNALLED, NAIVE_WEB) if baseline in same]
    ratios = [Column(f"rate, p50, p99, CPU to {baseline}", justify="right") for baseline in against]
    table = Table("program", *right, *ratios, title=title)
    for name, one in same.items():
        best = one.best
        table.add_row(
            name,
            f"{best.rate:.0f}",
            f"{best.p50 * 1e3:.2f}",
            f"{best.p99 * 1e3:.2f}",
            f"{best.cpu * 1e6:.0f}",
            f"{median(figures.cpu for figures in one.rounds) / best.cpu - 1:.0%}",
            *(_ratios(best, same[baseline].best) for baseline in against),
        )
    return table


def _ratios(ours: Figures, theirs: Figures) -> str:
    pairs = [(ours.rate, theirs.rate), (ours.p50, theirs.p50), (ours.p99, theirs.p99), (ours.cpu, theirs.cpu)]
    return "  ".join(f"{mine / other:.2f}" for mine, other in pairs)


def _verdict(same: dict[str, Measured]) -> str:
    ratio = same[MITMDUMP].best.cpu / same[NAIVE].best.cpu
    word = "within" if ratio <= CPU_RATIO_MAX else "over"
    return (
        f"CPU of walletbridge under mitmdump to the naive addon: {ratio:.3f}, {word} the aim of {CPU_RATIO_MAX:.2f}\n"
    )


def _journal_cost(same: dict[str, Measured]) -> str:
    with_it, without = same[SERVE].best, same[UNJOURNALLED].best
    syncs = same[SERVE].syncs
    counted = "" if syncs is None else f", {syncs:.2f} syncs"
    return (
        f"The journal costs a bet {1e3 * (with_it.p50 - without.p50):.2f} ms at p50 and "
        f"{with_it.cpu / without.cpu:.2f} times the CPU{counted}\n"
    )

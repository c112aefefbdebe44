"""
What an example wallet has of each transaction when all is over, as the fault bench wants it. Pure.
"""

from collections.abc import Iterable, Iterator, Mapping

from tests.examples.books import Entry as Booked
from tests.examples.service import Movement
from tests.money.faults.books import Entry

type Named = tuple[Movement, Booked]
"""An entry of a wallet's books, by the provider's names."""


def entries_of(named: Iterable[Named]) -> tuple[dict[str, Entry], list[tuple[str, str]]]:
    """The wallet's transactions, and each that moved money twice or was cancelled before it came."""
    entries: dict[str, Entry] = {}
    wrong: list[tuple[str, str]] = []
    for movement, booked in named:
        moved = (booked.delta, booked.time_ms / 1000)
        entry = entries.get(movement.trans_id)
        if movement.kind == "cancel":
            if entry is None:
                wrong.append((movement.trans_id, "its cancel moved money before it did"))
                continue
            if "cancel" in entry.moved:
                wrong.append((movement.trans_id, "its cancel moved money twice"))
            entry.cancelled = True
            entry.moved["cancel"] = moved
        elif entry is not None:
            wrong.append((movement.trans_id, f"it moved money twice, as {entry.kind} and as {movement.kind}"))
        else:
            entries[movement.trans_id] = Entry(
                booked.account, movement.kind, abs(booked.delta), cancelled=False, moved={movement.kind: moved}
            )
    return entries, wrong


def sums(balances: Mapping[str, tuple[int, int]], booked: Iterable[Booked]) -> Iterator[tuple[str, str]]:
    """Accounts whose balance is not what was seeded and moved."""
    moved = dict.fromkeys(balances, 0)
    for entry in booked:
        moved[entry.account] += 0 if entry.is_past else entry.delta
    for account, (balance, seed) in balances.items():
        if seed + moved[account] != balance:
            yield account, f"{seed} and {moved[account]} are not {balance}"

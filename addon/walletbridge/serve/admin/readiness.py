"""
Whether callbacks can be answered now, check by check.
"""

from typing import NamedTuple

from walletbridge.journal.probe import Probed
from walletbridge.observe.metrics import names
from walletbridge.observe.metrics.exposition import Totals
from walletbridge.observe.metrics.names import WorkerState


class Check(NamedTuple):
    """One condition of readiness."""

    name: str
    problem: str
    """Empty if the condition holds."""


TIMES_NOT_KEPT = "the times of connections are not kept"


def checks(totals: Totals, probed: Probed, *, is_stopping: bool, is_alive: bool = True) -> list[Check]:
    """
    The checks that a load balancer needs of the whole gateway.

    One worker that serves and has the wallet is enough: the others soon stop taking callbacks that they cannot answer.
    """
    states = {labels["state"]: number for labels, number in totals.get(names.WORKERS, ())}
    failing = _sum(totals, names.JOURNAL_FAILING)
    return [
        Check("draining", "the gateway is stopping" if is_stopping else ""),
        Check("process", "" if is_alive else TIMES_NOT_KEPT),
        Check("workers", "" if states.get(WorkerState.SERVING) else "no worker serves"),
        Check("wallet", "" if _sum(totals, names.WALLET_CONNECTED) else "no worker has a connection to the wallet"),
        Check("journal", probed.problem or (f"{failing} workers cannot write it" if failing else "")),
    ]


def _sum(totals: Totals, name: str) -> int:
    return sum(number for _, number in totals.get(name, ()))

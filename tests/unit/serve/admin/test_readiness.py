"""When callbacks should be sent here, and what stands in the way."""

from typing import Any

import pytest

from walletbridge.journal.probe import Probed
from walletbridge.observe.metrics import names
from walletbridge.observe.metrics.exposition import totals
from walletbridge.observe.metrics.part import Part
from walletbridge.serve.admin.readiness import checks


def worker(state: str = "serving", *, wallet: int = 1, failing: int = 0) -> Part:
    part = Part()
    part.set(names.WORKERS, 1, state=state)
    part.set(names.WALLET_CONNECTED, wallet)
    part.set(names.JOURNAL_FAILING, failing)
    return part


def problems(*workers: Part, probed: Probed | None = None, is_stopping: bool = False) -> dict[str, str]:
    found = checks(totals(workers), probed or Probed(), is_stopping=is_stopping)
    return {check.name: check.problem for check in found if check.problem}


def test_all_is_well_where_workers_serve_and_have_wallet_and_journal() -> None:
    assert problems(worker(), worker()) == {}


def test_one_worker_that_can_is_enough() -> None:
    """While others are replaced."""
    assert problems(worker(), worker("starting", wallet=0), worker("draining", wallet=0), Part()) == {}


@pytest.mark.parametrize("state", ["starting", "ready", "draining"])
def test_without_a_worker_that_serves_it_is_not_ready(state: str) -> None:
    assert problems(worker(state)) == {"workers": "no worker serves"}


def test_without_a_wallet_it_is_not_ready() -> None:
    assert problems(worker(wallet=0)) == {"wallet": "no worker has a connection to the wallet"}


@pytest.mark.parametrize(
    ("parts", "probed", "problem"),
    [
        ([worker()], Probed(problem="disk I/O error"), "disk I/O error"),
        ([worker(), worker(failing=1)], Probed(), "1 workers cannot write it"),
    ],
)
def test_without_a_journal_it_is_not_ready(parts: list[Any], probed: Probed, problem: str) -> None:
    assert problems(*parts, probed=probed) == {"journal": problem}


def test_on_its_way_down_it_is_not_ready() -> None:
    assert problems(worker(), is_stopping=True) == {"draining": "the gateway is stopping"}

"""A ledger with three players, for whoever tests the demo wallet's money."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from walletbridge.demo.ledger import Ledger

NOW = 1_700_000_000
"""The ledger's time, in Unix seconds, until a test says otherwise."""


class Clock:
    """Unix seconds that a test sets."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """Ann has 100 minor units and may play; Ina has 100 and may not; Bob has 50."""
    ledger = Ledger(tmp_path / "wallet.db", clock=Clock())
    ledger.add_player("ann", 100)
    ledger.add_player("ina", 100, active=False)
    ledger.add_player("bob", 50)
    yield ledger
    ledger.close()

"""What the processes of a run are told."""

import json
from pathlib import Path

import pytest
from tests.faults.plan import Plan
from tests.faults.system import settings

from walletbridge.settings import load


@pytest.mark.parametrize("scale", [1, 4, 10, 20])
@pytest.mark.parametrize("gateways", [1, 2])
def test_the_settings_are_good_at_every_scale(tmp_path: Path, scale: float, gateways: int) -> None:
    config = tmp_path / "walletbridge.yaml"
    config.write_text(
        json.dumps(settings(Plan(seed=1, scale=scale, gateways=gateways, remembers_cancels=False), 50051))
    )

    found = load(config)

    assert found.wallet.target == "127.0.0.1:50051"
    assert not found.wallet.late_bets_refused
    assert found.deadlines.bet == 2 / scale

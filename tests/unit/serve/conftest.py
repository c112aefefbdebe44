"""What tests of the supervisor share: workers that are processes, but without mitmproxy."""

import json
import os
import sys
from pathlib import Path

import msgspec
import pytest

from walletbridge.serve.worker import Place
from walletbridge.serve.workers import process

ROOT = Path(__file__).parents[3]


@pytest.fixture
def plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that says what fake workers do; as long as nobody writes to it, all that is expected of them."""
    plan = tmp_path / "plan.json"
    plan.write_text(json.dumps({}))

    def command(_: Path, place: Place) -> list[str]:
        return [sys.executable, "-m", "tests.unit.serve.fake_worker", str(plan), msgspec.json.encode(place).decode()]

    monkeypatch.setattr(process, "command", command)
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    monkeypatch.setenv("PYTHONPATH", path)
    monkeypatch.setenv("WALLETBRIDGE_CALLBACK_TOKEN", "token")
    return plan

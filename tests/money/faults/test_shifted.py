"""A wall clock that is moved from outside."""

import time
from pathlib import Path

import pytest
from tests.money.faults.shifted import follow_clock, move_clock


def test_a_clock_is_moved_while_its_process_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", lambda: 1000.0)
    move_clock(tmp_path / "clock", -900)
    follow_clock(tmp_path / "clock")

    assert time.time() == 100.0
    move_clock(tmp_path / "clock", 50)
    assert time.time() == 1050.0

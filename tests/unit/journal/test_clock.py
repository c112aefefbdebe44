"""The journal's clock: what it counts from has a name, and it goes forward."""

import time
from pathlib import Path

import pytest

from walletbridge.journal import clock
from walletbridge.journal.clock import journal_clock


def test_it_never_goes_back() -> None:
    now = journal_clock().now

    times = [now() for _ in range(1000)]

    assert times == sorted(times)
    assert times[0] < times[-1]


def test_on_linux_it_counts_from_the_boot_that_its_epoch_names() -> None:
    first, second = journal_clock(), journal_clock()

    assert first.epoch == second.epoch == f"boot {Path('/proc/sys/kernel/random/boot_id').read_text().strip()}"
    assert first.now() == pytest.approx(time.clock_gettime(time.CLOCK_BOOTTIME), abs=5)


def test_elsewhere_each_process_has_its_own_epoch(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(clock, "_BOOT_ID", tmp_path / "missing")

    first, second = journal_clock(), journal_clock()

    assert first.epoch.startswith("process ")
    assert first.epoch != second.epoch
    assert first.now() == pytest.approx(time.monotonic(), abs=5)

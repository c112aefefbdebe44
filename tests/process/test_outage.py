"""While the wallet is down, callers hear so at once; when it is back, they notice soon."""

import statistics
from pathlib import Path

import pytest
from tests.process.outage import Kind, Outage, outage

SECONDS = 4.0
FAIL_SECONDS = 0.05
"""The median, of all but the cancels of a wallet that hangs: those are tried."""
P99_SECONDS = 1.5
"""For a disk that does other work at the same time; who waits for a wallet needs longer."""
BACK_SECONDS = 1.0
HEADROOM_SECONDS = 0.3
"""On top of the last, for machines that do other work at the same time."""


def expect_quick(kind: Kind, seen: Outage) -> None:
    """What `seen` must show. Raises AssertionError."""
    refused = [each for each in seen.meanwhile if kind is Kind.AWAY or each.command != "cancel"]
    took = sorted(each.seconds for each in refused)
    median, p99, success = statistics.median(took), took[len(took) * 99 // 100], seen.seconds_to_success
    print(  # noqa: T201 - for pytest -s
        f"{kind}: {len(took)} refused, median {median:.4f} s, p99 {p99:.4f} s; success {success:.3f} s after the return"
    )

    assert {each.command for each in refused} >= {"bet", "win", "balance", "authenticate", "status"}
    assert {each.status for each in refused} == {500}
    assert median < FAIL_SECONDS
    assert p99 < P99_SECONDS
    assert success < BACK_SECONDS + HEADROOM_SECONDS
    assert set(seen.last) == {200}


@pytest.mark.parametrize("kind", Kind)
async def test_callbacks_fail_at_once_while_the_wallet_is_down_and_succeed_soon_after(
    kind: Kind, tmp_path: Path
) -> None:
    """For a minute: `uv run pytest -s tests/system/test_outage.py`."""
    expect_quick(kind, await outage(kind, tmp_path, seconds=SECONDS))

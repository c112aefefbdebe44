"""After an outage callbacks are served again, although much is owed."""

from pathlib import Path

import pytest
from tests.bench.recovery import Kind, recovery

GOODPUT_SECONDS = 10.0
OWED = 40
BETS_A_SECOND = 5
"""Before the outage, at least; the load has ten."""


@pytest.mark.parametrize("kind", [Kind.SLOW, Kind.ONE_METHOD])
async def test_callbacks_are_served_again_soon_and_what_was_owed_is_settled(kind: Kind, tmp_path: Path) -> None:
    """For all kinds, longer and with more that is owed: `uv run python -m tests.bench.recovery`."""
    seen = await recovery(kind, tmp_path, seconds=4, owed=OWED)
    print(seen)  # noqa: T201 - for pytest -s

    assert seen.owed > OWED / 2
    assert seen.before > BETS_A_SECOND
    assert seen.goodput is not None
    assert seen.goodput < GOODPUT_SECONDS
    assert seen.settled is not None

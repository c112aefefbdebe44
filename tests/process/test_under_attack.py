"""A short form of `under_attack`: long enough for every kind of attack and every timer, on a busy machine, too."""

from pathlib import Path

from tests.process.under_attack import attacked

SECONDS = 12
RATE = 50
P99_SECONDS_MAX = 2.0
GROWTH_MAX = 1.5
"""The memory of a process that has begun a moment ago."""


async def test_the_provider_is_answered_among_strangers(tmp_path: Path) -> None:
    seen = await attacked(tmp_path, SECONDS, rate=RATE)

    assert seen.problems(p99_max=P99_SECONDS_MAX, growth_max=GROWTH_MAX) == [], seen.report()

"""
The acceptance of flat memory: 100,000 callbacks through `walletbridge serve`. Takes some minutes.

`uv run pytest tests/system/test_soak.py`
"""

from pathlib import Path

import pytest
from tests.process.load import memory_of_callbacks

COUNT = 100_000
GROWTH_BYTES_MAX = 5_000_000
"""Fifty bytes a callback."""


@pytest.mark.timeout(3600)
async def test_memory_does_not_grow_with_a_hundred_thousand_callbacks(tmp_path: Path) -> None:
    memory = await memory_of_callbacks(tmp_path, warm_up=5000, count=COUNT)

    print(f"before: {memory.before} bytes, after: {memory.after} bytes")  # noqa: T201 - for pytest -s
    assert memory.growth < GROWTH_BYTES_MAX

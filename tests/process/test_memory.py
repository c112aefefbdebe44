"""The gateway's memory is flat. `uv run pytest tests/system/test_soak.py` does the same with 100,000 callbacks."""

from pathlib import Path

from tests.process.load import memory_of_callbacks

COUNT = 3000
GROWTH_BYTES_MAX = 3_000_000
"""A thousand bytes a callback: a third of what mitmproxy takes for a flow that it keeps."""


async def test_memory_does_not_grow_with_the_callbacks(tmp_path: Path) -> None:
    memory = await memory_of_callbacks(tmp_path, warm_up=500, count=COUNT)

    assert memory.growth < GROWTH_BYTES_MAX

"""
The acceptance of an outage of a minute, in both kinds. Takes some minutes.

`uv run pytest -s tests/system/test_outage.py`
"""

from pathlib import Path

import pytest
from tests.process.outage import Kind, outage
from tests.process.test_outage import expect_quick

SECONDS = 60.0


@pytest.mark.timeout(300)
@pytest.mark.parametrize("kind", Kind)
async def test_an_outage_of_a_minute(kind: Kind, tmp_path: Path) -> None:
    expect_quick(kind, await outage(kind, tmp_path, seconds=SECONDS))

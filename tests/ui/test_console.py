"""Comments in the console's list."""

import json
import os
import subprocess
import sys
from typing import Any

import pytest
from tests.helpers.processes import ROOT

from walletbridge.ui.summary import COMMENT_MAX


@pytest.fixture(scope="module")
def drawn() -> Any:
    """See `tests.ui.drawn`."""
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    program = [sys.executable, "-m", "tests.ui.drawn"]
    return json.loads(subprocess.run(program, capture_output=True, check=True, cwd=ROOT, env=environ).stdout)


def test_a_callback_has_its_comment_below_at_eighty_columns(drawn: Any) -> None:
    assert drawn["shown"] == [*drawn["plain"], f"   {drawn['comment']}"]
    assert len(drawn["comment"]) <= COMMENT_MAX
    assert drawn["comment"].endswith(" -> 0 balance 4000 | PlaceBet 3 ms")


def test_other_flows_look_as_ever(drawn: Any) -> None:
    assert drawn["other shown"] == drawn["other"]


def test_outside_the_console_nothing_is_done(drawn: Any) -> None:
    assert drawn["elsewhere"] == drawn["plain"]

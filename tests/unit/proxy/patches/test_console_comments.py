"""Comments in the console's list."""

import json
import os
import re
import subprocess
import sys
from typing import Any

import pytest
from tests.support.processes import ROOT


@pytest.fixture(scope="module")
def drawn() -> Any:
    """See `tests.unit.proxy.live_view.drawn`."""
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    program = [sys.executable, "-m", "tests.unit.proxy.live_view.drawn"]
    return json.loads(subprocess.run(program, capture_output=True, check=True, cwd=ROOT, env=environ).stdout)


def test_a_callback_has_its_comment_below_at_eighty_columns(drawn: Any) -> None:
    *plain, line = drawn["shown"]
    assert plain == drawn["plain"]
    assert re.fullmatch(r"\d\d:\d\d:\d\d bet .+ -> 0 balanc… \| 3 ms", line)
    assert len(line) < 80


def test_other_flows_look_as_ever(drawn: Any) -> None:
    assert drawn["other shown"] == drawn["other"]


def test_outside_the_console_nothing_is_done(drawn: Any) -> None:
    assert drawn["elsewhere"] == drawn["plain"]

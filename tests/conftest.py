"""
What holds for every test, and how the tests are shared out among processes.

A file's tests stay together. So do the files of a folder that share its house, since a gateway takes longer to start
than most tests; they say so by `loop_scope="package"`.
"""

import os
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadScopeScheduling

# gRPC writes lines of its own to stderr. It reads this once, at its import, and a test's helper may be the first.
os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
# A machine may forbid Python to write bytecode. Then each process that a test starts compiles mitmproxy anew, which
# takes three times as long.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# How long an example takes says more of the machine than of the code.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")

PROCESSES = 3
"""More than small machines have cores: tests of real processes mostly wait."""
LONGEST_FIRST = ("process", "examples", "unit/serve", "unit/demo", "money/model", "unit/simulator")
"""Folders. What begins with them has short work left with which to end evenly."""
_HERE = Path(__file__).parent
_SHARES_THE_HOUSE = 'pytestmark = pytest.mark.asyncio(loop_scope="package")'


class _Scheduler(LoadScopeScheduling):  # type: ignore[misc]
    """Shares out files, and the folders of those that share a house."""

    def _split_scope(self, nodeid: str) -> str:
        return _together(nodeid.partition("::")[0])


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> _Scheduler:
    """See `_Scheduler`. xdist's own groups do nothing under pytest 9.2: its issue 1386."""
    return _Scheduler(config, log)


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """None where single files are named, or output is to be seen at once: with one process all is as usual."""
    names_files = any(".py" in named for named in config.option.file_or_dir)
    return 0 if names_files or config.option.capture == "no" else PROCESSES


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Puts the longest first, where several processes share them out."""
    if hasattr(config, "workerinput"):
        items.sort(key=_place)


@cache
def _together(file: str) -> str:
    path = _HERE.parent / file
    return str(path.parent) if _shares_the_house(path) else file


@cache
def _shares_the_house(path: Path) -> bool:
    return _SHARES_THE_HOUSE in path.read_text()


def _place(item: pytest.Item) -> tuple[int, bool]:
    path, shares = item.path.relative_to(_HERE).as_posix(), _shares_the_house(item.path)
    places = (place for place, folder in enumerate(LONGEST_FIRST) if path.startswith(f"{folder}/"))
    return (next(places, len(LONGEST_FIRST)), not shares)

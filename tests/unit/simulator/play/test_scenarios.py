"""The list of plays."""

import inspect
from types import ModuleType

import pytest

from walletbridge.simulator.play import bursts, plays, refusals
from walletbridge.simulator.play.scenarios import SCENARIOS


@pytest.mark.parametrize("module", [plays, bursts, refusals], ids=lambda module: module.__name__.rpartition(".")[2])
def test_every_play_is_in_the_list(module: ModuleType) -> None:
    written = {
        play
        for name, play in inspect.getmembers(module, inspect.iscoroutinefunction)
        if play.__module__ == module.__name__ and not name.startswith("_")
    }

    assert written <= {scenario.play for scenario in SCENARIOS}


def test_each_name_stands_once() -> None:
    assert len({scenario.name for scenario in SCENARIOS}) == len(SCENARIOS)


def test_what_asks_for_other_accounts_is_not_repeated() -> None:
    once = {scenario.name for scenario in SCENARIOS if not scenario.weight}

    assert once == {"wrong tokens", "malformed bodies", "varied bodies", "unknown account", "inactive account"}

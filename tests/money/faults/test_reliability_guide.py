"""The guide says of every world what holds in it, and names all that is excused."""

import re
from pathlib import Path

import pytest
from tests.money.faults import books, excuses
from tests.money.faults.worlds import DRAWN, World

ROOT = Path(__file__).parents[3]
GUIDE = (ROOT / "config/guides/reliability.md").read_text()
NOT_PROMISED = GUIDE.partition("## Not promised")[2].partition("\n## ")[0]


@pytest.mark.parametrize("world", list(World))
def test_every_world_has_its_row(world: World) -> None:
    assert f"| `{world}` |" in GUIDE


def test_a_world_that_seeds_do_not_draw_is_not_promised() -> None:
    assert [world for world in World if world not in DRAWN and f"`{world}`" not in NOT_PROMISED] == []


def test_all_that_is_excused_is_not_promised() -> None:
    of_older = Path(books.__file__).read_text().partition("def _excuse_of_older")[2].partition("\n\n\n")[0]
    source = Path(excuses.__file__).read_text().partition("_LOST_ON_THE_WAY = ")[2] + of_older
    named = set(re.findall(r'"([a-z][a-z ,]{8,})"', source)) - {"left to a person"}

    assert len(named) == 8
    assert {excuse for excuse in named if f"*{excuse}*" not in NOT_PROMISED} == set()

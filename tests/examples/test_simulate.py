"""The provider, played by `walletbridge simulate` against a real gateway, finds nothing wrong, whatever the wallet."""

import asyncio
from itertools import batched
from pathlib import Path

import pytest
from tests.examples.house import ALL, running_house
from tests.support.processes import TOKEN_VARIABLE

PLAYER = "test1234"
CONFORMING = 0


async def simulate(name: str, folder: Path) -> tuple[int, str]:
    """The exit code and what was printed. Checks the books as well."""
    async with running_house(name, folder) as house:
        house.wallet.ledger.add_player(PLAYER, 500_000)
        house.wallet.ledger.add_player("inactive1", 10_000, active=False)
        said = await house.command(
            *("simulate", "--url", house.gateway.url, "--token-env", TOKEN_VARIABLE),
            *("--inactive-account", "inactive1", "--decimals", "2"),
        )

        # A cancel for a player who is not there, or not active, stays listed; nothing of one who plays does.
        assert [row for row in house.unsettled().values() if row["account"] == PLAYER] == []
        assert house.wallet.entries()[1] == []
        return said


def folder_of(tmp_path: Path, name: str) -> Path:
    folder = tmp_path / name
    folder.mkdir()
    return folder


@pytest.mark.parametrize("names", list(batched(ALL, 2)), ids="+".join)
async def test_a_simulated_provider_is_content(tmp_path: Path, names: tuple[str, ...]) -> None:
    """Two at once: most of the time goes into starting."""
    results = await asyncio.gather(*(simulate(name, folder_of(tmp_path, name)) for name in names))

    assert [(name, said) for name, (code, said) in zip(names, results, strict=True) if code != CONFORMING] == []

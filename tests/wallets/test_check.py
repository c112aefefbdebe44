"""`walletbridge check` finds nothing wrong with any example, and the mapping's own words are kept by the settings."""

import sys
from pathlib import Path

import pytest
from tests.helpers.processes import end_of
from tests.wallets.catalog import WALLETS
from tests.wallets.house import running_wallet
from tests.wallets.protos import EXAMPLES

from walletbridge.settings import load


@pytest.mark.parametrize("name", WALLETS)
async def test_an_example_is_clean(tmp_path: Path, name: str) -> None:
    async with running_wallet(name, tmp_path / "wallet.db") as wallet:
        config = tmp_path / "walletbridge.yaml"
        settings = (EXAMPLES / name / "walletbridge.yaml").read_text()
        moved = settings.replace("127.0.0.1:50051", f"127.0.0.1:{wallet.port}")
        config.write_text(moved.replace("mapping.yaml", str(EXAMPLES / name / "mapping.yaml")))
        code, said = await end_of([sys.executable, "-m", "walletbridge", "check", "--config", str(config)], tmp_path)

    assert (code, [line for line in said.splitlines() if line.startswith("✗")]) == (0, []), said


@pytest.mark.parametrize("name", WALLETS)
def test_an_example_s_settings_name_its_mapping(name: str) -> None:
    settings = load(EXAMPLES / name / "walletbridge.yaml")

    assert settings.wallet.mapping is not None
    assert settings.wallet.mapping.samefile(EXAMPLES / name / "mapping.yaml")
    assert settings.wallet.target == "127.0.0.1:50051"

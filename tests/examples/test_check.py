"""`walletbridge check` finds nothing wrong with any example, and `init` finds every method of its proto."""

import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.examples.catalog import WALLETS
from tests.examples.house import running_wallet
from tests.examples.protos import EXAMPLES, load_proto
from tests.support.processes import end_of

from walletbridge.cli import main
from walletbridge.protocol.callbacks import Command
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


@pytest.mark.parametrize("name", WALLETS)
def test_each_command_of_an_example_can_be_explained(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What no reply says is the last line of each."""
    monkeypatch.setenv("WALLETBRIDGE_CALLBACK_TOKEN", "any")
    config = EXAMPLES / name / "walletbridge.yaml"
    for command in Command:
        explained = CliRunner().invoke(main, ["check", "--config", str(config), "--explain", command.value])

        assert explained.exit_code == 0, explained.output
        assert command is Command.STATUS or "anything else -> HTTP 500" in explained.output


@pytest.mark.parametrize("name", WALLETS)
def test_a_first_mapping_names_every_method(name: str) -> None:
    drafted = CliRunner().invoke(main, ["init", "--proto", str(EXAMPLES / name / "wallet.proto")])

    assert drafted.exit_code == 0, drafted.output
    service = load_proto(name).service
    assert service.full_name in drafted.output
    assert [method.name for method in service.methods if method.name not in drafted.output] == []


@pytest.mark.parametrize("name", WALLETS)
async def test_a_first_mapping_is_had_from_reflection(tmp_path: Path, name: str) -> None:
    async with running_wallet(name, tmp_path / "wallet.db") as wallet:
        init = [sys.executable, "-m", "walletbridge", "init", "--target", f"127.0.0.1:{wallet.port}"]
        code, said = await end_of(init, tmp_path)

    assert code == 0, said
    assert load_proto(name).service.full_name in said

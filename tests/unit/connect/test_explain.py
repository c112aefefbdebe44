"""`walletbridge check --explain`: shown by the code that does it."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.support.mappings import BANK_MAPPING, write_bank

from walletbridge.cli import main
from walletbridge.connect.explain import explain, sample
from walletbridge.protocol.callbacks import Command, decode

NO_FUNDS = 'HTTP 200 {"result":31,"status":"ERROR","data":{"balance":4000}}'


def lines(folder: Path, command: str, mapping: str = BANK_MAPPING) -> list[str]:
    write_bank(folder, mapping)
    config = folder / "walletbridge.yaml"
    config.write_text("wallet: {target: '127.0.0.1:1', mapping: mapping.yaml}\n")
    return [line.strip() for line in explain(config, command)]


@pytest.mark.parametrize("command", Command)
def test_a_sample_is_a_callback(command: Command) -> None:
    assert decode(sample(command), currency_decimals=2).command is command


def test_a_bet_is_shown_with_its_request_and_each_answer(tmp_path: Path) -> None:
    shown = lines(tmp_path, "bet")

    for line in (
        "bet: bank.Wallet/Debit",
        "first, unless it is known: bank.Wallet/FindUser",
        'login: "test1234"',
        "user_id: 7",
        'amount: "10.00"',
        'reference: "bet:1676358190"',
        "metadata x-request: bet-1676358190",
        'status is STATUS_OK -> HTTP 200 {"result":0,"status":"OK","data":{"balance":4000}}',
        'status is STATUS_NO_USER -> HTTP 200 {"result":21,"status":"ERROR"}',
        f"status is STATUS_NO_FUNDS -> {NO_FUNDS}, the balance from the command balance",
        'anything else -> HTTP 500 {"result":99,"status":"ERROR"}',
    ):
        assert line in shown
    assert any(line.startswith("status is STATUS_UNSPECIFIED -> HTTP 500") for line in shown)


def test_a_cancel_that_is_the_opposite_movement_is_shown_both_ways(tmp_path: Path) -> None:
    shown = lines(tmp_path, "cancel")

    assert "cancel of a bet (undo_bet): bank.Wallet/Credit" in shown
    assert "cancel of a win (undo_win): bank.Wallet/Debit" in shown
    assert any("which is answered by what the journal knows" in line for line in shown)


def test_a_status_from_the_journal_calls_nobody(tmp_path: Path) -> None:
    text = BANK_MAPPING[: BANK_MAPPING.index("  status:\n")] + "  status: journal\n"

    assert lines(tmp_path, "status", text)[-1] == "no wallet call: the journal answers it"


def test_a_secret_of_the_environment_is_not_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_KEY", "sesame")
    shown = lines(tmp_path, "bet", BANK_MAPPING.replace("x-client: walletbridge", 'x-client: "{env.API_KEY}"'))

    assert "sesame" not in str(shown)
    assert "metadata x-client: ..." in shown


@pytest.mark.parametrize("command", Command)
def test_the_command_shows_wallet_v1(tmp_path: Path, command: Command) -> None:
    config = tmp_path / "walletbridge.yaml"
    config.write_text("wallet: {target: '127.0.0.1:1'}\n")
    result = CliRunner().invoke(main, ["check", "--config", str(config), "--explain", str(command)])

    assert result.exit_code == 0
    assert re.search(rf"^{command}: wallet.v1.WalletService/", result.output, re.MULTILINE)


def test_a_mapping_with_a_mistake_is_told(tmp_path: Path) -> None:
    write_bank(tmp_path, "x: 1\n")
    config = tmp_path / "walletbridge.yaml"
    config.write_text("wallet: {target: '127.0.0.1:1', mapping: mapping.yaml}\n")
    result = CliRunner().invoke(main, ["check", "--config", str(config), "--explain", "bet"])

    assert result.exit_code == 1
    assert "lacks schema, promises, commands" in result.output

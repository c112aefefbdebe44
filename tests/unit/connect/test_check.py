"""`walletbridge check`: what it looks at, and what it says of each thing."""

import asyncio
import socket
from collections.abc import Iterator
from pathlib import Path

import apsw
import grpc
import pytest
from tests.support.http_proxy import counting_proxy
from tests.support.mappings import BANK, BANK_MAPPING, compile_text, write_bank
from tests.support.reflecting import reflecting
from tests.support.scripted_wallet import HOST, OK, Hang, Step, abort, raw, reply, running_wallet

from walletbridge.connect import check as check_module
from walletbridge.connect.check import NOBODY, Finding, check
from walletbridge.wallet.v1 import wallet_service_pb2 as v1

VARIABLE = "WALLETBRIDGE_CALLBACK_TOKEN"
SECRET = "hunter2"  # noqa: S105 - not a secret, it only plays one


@pytest.fixture(autouse=True)
def _token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, f"{SECRET},other")


@pytest.fixture
def dead_port() -> Iterator[int]:
    """A port that refuses connections, and that nobody else is given meanwhile."""
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        yield taken.getsockname()[1]


def settings_at(folder: Path, port: int, more: str = "") -> Path:
    path = folder / "walletbridge.yaml"
    path.write_text(f"wallet: {{target: '{HOST}:{port}'{more}}}\n")
    return path


async def findings(config: Path, *, live: bool = False) -> list[Finding]:
    """From a thread, as a check has an event loop of its own."""
    return await asyncio.to_thread(lambda: list(check(config, live=live)))


async def test_where_all_is_there_every_finding_is_right(tmp_path: Path) -> None:
    async with running_wallet() as (wallet, port):
        wallet.script("GetBalance", reply(outcome=v1.OUTCOME_PLAYER_NOT_FOUND))
        config = settings_at(tmp_path, port)

        assert await findings(config) == [
            Finding(is_right=True, text=f"settings: {config} reads well"),
            Finding(
                is_right=True, text=f"journal: {tmp_path / 'walletbridge.db'}, by SQLite {apsw.sqlite_lib_version()}"
            ),
            Finding(is_right=True, text="token: 2 accepted"),
            Finding(is_right=True, text="mapping: wallet.v1 fits the wallet's proto"),
            Finding(is_right=True, text=f"wallet: {HOST}:{port} answers GetBalance (PLAYER_NOT_FOUND)"),
        ]
        [call] = wallet.calls
        assert (call.request.account, list(call.request.checks)) == (NOBODY, [21])


async def test_a_wallet_that_is_not_there_is_told(
    tmp_path: Path, dead_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(check_module, "CONNECT_SECONDS", 0.2)
    *_, last = await findings(settings_at(tmp_path, dead_port))

    assert last.is_right is False
    assert last.text.startswith(f"wallet: no connection to {HOST}:{dead_port} within ")
    assert "wallet.tls" in last.text


@pytest.mark.parametrize(
    ("step", "problem"),
    [
        (abort(grpc.StatusCode.UNIMPLEMENTED), "the wallet has no such method"),
        (abort(grpc.StatusCode.PERMISSION_DENIED), "the wallet answered PERMISSION_DENIED"),
        (raw(b"\xff"), "the wallet's response is not one of this method"),
        (reply(outcome=v1.OUTCOME_FAILED), "the wallet answered balance with FAILED"),
        (Hang(), "the wallet did not answer within the budget"),
    ],
)
async def test_a_wallet_that_does_not_answer_well_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: Step, problem: str
) -> None:
    monkeypatch.setattr(check_module, "ASK_SECONDS", 0.3)
    async with running_wallet() as (wallet, port):
        wallet.script("GetBalance", step)
        *_, last = await findings(settings_at(tmp_path, port))

    assert last == Finding(is_right=False, text=f"wallet: {HOST}:{port} is there, but GetBalance failed: {problem}")


async def test_each_mistake_in_the_settings_has_its_line_and_ends_the_check(tmp_path: Path) -> None:
    config = tmp_path / "walletbridge.yaml"
    config.write_text(f"listn: 1\ncallback: {{token: {SECRET}}}\nwallet: {{target: 'x', currency_decimals: 9}}\n")
    found = await findings(config)

    assert [finding.is_right for finding in found] == [False] * 3
    assert [finding.text.partition(": ")[0] for finding in found] == [f"{config}:{line}" for line in (1, 2, 3)]
    assert SECRET not in str(found)


async def test_without_a_token_the_wallet_is_looked_at_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(VARIABLE)
    async with running_wallet() as (wallet, port):
        wallet.script("GetBalance", OK)
        settings, _, token, _, there = await findings(settings_at(tmp_path, port))

    assert (settings.is_right, token.is_right, there.is_right) == (True, False, True)
    assert VARIABLE in token.text


async def test_a_certificate_that_cannot_be_read_is_told(tmp_path: Path, dead_port: int) -> None:
    found = await findings(settings_at(tmp_path, dead_port, ", tls: {ca_file: none.pem}"))

    path = tmp_path / "none.pem"
    assert [finding for finding in found if not finding.is_right] == [
        Finding(is_right=False, text=f"wallet.tls.ca_file: cannot read {path}: No such file or directory")
    ]


async def test_no_finding_shows_a_token(tmp_path: Path, dead_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check_module, "CONNECT_SECONDS", 0.05)

    assert SECRET not in str(await findings(settings_at(tmp_path, dead_port)))


# The mapping


async def test_each_mistake_in_the_mapping_has_its_line_and_ends_the_check(tmp_path: Path, dead_port: int) -> None:
    mapping = write_bank(tmp_path, BANK_MAPPING.replace("method: Debit", "method: Debt"))
    *_, one, two = await findings(settings_at(tmp_path, dead_port, ", mapping: mapping.yaml"))

    assert (one.is_right, two.is_right) == (False, False)
    assert one.text.startswith(f"{mapping}:40: commands.bet.method: bank.Wallet: the method Debt is not known; ")


async def test_what_is_allowed_and_what_follows_from_the_promises_is_noted(tmp_path: Path, dead_port: int) -> None:
    write_bank(tmp_path)
    found = await findings(settings_at(tmp_path, dead_port, ", mapping: mapping.yaml"))
    notes = [finding.text for finding in found if finding.is_note]

    assert any("balance may hold more than 2 decimals" in note for note in notes)
    assert any("This wallet has no cancel" in note for note in notes)


# --live


async def test_live_asks_whatever_changes_nothing(tmp_path: Path) -> None:
    nobody = reply(outcome=v1.OUTCOME_PLAYER_NOT_FOUND)
    async with running_wallet() as (wallet, port):
        for method in ("GetBalance", "Authenticate", "GetTransactionStatus"):
            wallet.script(method, nobody)
        found = await findings(settings_at(tmp_path, port), live=True)

    assert set(wallet.counts) == {"GetBalance", "Authenticate", "GetTransactionStatus"}
    assert all(finding.is_right for finding in found)
    assert found[-1].text == "wallet: which methods it serves cannot be asked: it has no server reflection"


async def test_a_proxy_in_the_environment_is_not_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_bank(tmp_path)
    async with counting_proxy(monkeypatch) as requests, reflecting(compile_text(BANK), "bank.Wallet") as port:
        found = await findings(settings_at(tmp_path, port, ", mapping: mapping.yaml"), live=True)

    assert requests == []
    assert found[-1].is_right


async def test_live_notes_a_wallet_that_knows_whom_nobody_knows(tmp_path: Path) -> None:
    async with running_wallet() as (_, port):
        found = await findings(settings_at(tmp_path, port), live=True)

    assert any(finding.is_note and "is check 21 made?" in finding.text for finding in found)


@pytest.mark.parametrize(("served", "is_right"), [("GetTransfer", True), ("GetMove", False)])
async def test_live_compares_the_methods_with_what_the_wallet_serves(
    tmp_path: Path, served: str, *, is_right: bool
) -> None:
    """The protos may be of another version than the wallet."""
    write_bank(tmp_path)
    files = compile_text(BANK.replace("GetTransfer", served))
    async with reflecting(files, "bank.Wallet") as port:
        found = await findings(settings_at(tmp_path, port, ", mapping: mapping.yaml"), live=True)

    assert found[-1].is_right is is_right
    assert found[-1].text == (
        "wallet: it serves Credit, Debit, FindUser, GetBalance, GetTransfer"
        if is_right
        else "wallet: it does not serve bank.Wallet/GetTransfer"
    )


def test_sqlite_is_one_that_several_processes_may_write_with() -> None:
    """Before 3.51.3 a checkpoint beside another process's commit can corrupt the file."""
    assert tuple(int(part) for part in apsw.sqlite_lib_version().split(".")) >= (3, 51, 3)

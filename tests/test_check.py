"""`walletbridge check`: what it looks at, and what it says of each thing."""

import asyncio
import socket
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from tests.helpers.scripted_wallet import HOST, OK, Hang, Step, abort, raw, reply, running_wallet

from walletbridge import check as check_module
from walletbridge.check import NOBODY, Finding, check
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


async def findings(config: Path) -> list[Finding]:
    """From a thread, as a check has an event loop of its own."""
    return await asyncio.to_thread(lambda: list(check(config)))


async def test_where_all_is_there_every_finding_is_right(tmp_path: Path) -> None:
    async with running_wallet() as (wallet, port):
        wallet.script("GetBalance", reply(outcome=v1.OUTCOME_PLAYER_NOT_FOUND))
        config = settings_at(tmp_path, port)

        assert await findings(config) == [
            Finding(is_right=True, text=f"settings: {config} reads well"),
            Finding(is_right=True, text="token: 2 accepted"),
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
        settings, token, there = await findings(settings_at(tmp_path, port))

    assert (settings.is_right, token.is_right, there.is_right) == (True, False, True)
    assert VARIABLE in token.text


async def test_a_certificate_that_cannot_be_read_is_told(tmp_path: Path, dead_port: int) -> None:
    *_, last = await findings(settings_at(tmp_path, dead_port, ", tls: {ca_file: none.pem}"))

    path = tmp_path / "none.pem"
    assert last == Finding(is_right=False, text=f"wallet.tls.ca_file: cannot read {path}: No such file or directory")


async def test_no_finding_shows_a_token(tmp_path: Path, dead_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check_module, "CONNECT_SECONDS", 0.05)

    assert SECRET not in str(await findings(settings_at(tmp_path, dead_port)))

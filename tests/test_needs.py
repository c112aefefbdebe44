"""What `serve` cannot begin without is found beforehand, in the same words."""

import asyncio
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.helpers.processes import end_of, write_settings

from walletbridge.check import check
from walletbridge.errors import SettingsError
from walletbridge.needs import expect_all, problems
from walletbridge.settings import Journal, Settings, Wallet

VARIABLE = "WALLETBRIDGE_CALLBACK_TOKEN"


def settings(path: Path) -> Settings:
    return Settings(wallet=Wallet(target="127.0.0.1:1"), journal=Journal(path=path))


def test_nothing_is_wrong_where_nothing_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "token")

    assert list(problems(settings(tmp_path / "journal.db"))) == []
    expect_all(settings(tmp_path / "journal.db"))


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (lambda path: path.parent.rmdir(), "{folder}: No such file or directory"),
        (lambda path: path.mkdir(), "{path} is a folder; expected a file"),
        (os.mkfifo, "{path} is no regular file"),
        (lambda path: (path.parent.rmdir(), path.parent.touch()), "{folder} is no folder"),
    ],
    ids=["no folder", "a folder", "a pipe", "below a file"],
)
def test_a_journal_that_cannot_be_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Callable[[Path], object], problem: str
) -> None:
    monkeypatch.setenv(VARIABLE, "token")
    folder = tmp_path / "state"
    folder.mkdir()
    path = folder / "journal.db"
    make(path)

    with pytest.raises(SettingsError) as caught:
        expect_all(settings(path))

    assert str(caught.value) == f"journal.path: {problem.format(path=path, folder=folder)}"


@pytest.mark.parametrize(
    ("target", "is_right"),
    [
        ("127.0.0.1:1", True),
        ("wallet:65535", True),
        ("[::1]:50051", True),
        ("dns:///wallet:50051", True),
        ("ipv4:10.0.0.1:1,10.0.0.2:2", True),
        ("unix:/run/wallet.sock", True),
        ("127.0.0.1", False),
        ("wallet", False),
        ("[::1]", False),
        ("dns:///wallet", False),
        ("wallet:0", False),
        ("wallet:999999", False),
        ("wallet:65536", False),
    ],
)
def test_a_target_has_a_port_that_can_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, target: str, *, is_right: bool
) -> None:
    monkeypatch.setenv(VARIABLE, "token")
    wanted = Settings(wallet=Wallet(target=target), journal=Journal(path=tmp_path / "journal.db"))

    expected = f"wallet.target: expected HOST:PORT with a port from 1 to 65535, got {target}"
    assert list(problems(wanted)) == ([] if is_right else [expected])


async def test_check_and_serve_say_the_same(tmp_path: Path) -> None:
    config = write_settings(tmp_path, wallet_port=9, journal={"path": "missing/journal.db"})
    problem = f"journal.path: {tmp_path}/missing: No such file or directory"

    assert problem in [finding.text for finding in await asyncio.to_thread(lambda: list(check(config)))]
    for more in ([], ["--workers", "1"]):
        code, output = await end_of(
            [sys.executable, "-m", "walletbridge", "serve", "--config", str(config), *more],
            tmp_path,
        )
        assert (code, output.splitlines()) == (1, [f"Error: {problem}"])

"""What `serve` cannot begin without is found beforehand, in the same words."""

import asyncio
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from tests.support.processes import NOWHERE, Way, arguments, end_of, running, running_wallet, write_settings
from tests.support.tls import Authority
from tests.support.waiting import until

from walletbridge.connect.check import check
from walletbridge.gateway.needs import expect_all, problems
from walletbridge.protocol.errors import SettingsError
from walletbridge.settings import Journal, Settings, Wallet, load

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
        (
            lambda path: path.with_name("journal.db-queue").touch(),
            (
                "there was a journal at {path}, and it is gone; put it or a backup of it back, or remove"
                " {path}-queue as well to begin with an empty one"
            ),
        ),
        (
            lambda path: (path.touch(), path.with_name("journal.db-mark").write_bytes(bytes(32))),
            (
                "there was a journal at {path}, and nothing is in it any more; put it or a backup of it back, or remove"
                " {path}-mark as well to begin with an empty one"
            ),
        ),
    ],
    ids=["no folder", "a folder", "a pipe", "below a file", "gone", "emptied"],
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


WALLETBRIDGE = [sys.executable, "-m", "walletbridge"]


def tls_that_cannot_be(folder: Path, fault: str) -> tuple[dict[str, str], str]:
    """A section `wallet.tls`, and what is wrong with it."""
    authority = Authority(folder)
    pair, other = authority.sign("gateway"), authority.sign("other")
    garbage = folder / "garbage.pem"
    garbage.write_text("nonsense")
    if fault == "ca":
        return {"ca_file": str(garbage)}, f"wallet.tls.ca_file: {garbage} is no certificate in PEM form"
    if fault == "garbage":
        problem = f"wallet.tls.key_file: {garbage} is no private key in PEM form"
        return {"cert_file": str(pair.cert_file), "key_file": str(garbage)}, problem
    problem = f"wallet.tls.key_file: {other.key_file} is not the key of the certificate in wallet.tls.cert_file"
    return {"cert_file": str(pair.cert_file), "key_file": str(other.key_file)}, problem


@pytest.mark.parametrize("fault", ["ca", "garbage", "other key"])
def test_files_that_the_wallets_channel_cannot_use_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    monkeypatch.setenv(VARIABLE, "token")
    tls, problem = tls_that_cannot_be(tmp_path, fault)
    config = write_settings(tmp_path, wallet_port=9, wallet={"target": "127.0.0.1:9", "tls": tls})

    assert list(problems(load(config))) == [problem]


async def test_what_is_found_stops_every_start(tmp_path: Path) -> None:
    tls, problem = tls_that_cannot_be(tmp_path, "ca")
    config = write_settings(tmp_path, wallet_port=9, wallet={"target": "127.0.0.1:9", "tls": tls})

    for command in ("serve", "web", "tui"):
        assert await end_of([*WALLETBRIDGE, command, "--config", str(config)], tmp_path) == (1, f"Error: {problem}\n")
    code, output = await end_of(arguments(Way.MITMDUMP, config), tmp_path)
    assert (code, output.count(problem)) == (1, 1)
    code, output = await end_of([*WALLETBRIDGE, "check", "--config", str(config)], tmp_path)
    assert (code, [line for line in output.splitlines() if line.startswith("✗")]) == (1, [f"✗ {problem}"])


@pytest.mark.parametrize(("command", "key"), [("web", "listen"), ("web", "ui.listen"), ("tui", "listen")])
async def test_a_taken_port_is_told_with_its_key(tmp_path: Path, command: str, key: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        sections = {"listen": address} if key == "listen" else {"ui": {"listen": address}}
        config = write_settings(tmp_path, wallet_port=9, **sections)
        code, output = await end_of([*WALLETBRIDGE, command, "--config", str(config)], tmp_path)

    assert (code, output) == (1, f"Error: {key}: cannot listen on {address}: Address already in use\n")


async def test_a_reload_takes_nothing_that_no_start_would(tmp_path: Path) -> None:
    async with running_wallet(tmp_path) as wallet:
        config = write_settings(tmp_path, wallet_port=wallet.port)
        command = [*WALLETBRIDGE, "serve", "--config", str(config), "--workers", "1"]
        async with running(command, tmp_path) as gateway:
            tls, problem = tls_that_cannot_be(tmp_path, "other key")
            write_settings(tmp_path, wallet_port=wallet.port, wallet={"target": "127.0.0.1:9", "tls": tls})
            gateway.process.send_signal(signal.SIGHUP)
            await until(lambda: any(problem in line for line in gateway.lines))


async def test_json_has_each_finding_with_its_kind(tmp_path: Path) -> None:
    config = write_settings(tmp_path, wallet_port=9, upstream=NOWHERE, journal={"path": "missing/journal.db"})
    code, output = await end_of([*WALLETBRIDGE, "check", "--config", str(config), "--json"], tmp_path)
    document = json.loads(output)

    assert code == 1
    assert {key: document[key] for key in ("schema", "config", "works")} == {
        "schema": 1,
        "config": str(config),
        "works": False,
    }
    problem = f"journal.path: {tmp_path}/missing: No such file or directory"
    assert {"kind": "wrong", "text": problem} in document["findings"]
    assert {finding["kind"] for finding in document["findings"]} == {"right", "note", "wrong"}


async def test_json_of_a_check_without_a_fault_ends_with_zero(tmp_path: Path) -> None:
    async with running_wallet(tmp_path) as wallet:
        config = write_settings(tmp_path, wallet_port=wallet.port)
        code, output = await end_of([*WALLETBRIDGE, "check", "--config", str(config), "--json"], tmp_path)

    assert (code, json.loads(output)["works"]) == (0, True)


def _garbage(path: Path) -> None:
    path.write_bytes(b"this is no database, whatever its name says" * 100)


def _later(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA user_version = 99")


def _other_program(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE accounts (id INTEGER)")


def _other_program_of_a_version(path: Path) -> None:
    _other_program(path)
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA user_version = 3")


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (_garbage, "file is not a database"),
        (_later, "the journal is of version 99; this program knows 4"),
        (_other_program, "there is no journal in this file"),
        (_other_program_of_a_version, "there is no journal in this file"),
    ],
)
async def test_a_file_that_never_becomes_a_journal_stops_every_start(
    tmp_path: Path, make: Callable[[Path], object], problem: str
) -> None:
    path = tmp_path / "walletbridge.db"
    make(path)
    before = path.read_bytes()
    config = write_settings(tmp_path, wallet_port=9, journal={"path": str(path)})

    code, output = await end_of([*WALLETBRIDGE, "serve", "--config", str(config)], tmp_path)
    assert (code, output.count(f"journal.path: {path}: ")) == (1, 1), output
    assert problem in output
    findings = await asyncio.to_thread(lambda: [finding.text for finding in check(config) if not finding.is_right])
    assert [text for text in findings if problem in text] == [output.removeprefix("Error: ").rstrip("\n")]
    assert path.read_bytes() == before
    assert set(await asyncio.to_thread(os.listdir, tmp_path)) == {path.name, config.name}


def make_empty_database(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA journal_mode = WAL")


@pytest.mark.parametrize("make", [Path.touch, make_empty_database])
def test_an_empty_file_becomes_a_journal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Callable[[Path], object]
) -> None:
    monkeypatch.setenv(VARIABLE, "token")
    make(tmp_path / "journal.db")

    assert list(problems(settings(tmp_path / "journal.db"))) == []


_LOCKS = """
import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
db.executescript("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; CREATE TABLE meta (epoch TEXT)")
print(flush=True)
sys.stdin.read()
"""


def test_a_locked_journal_passes_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By another process: within one, two libraries do not see each other's locks."""
    monkeypatch.setenv(VARIABLE, "token")
    path = tmp_path / "journal.db"
    command = [sys.executable, "-c", _LOCKS, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout
        other.stdout.readline()
        began = time.monotonic()

        assert list(problems(settings(path))) == []
        assert time.monotonic() - began < 2.0
        other.kill()


@pytest.mark.parametrize("key", ["key", "journal"])
async def test_a_reload_of_one_process_takes_nothing_that_no_start_would(tmp_path: Path, key: str) -> None:
    async with running_wallet(tmp_path) as wallet:
        config = write_settings(tmp_path, wallet_port=wallet.port)
        async with running([*WALLETBRIDGE, "serve", "--config", str(config)], tmp_path) as gateway:
            if key == "journal":
                problem = f"journal.path: {tmp_path}/missing: No such file or directory"
                write_settings(tmp_path, wallet_port=wallet.port, journal={"path": "missing/journal.db"})
            else:
                tls, problem = tls_that_cannot_be(tmp_path, "other key")
                write_settings(tmp_path, wallet_port=wallet.port, wallet={"target": "127.0.0.1:9", "tls": tls})
            gateway.process.send_signal(signal.SIGHUP)
            await until(lambda: any("reloaded" in line for line in gateway.lines))

            (line,) = [line for line in gateway.lines if "reloaded" in line]
            assert json.loads(line)["event"] == "not reloaded: all stays as it was"
            assert json.loads(line)["problem"] == problem

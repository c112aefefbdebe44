"""The command line: which commands there are, how they end, and what they say when something is wrong."""

import asyncio
import json
import os
import signal
import socket
import sys
from importlib.metadata import version
from pathlib import Path

import apsw
import pytest
from click.testing import CliRunner
from tests.support.scripted_wallet import HOST, running_wallet

from walletbridge.cli import main
from walletbridge.connect import check as check_module
from walletbridge.connect.check import Finding

VARIABLE = "WALLETBRIDGE_CALLBACK_TOKEN"
SECRET = "hunter2"  # noqa: S105 - not a secret, it only plays one
TIMEOUT = 30.0


async def run(*arguments: str, **environ: str) -> tuple[int, str]:
    """Runs the command as a process; its exit code and all that it printed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *arguments,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, **environ},
    )
    output, _ = await asyncio.wait_for(process.communicate(), TIMEOUT)
    assert process.returncode is not None
    return process.returncode, output.decode(errors="replace")


@pytest.mark.parametrize("option", ["-h", "--help"])
def test_help_names_every_command(option: str) -> None:
    result = CliRunner().invoke(main, [option])

    assert result.exit_code == 0
    for command in ("check", "demo", "demo-wallet", "init", "serve", "tui", "web"):
        assert f"\n  {command} " in result.output


@pytest.mark.parametrize("command", ["check", "demo", "demo-wallet", "init", "serve", "tui", "web"])
def test_each_command_has_its_help(command: str) -> None:
    result = CliRunner().invoke(main, [command, "--help"])

    assert result.exit_code == 0
    assert result.output.startswith(f"Usage: main {command} [OPTIONS]")


def test_the_version_is_the_package_s() -> None:
    result = CliRunner().invoke(main, ["--version"])

    assert (result.exit_code, result.output) == (0, f"main, version {version('walletbridge')}\n")


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["nonsense"], "No such command 'nonsense'"),
        (["serve"], "Missing option '--config'"),
        (["check", "--config", "/nowhere.yaml"], "File '/nowhere.yaml' does not exist"),
        (["web", "--config", "/"], "File '/' is a directory"),
        (["demo-wallet"], "Missing option '--db'"),
    ],
)
def test_a_wrong_call_is_told_apart_from_what_fails(arguments: list[str], problem: str) -> None:
    result = CliRunner().invoke(main, arguments)

    assert result.exit_code == 2
    assert problem in result.output


@pytest.mark.parametrize("command", ["serve", "web", "tui"])
def test_settings_that_are_wrong_end_the_start_with_all_their_mistakes(tmp_path: Path, command: str) -> None:
    config = tmp_path / "walletbridge.yaml"
    config.write_text(f"callback: {{token: {SECRET}}}\nwallet: 5\n")
    result = CliRunner().invoke(main, [command, "--config", str(config)])

    assert result.exit_code == 1
    assert result.output.startswith(f"Error: {config}:1: callback.token: ")
    assert f"\n{config}:2: wallet: " in result.output
    assert SECRET not in result.output


AS_USER = """
import os, sys
user = int(sys.argv.pop(1))
os.geteuid = lambda: user
if sys.argv[1] in {"web", "tui"}:
    import walletbridge.observe.terminal
    walletbridge.observe.terminal.lacks_terminal = lambda: ""
    import walletbridge.serve.launch
    walletbridge.serve.launch.launch = lambda *_: None
from walletbridge.cli import main
main()
"""
"""A UI is not started; a server finds its port taken."""


@pytest.mark.parametrize(
    ("command", "warnings"), [("serve", 1), ("serve --workers 2", 1), ("web", 1), ("tui", 1), ("check", 0)]
)
async def test_one_line_warns_of_running_as_root(tmp_path: Path, command: str, warnings: int) -> None:
    with socket.create_server((HOST, 0)) as taken:
        port = taken.getsockname()[1] if "serve" in command else 0
        config = tmp_path / "walletbridge.yaml"
        config.write_text(f"listen: {HOST}:{port}\nui: {{listen: '{HOST}:0'}}\nwallet: {{target: '{HOST}:9'}}\n")
        options = [*command.split(), "--config", str(config)]
        _, by_root = await run("-c", AS_USER, "0", *options, **{VARIABLE: SECRET})
        by_another = ""
        if command in {"serve", "web"}:
            # All others ask in the same place as one of these.
            _, by_another = await run("-c", AS_USER, "10001", *options, **{VARIABLE: SECRET})

    lines = [json.loads(line) for line in by_root.splitlines() if "runs as root" in line]
    assert [line["level"] for line in lines] == ["warning"] * warnings
    assert "runs as root" not in by_another
    assert "Traceback" not in by_root + by_another


async def test_mitmproxy_and_grpc_are_imported_by_those_alone_who_need_them() -> None:
    program = "import sys, walletbridge.cli; print({'grpc', 'mitmproxy'} & set(sys.modules))"

    assert await run("-c", program) == (0, "set()\n")


async def test_the_package_runs_as_the_command() -> None:
    code, output = await run("-m", "walletbridge", "--version")

    assert code == 0
    assert output.endswith(f", version {version('walletbridge')}\n")


# check


@pytest.mark.parametrize(
    ("right", "exit_code", "marks"), [([True, True], 0, "✓✓"), ([True, False], 1, "✓✗"), ([False, False], 1, "✗✗")]
)
def test_check_prints_a_line_a_finding_and_fails_if_one_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, right: list[bool], exit_code: int, marks: str
) -> None:
    config = tmp_path / "walletbridge.yaml"
    config.touch()
    found = [Finding(is_right=is_right, text=f"finding {number}") for number, is_right in enumerate(right)]
    monkeypatch.setattr(check_module, "check", lambda *_, **__: iter(found))
    result = CliRunner().invoke(main, ["check", "--config", str(config)])

    assert result.exit_code == exit_code
    assert result.output == f"{marks[0]} finding 0\n{marks[1]} finding 1\n"


async def test_check_says_that_all_is_there(tmp_path: Path) -> None:
    async with running_wallet() as (_, port):
        config = tmp_path / "walletbridge.yaml"
        config.write_text(f"wallet: {{target: '{HOST}:{port}'}}\n")
        code, output = await run("-m", "walletbridge", "check", "--config", str(config), **{VARIABLE: SECRET})

    assert (code, output.splitlines()) == (
        0,
        [
            f"✓ settings: {config} reads well",
            f"✓ journal: {tmp_path / 'walletbridge.db'}, by SQLite {apsw.sqlite_lib_version()}",
            "✓ token: 1 accepted",
            "✓ mapping: wallet.v1 fits the wallet's proto",
            f"✓ wallet: {HOST}:{port} answers GetBalance (OK)",
        ],
    )


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
async def test_a_terminal_that_lacks_a_character_changes_no_verdict(tmp_path: Path, encoding: str) -> None:
    async with running_wallet() as (_, port):
        config = tmp_path / "Zoë ✓.yaml"
        config.write_text(f"wallet: {{target: '{HOST}:{port}'}}\n")
        code, output = await run(
            "-m", "walletbridge", "check", "--config", str(config), **{VARIABLE: SECRET, "PYTHONIOENCODING": encoding}
        )

    assert code == 0, output
    assert "token: 1 accepted" in output


# demo and demo-wallet


def test_a_demo_with_an_odd_token_says_so_without_showing_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, f"{SECRET} {SECRET}")
    result = CliRunner().invoke(main, ["demo"])

    assert result.exit_code == 1
    assert result.output.startswith(f"Error: callback.token_env: the environment variable {VARIABLE}: token 1 of 1 ")
    assert SECRET not in result.output


async def test_the_demo_s_wallet_says_where_it_listens_and_ends_with_a_signal(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "walletbridge", "demo-wallet"),
        *("--listen", "127.0.0.1:0", "--db", str(tmp_path / "wallet.db")),
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout
    line = (await asyncio.wait_for(process.stdout.readline(), TIMEOUT)).decode()
    assert line.startswith("wallet: 127.0.0.1:")
    assert int(line.rpartition(":")[2]) > 0

    process.send_signal(signal.SIGTERM)
    assert await asyncio.wait_for(process.wait(), TIMEOUT) == 0


@pytest.mark.parametrize(
    ("listen", "db", "problem"),
    [
        ("127.0.0.1", "wallet.db", "Error: expected HOST:PORT to listen on, got '127.0.0.1'"),
        ("127.0.0.1:0", "none/wallet.db", "Error: "),
    ],
)
def test_a_demo_s_wallet_that_cannot_start_says_why(tmp_path: Path, listen: str, db: str, problem: str) -> None:
    result = CliRunner().invoke(main, ["demo-wallet", "--listen", listen, "--db", str(tmp_path / db)])

    assert result.exit_code == 1
    assert result.output.startswith(problem)
    assert "Traceback" not in result.output

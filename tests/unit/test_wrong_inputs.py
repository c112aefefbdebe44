"""Each command that reads a file, given what is no such file: it ends soon, with a few clear lines and no traceback."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.support.scripted_wallet import HOST

from walletbridge.cli import main

VARIABLE = "WALLETBRIDGE_CALLBACK_TOKEN"
SECONDS_MAX = 10.0
LINES_MAX = 8
"""A usage error takes four, and a settings file has one for each mistake."""
HUGE = 1 << 30
GARBAGE = bytes(range(256)) * 16


def folder(path: Path) -> None:
    path.mkdir()


def empty(path: Path) -> None:
    path.touch()


def garbage(path: Path) -> None:
    path.write_bytes(GARBAGE)


def huge(path: Path) -> None:
    path.touch()
    os.truncate(path, HUGE)


def pipe(path: Path) -> None:
    os.mkfifo(path)


def missing(path: Path) -> None:
    assert not path.exists()


Make = Callable[[Path], None]
INPUTS = (folder, empty, garbage, huge, pipe, missing)
each_input = pytest.mark.parametrize("make", INPUTS)
FLOWS, PROTO, WALLET, COPY = "flows", "proto", "wallet", "copy"

_CONFIG = ("--config", "{config}")
_RESOLVE = ("--as", "retry", "--yes")
COMMANDS: dict[str, tuple[str, ...]] = {
    "check": ("check", *_CONFIG),
    "serve": ("serve", *_CONFIG),
    "serve workers": ("serve", *_CONFIG, "--workers", "2"),
    "web": ("web", *_CONFIG),
    "tui": ("tui", *_CONFIG),
    "health": ("health", *_CONFIG),
    "list": ("journal", "list", *_CONFIG),
    "show": ("journal", "show", "1", *_CONFIG),
    "resolve": ("journal", "resolve", "1", *_RESOLVE, *_CONFIG),
    "backup": ("journal", "backup", "{copy}", *_CONFIG),
    "recovered": ("journal", "recovered", *_CONFIG),
    "replay": ("replay", "{flows}", *_CONFIG),
    "init": ("init", "--proto", "{proto}"),
    "demo-wallet": ("demo-wallet", "--db", "{wallet}", "--listen", f"{HOST}:0"),
}
WITH_SETTINGS = [name for name, words in COMMANDS.items() if "{config}" in words]
WITH_JOURNAL = ["list", "show", "resolve", "backup", "recovered"]
GATEWAYS = ["check", "serve", "serve workers", "web", "tui"]


class Place:
    """A folder with settings that are right, whose files a test replaces."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.config = root / "walletbridge.yaml"
        self.journal = root / "walletbridge.db"
        self.config.write_text(f"wallet: {{target: '{HOST}:1'}}\nlisten: '{HOST}:0'\nui: {{listen: '{HOST}:0'}}\n")

    def words(self, command: str) -> list[str]:
        names = {name: str(self.root / name) for name in (FLOWS, PROTO, WALLET, COPY)}
        return [word.format(config=self.config, **names) for word in COMMANDS[command]]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def ended(words: list[str]) -> tuple[int, str]:
    """The exit code and all output, of a command that must end by itself within the limit."""
    found: list[tuple[int, str]] = []

    def run() -> None:
        result = CliRunner().invoke(main, words, env={VARIABLE: "hunter2"})
        raised = "" if result.exception is None or isinstance(result.exception, SystemExit) else repr(result.exception)
        found.append((result.exit_code, result.output + (f"Traceback: {raised}" if raised else "")))

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(SECONDS_MAX)
    assert found, f"{words} has not ended after {SECONDS_MAX:g} s"
    return found[0]


def expect_clear(code: int, output: str) -> None:
    assert code in {1, 2}, output
    assert "Traceback" not in output
    assert 1 <= len(output.strip().splitlines()) <= LINES_MAX, output
    assert all(line.isprintable() for line in output.splitlines()), output


@each_input
@pytest.mark.parametrize("command", WITH_SETTINGS)
def test_settings(place: Place, command: str, make: Make) -> None:
    place.config.unlink()
    make(place.config)

    expect_clear(*ended(place.words(command)))


@each_input
@pytest.mark.parametrize("command", WITH_JOURNAL)
def test_the_journal(place: Place, command: str, make: Make) -> None:
    make(place.journal)

    expect_clear(*ended(place.words(command)))
    assert not (place.root / COPY).exists()


@pytest.mark.parametrize("make", [folder, pipe])
@pytest.mark.parametrize("command", GATEWAYS)
def test_a_gateway_s_journal(place: Place, command: str, make: Make) -> None:
    """An empty file and none are right. What only SQLite can tell, a running gateway says in its log."""
    make(place.journal)
    code, output = ended(place.words(command))

    expect_clear(code, output)
    assert f"journal.path: {place.journal} is " in output


@pytest.mark.parametrize("make", [garbage, huge])
def test_the_check_sees_that_a_journal_is_no_database(place: Place, make: Make) -> None:
    make(place.journal)
    code, output = ended(place.words("check"))

    expect_clear(code, output)
    assert f"✗ journal.path: {place.journal}: file is not a database\n" in output


@each_input
def test_flows(place: Place, make: Make) -> None:
    make(place.root / FLOWS)

    expect_clear(*ended(place.words("replay")))


@each_input
def test_a_proto(place: Place, make: Make) -> None:
    make(place.root / PROTO)
    code, output = ended(place.words("init"))

    expect_clear(code, output)
    assert "absl" not in output


@pytest.mark.parametrize("make", [folder, garbage, huge, pipe])
def test_the_demo_s_wallet(place: Place, make: Make) -> None:
    """An empty file and none are right: it makes its books there."""
    wallet = place.root / WALLET
    make(wallet)
    code, output = ended(place.words("demo-wallet"))

    expect_clear(code, output)
    assert str(wallet) in output


@pytest.mark.parametrize("url", ["{root}", "file://{root}", "\x00\x1b", "http://[", f"http://{HOST}:1/"])
def test_where_no_callbacks_are_taken(tmp_path: Path, url: str) -> None:
    """`simulate` reads no file."""
    expect_clear(*ended(["simulate", "--token-env", VARIABLE, "--url", url.format(root=tmp_path)]))


FILE_OF = {
    **dict.fromkeys(WITH_SETTINGS, "walletbridge.yaml"),
    **dict.fromkeys((f"{name}, its journal" for name in [*WITH_JOURNAL, *GATEWAYS]), "walletbridge.db"),
    "replay, its flows": FLOWS,
    "init": PROTO,
    "demo-wallet": WALLET,
}


@pytest.mark.parametrize("case", FILE_OF)
def test_a_file_that_may_not_be_read(place: Place, case: str) -> None:
    for name in ("walletbridge.db", FLOWS, PROTO, WALLET):
        if name == FILE_OF[case]:
            (place.root / name).write_bytes(GARBAGE)
    if "{flows}" in COMMANDS[case.partition(",")[0]]:
        (place.root / FLOWS).touch()
    (place.root / FILE_OF[case]).chmod(0)
    command = [sys.executable, "-m", "walletbridge", *place.words(case.partition(",")[0])]
    if os.geteuid() == 0:
        # Root may read everything by two rights, which it can do without. Another user might not find the interpreter.
        rights = "-dac_override,-dac_read_search"
        command = ["setpriv", f"--bounding-set={rights}", f"--inh-caps={rights}", *command]
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=SECONDS_MAX * 3,
        check=False,
        text=True,
        env={**os.environ, VARIABLE: "hunter2"},
    )

    expect_clear(done.returncode, done.stdout)
    assert str(place.root / FILE_OF[case]) in done.stdout

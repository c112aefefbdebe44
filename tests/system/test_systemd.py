"""The systemd unit: what systemd says of it, and a gateway inside its sandbox. Needs systemd's tools, not systemd."""

import subprocess
import sys
from pathlib import Path

import aiohttp
import pytest
from tests.support.callbacks import make_callback
from tests.support.processes import ROOT, SCRIPTS, Way, arguments, end_of, post, running, running_wallet, write_settings

UNIT = ROOT / "config" / "systemd" / "walletbridge.service"
PROGRAM = "/opt/walletbridge/bin/walletbridge"
KNOWS_NOTIFY_RELOAD = 253
"""The first version of systemd that does."""
EXPOSURE_MAX = 15
"""Tenths, as systemd counts them: of 100 for a unit without a sandbox."""
PLAYER = "test1234"


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit with a program that is installed here."""
    text = UNIT.read_text()
    assert f"ExecStart={PROGRAM} serve --config " in text
    path = tmp_path / UNIT.name
    path.write_text(text.replace(PROGRAM, str(SCRIPTS / "walletbridge")))
    return path


def systemd_analyze(*options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["systemd-analyze", *options],  # noqa: S607 - wherever it is
        check=False,
        capture_output=True,
        text=True,
    )


def systemd_version() -> int:
    return int(systemd_analyze("--version").stdout.split()[1])


def test_systemd_finds_nothing_wrong(unit: Path) -> None:
    verified = systemd_analyze("verify", "--man=no", str(unit))

    said = (verified.stdout + verified.stderr).splitlines()
    if systemd_version() < KNOWS_NOTIFY_RELOAD:
        # It goes on with the line before.
        said = [line for line in said if not line.endswith("Failed to parse service type, ignoring: notify-reload")]
    assert (verified.returncode, said) == (0, [])


def test_a_reload_replaces_workers_and_a_hang_is_seen() -> None:
    lines = UNIT.read_text().splitlines()

    # Whoever does not know the second keeps the first.
    assert [line for line in lines if line.startswith("Type=")] == ["Type=notify", "Type=notify-reload"]
    assert "WatchdogSec=30" in lines
    assert next(line for line in lines if line.startswith("ExecStart=")).endswith(" --workers 2")


def test_the_check_finds_what_is_wrong(unit: Path) -> None:
    unit.write_text(unit.read_text().replace("Restart=always", "Restart=sometimes"))

    assert "sometimes" in systemd_analyze("verify", "--man=no", str(unit)).stderr


def test_little_is_left_open(unit: Path) -> None:
    scored = systemd_analyze("security", "--offline=yes", f"--threshold={EXPOSURE_MAX}", str(unit))

    assert scored.returncode == 0, scored.stdout


async def test_the_gateway_works_inside_the_sandbox(unit: Path, tmp_path: Path) -> None:
    """Its filter of system calls and its ban on writable code; the rest is systemd's own."""
    async with running_wallet(tmp_path, PLAYER) as wallet:
        config = write_settings(tmp_path, wallet_port=wallet.port)
        command = [sys.executable, "-m", "tests.system.sandbox", str(unit), *arguments(Way.SERVE, config)]
        async with running(command, tmp_path, PYTHONPATH=str(ROOT)) as gateway, aiohttp.ClientSession() as client:
            for call in ("authenticate", "balance", "bet", "status", "win", "cancel"):
                callback = make_callback(call, account=PLAYER)
                if call == "win":
                    callback["data"]["trans_id"] = 1
                assert (await post(client, gateway.url, callback))[0] == 200
            assert await gateway.stop() == 0
        assert wallet.movements(PLAYER) == 3
        assert (tmp_path / "walletbridge.db").stat().st_size > 0


async def test_the_sandbox_is_one(unit: Path, tmp_path: Path) -> None:
    attempts = """
import mmap, os
for attempt in (
    lambda: os.setuid(0),
    lambda: os.chroot("/"),
    lambda: os.nice(1),
    lambda: mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC),
):
    try:
        attempt()
        print("went")
    except OSError as error:
        print("refused")
"""
    command = [sys.executable, "-m", "tests.system.sandbox", str(unit), sys.executable, "-c", attempts]
    code, output = await end_of(command, tmp_path, PYTHONPATH=str(ROOT))

    assert (code, output.split()) == (0, ["refused"] * 4)

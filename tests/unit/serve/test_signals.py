"""A process ends, and ends well, whenever a signal comes; the first process of a container has no default actions."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.support.processes import TOKEN, TOKEN_VARIABLE, end_of, environment, write_settings
from tests.support.waiting import until

from walletbridge.serve.signals import code_of

SECONDS = 60.0
MOMENTS = (0, 0.05, 0.2, 0.5, 1.0, 2.0)
"""Seconds after a process handles SIGTERM: through its imports, its start, and until it serves."""


def catches(pid: int, number: signal.Signals) -> bool:
    """Whether the process handles the signal itself."""
    status = Path(f"/proc/{pid}/status").read_text()
    caught = next(line.split()[1] for line in status.splitlines() if line.startswith("SigCgt:"))
    return bool(int(caught, 16) >> (number - 1) & 1)


async def end_after(seconds: float, command: Sequence[str], home: Path) -> int:
    """Sends SIGTERM so long after the process could have lost it; returns its exit code."""
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        env=environment(home),
    )
    try:
        await until(lambda: catches(process.pid, signal.SIGTERM), seconds=SECONDS)
        await asyncio.sleep(seconds)
        process.send_signal(signal.SIGTERM)
        return await asyncio.wait_for(process.wait(), SECONDS)
    finally:
        if process.returncode is None:
            process.kill()


@pytest.mark.parametrize("more", [["serve"], ["serve", "--workers", "1"], ["web"]], ids=" ".join)
async def test_whenever_a_sigterm_comes_the_start_ends_well(more: list[str], tmp_path: Path) -> None:
    config = write_settings(tmp_path, wallet_port=9, ui={"listen": "127.0.0.1:0"})
    command = [sys.executable, "-m", "walletbridge", more[0], "--config", str(config), *more[1:]]

    codes = [await end_after(seconds, command, tmp_path) for seconds in MOMENTS]

    assert codes == [0] * len(MOMENTS)


async def test_the_signal_is_handled_before_anything_large_is_imported(tmp_path: Path) -> None:
    program = """
import signal, sys
sys.argv = ["walletbridge", "serve", "--help"]
set_to = signal.signal
def tell(*arguments):
    print({"asyncio", "click", "grpc", "mitmproxy"} & set(sys.modules))
    signal.signal = set_to
signal.signal = tell
from walletbridge.__main__ import main
main()
"""
    code, output = await end_of([sys.executable, "-c", program], tmp_path)

    assert (code, output.splitlines()[0]) == (0, "set()")


async def test_what_did_not_do_its_work_does_not_end_as_if_it_had(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "walletbridge", "demo", "--once"]

    assert await end_after(0.2, command, tmp_path) == 128 + signal.SIGTERM


def test_an_end_whose_exception_was_swallowed_is_none_of_success() -> None:
    program = (
        "import os, signal, sys\n"
        "from walletbridge.serve.signals import code_of, handle_from_the_start\n"
        "handle_from_the_start('demo')\n"
        "try:\n    os.kill(os.getpid(), signal.SIGTERM)\nexcept BaseException:\n    pass\n"
        "sys.exit(code_of(0))"
    )
    ended = subprocess.run([sys.executable, "-c", program], check=False)

    assert ended.returncode == 128 + signal.SIGTERM
    assert code_of(0) == 0
    assert code_of(2) == 2


async def test_a_hangup_before_the_gateway_serves_does_not_end_it(tmp_path: Path) -> None:
    config = write_settings(tmp_path, wallet_port=9)
    process = await asyncio.create_subprocess_exec(
        *[sys.executable, "-m", "walletbridge", "serve", "--config", str(config)],
        stdin=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "HOME": str(tmp_path), TOKEN_VARIABLE: TOKEN},
    )
    assert process.stderr is not None
    await until(lambda: catches(process.pid, signal.SIGTERM), seconds=SECONDS)
    process.send_signal(signal.SIGHUP)

    lines = b""
    while b"listening" not in lines:
        line = await asyncio.wait_for(process.stderr.readline(), SECONDS)
        assert line, lines
        lines += line
    process.send_signal(signal.SIGTERM)
    await process.communicate()

    assert process.returncode == 0

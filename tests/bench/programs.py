"""
The programs that are measured, and how one of them is started: each a process of its own, all on the same wallet.
"""

import asyncio
import json
import os
import re
import sys
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from walletbridge.serve.launch import free_port

ROOT = Path(__file__).parents[2]
CONFIG = "walletbridge.yaml"

_START_SECONDS = 30.0
_STOP_SECONDS = 15.0
_POLL_SECONDS = 0.05
_LINES_SHOWN = 20

_MITMDUMP = [
    str(Path(sys.executable).with_name("mitmdump")),
    "-q",
    # An upstream that is never dialled, and what walletbridge sets by itself.
    *("--mode", "reverse:http://127.0.0.1:9"),
    *("--set", "connection_strategy=lazy"),
    *("--set", "keep_host_header=true"),
    *("--listen-host", "127.0.0.1"),
    *("--listen-port", "0"),
]

LISTENING = "listening"
CONNECTED = "wallet connected"
"""Before that, bets are not sent: how long walletbridge takes to connect is not what is measured."""

_MITMWEB = [
    str(Path(sys.executable).with_name("mitmweb")),
    *_MITMDUMP[2:],
    *("--set", "web_open_browser=false"),
    *("--set", "web_port=PORT"),
]
_PORT = "PORT"
"""Stands for one that is free: mitmweb cannot say which one it was given."""
_PAGE = re.compile(r"http://\S+\?token=\w+")
_OURS = str(ROOT / "addon" / "main.py")
_NAIVE = str(ROOT / "tests" / "bench" / "naive_addon.py")


@dataclass(frozen=True, slots=True)
class Program:
    """A program that answers callbacks. It runs in a folder that holds walletbridge's settings."""

    command: Sequence[str]
    ready: str = LISTENING
    """What it says once callbacks can be sent."""
    processes: int = 1
    """How many say it."""


NAIVE = "naive"
PLAIN = "plain"
MITMDUMP = "mitmdump"
SERVE = "serve"
UNJOURNALLED = "unjournalled"
PLAIN_TWO = "plain-2"
SERVE_TWO = "serve-2"
NAIVE_WEB = "naive-web"
WEB = "web"
PROGRAMS = {
    NAIVE: Program([*_MITMDUMP, "-s", _NAIVE]),
    PLAIN: Program([sys.executable, "-m", "tests.bench.plain_server"]),
    MITMDUMP: Program([*_MITMDUMP, "-s", _OURS, "--set", f"walletbridge_config={CONFIG}"], CONNECTED),
    SERVE: Program([sys.executable, "-m", "walletbridge", "serve", "--config", CONFIG], CONNECTED),
    UNJOURNALLED: Program([sys.executable, "-m", "tests.bench.unjournalled", "serve", "--config", CONFIG], CONNECTED),
    PLAIN_TWO: Program([sys.executable, "-m", "tests.bench.plain_server", "2"], processes=2),
    SERVE_TWO: Program(
        [sys.executable, "-m", "walletbridge", "serve", "--workers", "2", "--config", CONFIG], CONNECTED, processes=2
    ),
    NAIVE_WEB: Program([*_MITMWEB, "-s", _NAIVE]),
    WEB: Program([sys.executable, "-m", "walletbridge", "web", "--config", CONFIG], CONNECTED),
}
WALLET = Program([sys.executable, "-m", "tests.bench.wallet"])


@dataclass(frozen=True, slots=True)
class Running:
    """A program that listens."""

    address: str
    """`HOST:PORT`."""
    pids: tuple[int, ...]
    """Of all its processes, the one that was started first."""
    page: str
    """The address of mitmweb's page, with its login; empty where there is none."""


@asynccontextmanager
async def running(name: str, program: Program, folder: Path, environ: Mapping[str, str]) -> AsyncIterator[Running]:
    """
    Starts `program` in `folder`, where its output goes to a file; ends it afterwards.

    Raises RuntimeError where it does not come up. This one, and a RuntimeError of whoever uses it, gets a note of what
    the program had to say.
    """
    output = folder / f"{name}.log"
    with output.open("wb") as file:
        process = await asyncio.create_subprocess_exec(
            *(part.replace(_PORT, str(free_port("127.0.0.1"))) for part in program.command),
            cwd=folder,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            # mitmproxy keeps its keys at home, and reads its configuration there.
            env={**os.environ, "HOME": str(folder), "PYTHONPATH": str(ROOT), **environ},
        )
    try:
        address = await _address(process, output, program)
        children = [child.pid for child in psutil.Process(process.pid).children(recursive=True)]
        page = _PAGE.search(_text(output))
        yield Running(address, (process.pid, *children), page[0] if page else "")
    except RuntimeError as error:
        said = [line for line in _text(output).splitlines() if '"info"' not in line]
        error.add_note("\n".join([f"{name} said:", *said[-_LINES_SHOWN:]]))
        raise
    finally:
        await _stop(process)


async def _address(process: asyncio.subprocess.Process, output: Path, program: Program) -> str:
    with suppress(TimeoutError):
        async with asyncio.timeout(_START_SECONDS):
            while process.returncode is None:
                events = _events(_text(output))
                if len(events[program.ready]) >= program.processes and events[LISTENING]:
                    return str(events[LISTENING][0]["addresses"][0])
                await asyncio.sleep(_POLL_SECONDS)
    raise RuntimeError(f"{output.stem} did not start")


def _text(output: Path) -> str:
    return output.read_text(errors="replace")


def _events(text: str) -> dict[str, list[dict[str, Any]]]:
    """The lines such as `{"event": "listening", "addresses": ["127.0.0.1:40001"]}`, by their event."""
    events = defaultdict[str, list[dict[str, Any]]](list)
    for line in text.splitlines():
        if line.startswith("{") and line.endswith("}"):
            fields = json.loads(line)
            events[fields.get("event", "")].append(fields)
    return events


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.terminate()
    try:
        await asyncio.wait_for(process.wait(), _STOP_SECONDS)
    except TimeoutError:
        process.kill()
        await process.wait()

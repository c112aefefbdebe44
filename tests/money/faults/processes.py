"""
The gateway and the wallet as processes that can be killed, stopped, starved of disk and started again.
"""

import asyncio
import json
import os
import resource
import signal
import socket
import sys
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from random import SystemRandom
from typing import Any, cast

import psutil

START_SECONDS = 180.0
"""On a busy machine a start can take a minute."""
STOP_SECONDS = 20.0
LINE_BYTES_MAX = 1 << 20
NO_JSON = "no line of JSON"
"""The event of a line that a process wrote beside its log."""
_PORTS = range(12_000, 30_000)
"""Below those that the system hands out: nobody gets one by chance while its process is away."""

type Line = dict[str, Any]


class Program:
    """A process that writes lines of JSON. They are kept in a file, over all its starts."""

    def __init__(
        self, command: Callable[[int], Sequence[str]], log: Path, environ: Mapping[str, str], ready: str
    ) -> None:
        """`command` is told how often it was started before; `ready` is the event that says that it is up."""
        self._command = command
        self._log = log
        self._environ = environ
        self._ready_event = ready
        self._ready: asyncio.Future[Line] | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self.starts = 0
        self.prefix: Sequence[str] = ()
        """Put before the command at the next start."""
        self.listeners: list[Callable[[Line], None]] = []
        """They hear of every line."""

    @property
    def is_running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._process is not None and self._process.returncode is None

    @property
    def pid(self) -> int:
        """Of the process that was started last."""
        return self._process.pid if self._process else 0

    @property
    def pids(self) -> list[int]:
        """Of the process that was started last, and behind it of those that it has started; none once it has ended."""
        if not self.is_running:
            return []
        with suppress(psutil.NoSuchProcess):
            return [self.pid, *(child.pid for child in psutil.Process(self.pid).children())]
        return []

    @property
    def is_up(self) -> bool:
        """Whether it runs and has said that it is ready."""
        return self.is_running and self._ready is not None and self._ready.done()

    async def start(self) -> Line:
        """Starts it; returns the line that says that it is up. Raises RuntimeError where it does not come up."""
        self._ready = asyncio.get_running_loop().create_future()
        with self._log.open("ab") as log:
            log.write(json.dumps({"event": "START", "number": self.starts}).encode() + b"\n")
        self._process = await _whole(
            asyncio.create_subprocess_exec(
                *self.prefix,
                *self._command(self.starts),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                limit=LINE_BYTES_MAX,
                env=self._environ,
            )
        )
        self.starts += 1
        self._reader = asyncio.create_task(self._read(cast("asyncio.StreamReader", self._process.stdout)))
        waits: set[asyncio.Future[Any]] = {self._ready, self._reader}
        await asyncio.wait(waits, timeout=START_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        if not self._ready.done():
            await self.end(signal.SIGKILL)
            raise RuntimeError(f"{self._log} says why it did not start")
        return self._ready.result()

    def send(self, number: signal.Signals) -> None:
        """Sends a signal."""
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(number)

    async def end(self, number: signal.Signals) -> int:
        """Ends it with a signal, or with SIGKILL where that takes too long; returns its exit code."""
        if self._process is None or self._reader is None:
            return 0
        self.send(number)
        try:
            await asyncio.wait_for(self._process.wait(), STOP_SECONDS)
        except TimeoutError:
            self._process.kill()
        return await self.ended()

    async def ended(self) -> int:
        """Waits for its end; returns its exit code."""
        if self._process is None or self._reader is None:
            return 0
        code = await self._process.wait()
        await self._reader
        return code

    def write(self, line: object) -> None:
        """Writes a line of JSON to its stdin."""
        if self.is_running and self._process and self._process.stdin:
            self._process.stdin.write(json.dumps(line).encode() + b"\n")

    def limit_files(self, size: int | None) -> None:
        """No file of it may grow beyond so many bytes; None is no limit. What it writes to a pipe is not limited."""
        for pid in self.pids:
            with suppress(ProcessLookupError):
                _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
                soft = hard if size is None else size
                resource.prlimit(pid, resource.RLIMIT_FSIZE, (soft, hard))

    async def _read(self, stream: asyncio.StreamReader) -> None:
        ready = self._ready
        with self._log.open("ab") as log:
            async for text in stream:
                log.write(text)
                line = parse(text)
                if not line and text.endswith(b"\n"):
                    # Whoever is killed may leave half a line.
                    line = {"event": NO_JSON, "text": text.decode(errors="replace")}
                if line.get("event") == self._ready_event and ready and not ready.done():
                    ready.set_result(line)
                for listener in self.listeners:
                    listener(line)


async def _whole(starting: Coroutine[object, object, asyncio.subprocess.Process]) -> asyncio.subprocess.Process:
    """Whoever is cancelled while a process is made leaves none behind."""
    task = asyncio.ensure_future(starting)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        (await task).kill()
        raise


def cancel_on_sigterm() -> None:
    """From now on SIGTERM cancels the current task, so that its processes end as they do after Ctrl-C."""
    task = asyncio.current_task()
    if task is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)


def parse(text: str | bytes) -> Line:
    """A line of a log; empty where it is no JSON."""
    try:
        line = json.loads(text)
    except ValueError:
        return {}
    return line if isinstance(line, dict) else {}


def seconds_of(line: Line) -> float:
    """When a line was written, in Unix seconds; 0 where it does not say."""
    timestamp = line.get("timestamp", 0.0)
    return datetime.fromisoformat(timestamp).timestamp() if isinstance(timestamp, str) else timestamp


def python(module: str, *arguments: str) -> list[str]:
    """The command that runs a module."""
    return [sys.executable, "-m", module, *arguments]


def environment(home: Path, root: Path, **more: str) -> dict[str, str]:
    """A home of its own, so that nothing of the user's applies, and the tests on the path."""
    path = os.pathsep.join(filter(None, [str(root), os.environ.get("PYTHONPATH")]))
    return {**os.environ, "HOME": str(home), "PYTHONPATH": path, **more}


def free_port() -> int:
    """A port that is free and stays so while its process is away."""
    random = SystemRandom()
    while True:
        port = random.choice(_PORTS)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port

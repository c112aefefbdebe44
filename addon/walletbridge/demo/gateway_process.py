"""
Runs the gateway as a separate process, for callers that need a real one.
"""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

START_SECONDS = 60.0
"""A start takes 1 s, and up to 20 s on a busy machine."""
STOP_SECONDS = 15.0
LINES_KEPT = 1000


class GatewayProcess:
    """A running `walletbridge serve`, or another command that logs the same lines to stderr."""

    def __init__(self, process: asyncio.subprocess.Process, stderr: asyncio.StreamReader) -> None:
        self.process = process
        self._stderr = stderr
        self.lines: list[str] = []
        """The last lines of stderr."""
        self.address = ""
        """`HOST:PORT`; empty until the gateway listens."""
        self._listening = asyncio.Event()
        self._reader = asyncio.ensure_future(self._read())

    @property
    def url(self) -> str:
        """The callback URL."""
        return f"http://{self.address}/callback"

    async def wait_until_listening(self) -> None:
        """Raises RuntimeError with the printed lines if the process ends or START_SECONDS pass first."""
        listening = asyncio.ensure_future(self._listening.wait())
        await asyncio.wait({listening, self._reader}, timeout=START_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        listening.cancel()
        if not self._listening.is_set():
            await self.stop()
            raise RuntimeError("the gateway did not start:\n" + "\n".join(self.lines))

    async def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Sends the signal, and SIGKILL after STOP_SECONDS; returns the exit code."""
        if self.process.returncode is None:
            self.process.send_signal(number)
        try:
            await asyncio.wait_for(self.process.wait(), STOP_SECONDS)
        except TimeoutError:
            self.process.kill()
        await self._reader
        return await self.process.wait()

    async def _read(self) -> None:
        async for line in self._stderr:
            text = line.decode(errors="replace").rstrip("\n")
            self.lines = [*self.lines[1 - LINES_KEPT :], text]
            event = _event(text)
            if event.get("event") == "listening" and event.get("addresses"):
                self.address = event["addresses"][0]
                self._listening.set()


@asynccontextmanager
async def running_gateway(
    config: Path, environ: Mapping[str, str], command: Sequence[str] = ("-m", "walletbridge", "serve")
) -> AsyncIterator[GatewayProcess]:
    """Starts the gateway with the settings in `config` and stops it afterwards."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *command,
        "--config",
        str(config),
        stderr=asyncio.subprocess.PIPE,
        stdin=asyncio.subprocess.DEVNULL,
        env={**os.environ, **environ},
    )
    gateway = GatewayProcess(process, cast("asyncio.StreamReader", process.stderr))
    try:
        await gateway.wait_until_listening()
        yield gateway
    finally:
        await gateway.stop()


def _event(line: str) -> dict[str, Any]:
    try:
        event = json.loads(line)
    except ValueError:
        return {}
    return event if isinstance(event, dict) else {}

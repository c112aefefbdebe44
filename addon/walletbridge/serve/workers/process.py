"""
One worker process, as its supervisor sees it.
"""

import asyncio
import os
import signal
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from walletbridge.gateway.shared_memory import SharedMemory
from walletbridge.observe.metrics import names
from walletbridge.observe.metrics.names import WorkerState
from walletbridge.observe.metrics.part import Part
from walletbridge.serve.systemd import VARIABLE, WATCHDOG
from walletbridge.serve.worker import Place, command
from walletbridge.serve.worker_pipe import SERVE

POLL_SECONDS = 0.05
_NOT_FOR_WORKERS = {VARIABLE, WATCHDOG, "WATCHDOG_PID"}
"""Only the supervisor reports to systemd."""


class WorkerProcess:
    """A started worker. It reports in its part of the shared memory."""

    def __init__(self, process: asyncio.subprocess.Process, part: Part, number: int, control: int) -> None:
        self._process = process
        self._part = part
        self._control = control
        self.number = number
        """The number of its part."""
        self._beats = (0, time.monotonic())
        """The last count of beats, and the time at which it was first seen."""

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    @property
    def code(self) -> int | None:
        """Its exit code; negative for a signal; None while it runs."""
        return self._process.returncode

    @property
    def state(self) -> WorkerState | None:
        """Its state; None before its first report."""
        numbers = self._numbers()
        return next((state for state in WorkerState if numbers.get((names.WORKERS, "state", state))), None)

    @property
    def has_wallet(self) -> bool:
        """Whether it has a connection to the wallet."""
        return bool(self._numbers().get((names.WALLET_CONNECTED,)))

    def seconds_without_beat(self, now: float) -> float:
        """Seconds since its event loop last turned, as far as calls of this method have seen."""
        beats = self._numbers().get((names.BEATS,), 0)
        if beats != self._beats[0]:
            self._beats = (beats, now)
        return now - self._beats[1]

    def forgive(self, now: float) -> None:
        """Starts that time anew, after a pause without looks."""
        self._beats = (self._beats[0], now)

    async def until(self, holds: Callable[[], bool], *, seconds: float) -> bool:
        """Waits up to `seconds` until `holds` returns True; returns whether it did. Ends early if the worker dies."""
        ends_at = time.monotonic() + seconds
        while not holds():
            if self.code is not None or time.monotonic() >= ends_at:
                return False
            await asyncio.sleep(POLL_SECONDS)
        return True

    async def ended(self) -> int:
        """Waits for its end; returns its exit code."""
        return await self._process.wait()

    def serve(self) -> None:
        """Orders it to accept connections."""
        with suppress(OSError):
            os.write(self._control, SERVE)

    def send(self, number: signal.Signals) -> None:
        """Sends a signal, if the process still exists."""
        with suppress(ProcessLookupError):
            self._process.send_signal(number)

    async def stop(self, *, seconds: float) -> int:
        """Lets it end its work, and kills it after `seconds`; returns its exit code."""
        self.send(signal.SIGTERM)
        with suppress(TimeoutError):
            return await asyncio.wait_for(self._process.wait(), seconds)
        self.send(signal.SIGKILL)
        return await self._process.wait()

    def close(self) -> None:
        """Closes the pipe. A worker that still runs ends by itself."""
        with suppress(OSError):
            os.close(self._control)

    def _numbers(self) -> Mapping[tuple[str, ...], int]:
        return dict(self._part.read())


async def start(
    config: Path, content: int, memory: SharedMemory, number: int, sockets: Sequence[socket.socket]
) -> WorkerProcess:
    """
    Starts a worker with part `number` of the memory, and with `content` in place of the file `config`. Raises OSError
    if there can be no more processes.
    """
    theirs, ours = os.pipe()
    place = Place(
        sockets=tuple(listener.fileno() for listener in sockets),
        memory=memory.file,
        parts=memory.parts,
        part=number,
        control=theirs,
        content=content,
    )
    try:
        process = await asyncio.create_subprocess_exec(
            *command(config, place),
            stdin=asyncio.subprocess.DEVNULL,
            pass_fds=(*place.sockets, place.memory, place.control, content),
            # A group of its own: the signals of a terminal go to the supervisor, which passes them on.
            process_group=0,
            env={name: value for name, value in os.environ.items() if name not in _NOT_FOR_WORKERS},
        )
    except BaseException:
        os.close(ours)
        raise
    finally:
        os.close(theirs)
    return WorkerProcess(process, memory.part(number), number, ours)

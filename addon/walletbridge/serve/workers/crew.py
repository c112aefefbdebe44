"""
The workers of one gateway: takes them on, puts them to work and lets them go. The supervisor decides when.
"""

import asyncio
import os
import signal
import socket
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from msgspec.structs import asdict

from walletbridge.gateway.shared_memory import SharedMemory, nameless_file
from walletbridge.journal.place import FirstSeen
from walletbridge.observe.metrics.names import WorkerState
from walletbridge.observe.metrics.part import Part
from walletbridge.serve.workers.process import WorkerProcess, start
from walletbridge.settings import Settings

SPARE_PARTS = 2
"""Spare parts of the memory: a worker lives beside the one that it replaces."""
WALLET_SECONDS = 5.0
"""Seconds for a new worker to reach the wallet, if another worker has it."""
SERVE_SECONDS = 10.0
"""Seconds from the order to serve until the worker serves."""
END_SECONDS = 10.0
"""Seconds that a worker needs to end, beside the time for its clients and its calls."""


class NotStarted(Exception):
    """Raised if a worker could not be started; its reason is for the log. The worker's own output has more."""


class Crew:
    """Workers that share sockets and memory."""

    def __init__(
        self,
        config: Path,
        journal: FirstSeen,
        sockets: Sequence[socket.socket],
        count: int,
        *,
        on_end: Callable[[], None],
    ) -> None:
        """
        For `count` workers that serve at the same time, all with the same journal. Calls `on_end` when one of them has
        ended.
        """
        self._config = config
        self._sockets = sockets
        self._content = nameless_file()
        self._memory = SharedMemory.create(count + SPARE_PARTS)
        self._free = list(range(self._memory.parts))
        self._alive: set[WorkerProcess] = set()
        self._on_end = on_end
        self._journal = journal
        self.serving: list[WorkerProcess] = []
        """The workers that accept connections, and those of them that have died since."""

    @property
    def alive(self) -> Collection[WorkerProcess]:
        """All workers that were started and not buried: also those that do not serve yet, or no longer serve."""
        return self._alive

    def parts(self) -> list[Part]:
        """The metrics of all workers, living and dead."""
        return [self._memory.part(number) for number in range(self._memory.parts)]

    def settle_on(self, content: bytes) -> None:
        """Sets the settings' text for all workers that are taken on from now on, whatever the file holds by then."""
        os.ftruncate(self._content, 0)
        os.pwrite(self._content, content, 0)

    async def take_on(self, settings: Settings) -> WorkerProcess:
        """Starts a worker and waits until it could serve as well as the others do. Raises NotStarted."""
        if not self._free:
            raise NotStarted("too many workers are on their way down")
        if problem := self._journal.problem():
            # A worker with another journal would not know which money is owed or has already moved.
            raise NotStarted(f"{problem}; put it back, or end the gateway, put a backup in its place and start again")
        number = self._free.pop(0)
        try:
            worker = await start(self._config, self._content, self._memory, number, self._sockets)
        except OSError as error:
            self._free.append(number)
            raise NotStarted(f"no process could be made: {error.strerror}") from None
        self._alive.add(worker)
        try:
            await self._expect(worker, settings)
        except BaseException:
            # It has served no client: there is nothing to wait for.
            worker.send(signal.SIGKILL)
            await asyncio.shield(self.bury(worker))
            raise
        return worker

    async def put_to_work(self, worker: WorkerProcess) -> None:
        """Makes it accept connections. If it cannot, it will be found dead or hanging."""
        self.serving.append(worker)
        worker.serve()
        ended = asyncio.ensure_future(worker.ended())
        ended.add_done_callback(lambda _: self._on_end())
        await worker.until(lambda: worker.state is WorkerState.SERVING, seconds=SERVE_SECONDS)

    async def let_go(self, worker: WorkerProcess, settings: Settings) -> int:
        """Lets it answer the callbacks that it has begun, within a time limit, and end; returns its exit code."""
        if worker in self.serving:
            self.serving.remove(worker)
        await worker.stop(seconds=drain_seconds(settings))
        return await self.bury(worker)

    async def bury(self, worker: WorkerProcess) -> int:
        """Waits for the end of a worker, and frees its part and its pipe; returns its exit code."""
        code = await worker.ended()
        if worker in self._alive:
            self._alive.remove(worker)
            worker.close()
            self._memory.end(worker.number)
            self._free.append(worker.number)
        if worker in self.serving:
            self.serving.remove(worker)
        return code

    async def let_all_go(self, settings: Settings) -> None:
        """Lets all workers end, within a time limit."""
        await asyncio.gather(*(self.let_go(worker, settings) for worker in tuple(self._alive)))

    def send(self, number: signal.Signals) -> None:
        """Sends a signal to all workers."""
        for worker in self._alive:
            worker.send(number)

    async def _expect(self, worker: WorkerProcess, settings: Settings) -> None:
        seconds = settings.serve.start_seconds
        if not await worker.until(lambda: worker.state is WorkerState.READY, seconds=seconds):
            if worker.code is None:
                raise NotStarted(f"a worker was not ready within {seconds:g} s")
            raise NotStarted(f"a worker ended while it was started, with exit code {worker.code}")
        if any(other.has_wallet for other in self.serving) and not await worker.until(
            lambda: worker.has_wallet, seconds=WALLET_SECONDS
        ):
            # Its settings are more likely the cause than the wallet.
            raise NotStarted("a new worker has no connection to the wallet, though others have one")


def drain_seconds(settings: Settings) -> float:
    """Seconds that a worker may take to end: for idle connections, the longest call, and END_SECONDS."""
    longest: float = max(asdict(settings.deadlines).values())
    return settings.serve.drain_seconds + longest + END_SECONDS

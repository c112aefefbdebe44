"""
Kills a worker that stands still while it keeps the others from writing the journal.
"""

import signal
import time
from collections.abc import Callable, Collection
from pathlib import Path

from walletbridge.journal.holder import is_stopped
from walletbridge.journal.lock_watch import LockWatch
from walletbridge.observe.log import Log
from walletbridge.serve.workers.process import WorkerProcess

SILENT_SECONDS = 2.0
"""Seconds without a beat, after which a worker counts as standing still. A worker beats once a second."""


class LockGuard:
    """For one supervisor."""

    def __init__(self, journal: Path, log: Log, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._watch = LockWatch(journal, clock=clock)
        self._log = log

    def forget(self) -> None:
        """Discards the observations, after a pause without looks."""
        self._watch.clear()

    def look(self, alive: Collection[WorkerProcess], silent: Collection[WorkerProcess], *, seconds: float) -> None:
        """
        Kills the workers that stand still and have held a lock for `seconds`; with 0, none.

        `silent` are those without a beat for SILENT_SECONDS. One that is slow but beats may be in a long commit, and is
        spared.
        """
        still = {worker.pid: worker for worker in alive if worker in silent or is_stopped(worker.pid)}
        if not seconds or not still:
            # The usual case, and the cheap one: it does not read the locks of the whole machine.
            self._watch.clear()
            return
        for held in self._watch.look():
            worker = still.get(held.hold.pid)
            if worker and worker.code is None and held.seconds >= seconds:
                self._log.warning(
                    "a worker that stands still holds the journal's lock and is killed",
                    pid=worker.pid,
                    lock=held.hold.lock,
                    since=held.since,
                    seconds=round(held.seconds, 1),
                )
                worker.send(signal.SIGKILL)

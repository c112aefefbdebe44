"""
A thread that owns the journal's file, and one commit for all jobs that wait at that moment.
"""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any

import apsw

from walletbridge.journal.port import JournalUnavailable
from walletbridge.journal.store import Store

BATCH_MAX = 512
CROWD = 8
GATHER_SECONDS = 0.001
"""
Seconds that a commit waits for more jobs if the last one had at least CROWD. The cost of a commit, and of running
beside the event loop, hardly depends on the number of jobs: fewer commits serve a crowd sooner.
"""
SOON_SECONDS = 0.02
"""Seconds that a job without a waiting caller may wait to share another job's commit."""
REOPEN_SECONDS = 0.5
"""Least seconds between two attempts to open the file."""
PULSE_SECONDS = 1.0
"""Seconds between two looks at the file without a job: readiness must know whether callbacks can be answered."""

_OPENED_ANEW = (apsw.CorruptError, apsw.NotADBError)
"""Errors that time alone does not heal, unlike a full disk or a locked file."""

type Job = Callable[[Store], Any]


@dataclass(slots=True)
class _Waiting:
    job: Job
    about: str | None
    future: asyncio.Future[Any] | None
    value: Any = None
    error: BaseException | None = None


class Writer:
    """Runs jobs against the store, in the order of their arrival. At most `waiting_max` may wait."""

    def __init__(
        self,
        open_store: Callable[[], Store],
        *,
        waiting_max: int,
        on_problem: Callable[[str], None],
        after: Callable[[Store], None] = lambda _: None,
    ) -> None:
        """
        `on_problem` receives, in the event loop, why the file fails, and an empty text once it works again. `after`
        runs after each commit, once its results were sent. It must not raise.
        """
        self._open_store = open_store
        self._waiting_max = waiting_max
        self._on_problem = on_problem
        self._after = after
        self._loop = asyncio.get_running_loop()
        self._jobs: deque[_Waiting] = deque()
        # Lighter than an Event: one lock wakes the thread, not a condition made of several.
        self._bell: SimpleQueue[None] = SimpleQueue()
        self._closing = False
        self._store: Store | None = None
        self._problem = ""
        self._next_open = 0.0
        self._looked_at = time.monotonic()
        self._soon: asyncio.TimerHandle | None = None
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()

    async def run(self, job: Job, *, about: str | None = None) -> Any:
        """
        Runs `job` in a transaction and returns its value once that is on disk. Raises JournalUnavailable.

        `about` is the job's `trans_id`: a batch reads all its transactions at once.
        """
        future: asyncio.Future[Any] = self._loop.create_future()
        self._add(_Waiting(job, about, future))
        return await future

    def run_soon(self, job: Job, *, about: str | None = None) -> None:
        """Runs `job` before any later one, in the next commit or after a moment. Reports neither value nor failure."""
        if self._closing or len(self._jobs) >= self._waiting_max:
            return
        self._jobs.append(_Waiting(job, about, None))
        if self._soon is None:
            self._soon = self._loop.call_later(SOON_SECONDS, self._wake_soon)

    def _wake_soon(self) -> None:
        self._soon = None
        self._ring()

    async def close(self) -> None:
        """Runs the waiting jobs, then closes the file."""
        self._closing = True
        self._ring()
        await asyncio.to_thread(self._thread.join)

    def _add(self, waiting: _Waiting) -> None:
        if self._closing:
            raise JournalUnavailable("the journal is closed")
        if len(self._jobs) >= self._waiting_max:
            raise JournalUnavailable(f"{self._waiting_max} steps wait for the disk")
        self._jobs.append(waiting)
        self._ring()

    def _ring(self) -> None:
        # A pending bell suffices: the thread looks for jobs after it.
        if self._bell.empty():
            self._bell.put(None)

    def _run(self) -> None:
        batch: list[_Waiting] = []
        while not self._closing or self._jobs:
            with suppress(Empty):
                self._bell.get(timeout=PULSE_SECONDS)
            while self._jobs:
                if len(batch) >= CROWD and not self._closing:
                    time.sleep(GATHER_SECONDS)
                batch = [self._jobs.popleft() for _ in range(min(len(self._jobs), BATCH_MAX))]
                self._commit(batch)
                self._loop.call_soon_threadsafe(_deliver, batch)
                if self._store:
                    self._after(self._store)
            # After the jobs: if the lock is taken, this lasts as long as a job may wait.
            self._look_at_file_sometimes()
        if self._store:
            self._store.close()

    def _commit(self, batch: list[_Waiting]) -> None:
        try:
            written = self._attempt(batch)
        except (apsw.Error, OSError, ValueError, JournalUnavailable) as error:
            if len(batch) > 1 and self._store and _is_of_one_step(error):
                # A full disk can still be read: jobs that only read must not fail with jobs that write.
                for waiting in batch:
                    self._commit([waiting])
            else:
                self._fail(batch, error)
        else:
            if written:
                self._tell("")

    def _attempt(self, batch: list[_Waiting]) -> bool:
        """Runs the batch in one transaction. Returns whether it has written anything."""
        store = self._opened()
        while True:
            changes = store.changes
            try:
                with store.transaction():
                    store.expect([waiting.about for waiting in batch if waiting.about is not None])
                    for waiting in batch:
                        if waiting.error is None:
                            _run_step(waiting, store)
            except _FaultyStep:
                continue
            return store.changes > changes

    def _look_at_file_sometimes(self) -> None:
        now = time.monotonic()
        if now - self._looked_at >= PULSE_SECONDS and not self._closing:
            self._looked_at = now
            self._look_at_file()

    def _look_at_file(self) -> None:
        """
        Checks without a job whether the file is still in its place, and whether a failed one works again. A gateway
        that cannot write gets no callbacks, so no job would find out.
        """
        try:
            store = self._opened()
            store.expect_in_place()
            if self._problem:
                store.try_to_write()
        except (apsw.Error, OSError, ValueError, JournalUnavailable) as error:
            self._fail([], error)
        else:
            self._tell("")

    def _opened(self) -> Store:
        if self._store is None:
            if time.monotonic() < self._next_open:
                raise JournalUnavailable(self._problem)
            self._next_open = time.monotonic() + REOPEN_SECONDS
            self._store = self._open_store()
        return self._store

    def _fail(self, batch: list[_Waiting], error: Exception) -> None:
        for waiting in batch:
            waiting.value, waiting.error = None, JournalUnavailable(str(error))
        if isinstance(error, _OPENED_ANEW) and self._store:
            self._store.close()
            self._store = None
        self._tell(str(error))

    def _tell(self, problem: str) -> None:
        if problem != self._problem:
            self._problem = problem
            self._loop.call_soon_threadsafe(self._on_problem, problem)


class _FaultyStep(Exception):
    """A step has raised: the batch is undone, and done again without it."""


def _is_of_one_step(error: Exception) -> bool:
    """
    Whether the rest of the batch may still succeed: the disk of the journal or of a file beside it is full or failing,
    but the journal itself is sound and in place.
    """
    return isinstance(error, apsw.FullError | apsw.IOError | OSError)


def _run_step(waiting: _Waiting, store: Store) -> None:
    try:
        waiting.value = waiting.job(store)
    except (apsw.Error, OSError):
        raise
    except Exception as error:
        waiting.error = error
        raise _FaultyStep from error


def _deliver(batch: list[_Waiting]) -> None:
    for waiting in batch:
        if waiting.future is None or waiting.future.done():
            continue
        if waiting.error is not None:
            waiting.future.set_exception(waiting.error)
        else:
            waiting.future.set_result(waiting.value)

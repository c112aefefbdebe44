"""
Watches over the workers of `serve --workers`: starts them, replaces those that die or hang, and on SIGHUP replaces all.

It owns the parts that must outlive a worker: the listening sockets, the shared memory and the admin endpoint. It
answers no callback and uses neither mitmproxy nor gRPC, so that little in it can fail.
"""

import asyncio
import os
import signal
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from prometheus_client.metrics_core import Metric as Family

from walletbridge.gateway.needs import expect_all
from walletbridge.journal.place import FirstSeen
from walletbridge.journal.probe import JournalProbe
from walletbridge.observe.log import Log, open_log
from walletbridge.observe.metrics.exposition import counter
from walletbridge.protocol.errors import SettingsError
from walletbridge.serve.admin.admin import Admin, Watched
from walletbridge.serve.admin.certificate_metrics import certificate_families
from walletbridge.serve.lock_guard import SILENT_SECONDS, LockGuard
from walletbridge.serve.sockets import HANDSHAKE_SECONDS, addresses_of, bind_both, close, refuse_new
from walletbridge.serve.systemd import Notifier
from walletbridge.serve.workers.crew import Crew, NotStarted
from walletbridge.serve.workers.process import WorkerProcess
from walletbridge.settings import Settings, load
from walletbridge.settings.small_files import read_small
from walletbridge.settings.tls_files import require_valid

TICK_SECONDS = 0.5
HELD_UP_SECONDS = 2.0
"""Seconds between two looks at the workers. After a longer pause the machine, not the worker, has hung."""
PAUSE_SECONDS = 0.1
PAUSE_SECONDS_MAX = 10.0
"""Seconds between two tries to replace a dead worker: doubled after each failure."""
SECOND_SIGNAL_SECONDS = 0.5
"""Seconds within which a second SIGINT is the same Ctrl-C: launchers and process groups deliver it twice."""


async def supervise(config: Path, settings: Settings, workers: int) -> int:
    """
    Serves with `workers` workers until a signal ends it; returns the exit code.

    Raises SettingsError if the file, an address or a certificate cannot be used.
    """
    log = open_log(lines_max=settings.limits.log_lines, kept=settings.log)
    try:
        return await Supervisor(config, settings, workers, log).run()
    finally:
        log.close()


class Supervisor:
    """For one process. systemd's variables are in its environment."""

    def __init__(self, config: Path, settings: Settings, count: int, log: Log) -> None:
        """Raises SettingsError if the file, an address or a certificate cannot be used."""
        self._config = config
        self._content = _read(config)
        self._settings = settings
        self._count = count
        self._log = log
        self._notifier = Notifier(os.environ)
        self._wake = asyncio.Event()
        require_valid(settings.tls, datetime.now(UTC))
        self._sockets, self._admin_sockets = bind_both(settings)
        self._journal = FirstSeen(settings.journal.path)
        self._crew = Crew(config, self._journal, self._sockets, count, on_end=self._wake.set)
        self._crew.settle_on(self._content)
        self._locks = LockGuard(settings.journal.path, log)
        self._reload_wanted = False
        self._stop_wanted_at: float | None = None
        self._looked_at = time.monotonic()
        self._work: asyncio.Task[None] | None = None
        """The task that starts or replaces workers: one at a time."""
        self._is_up = False
        """Whether all workers have served once."""
        self._failures = 0
        """Starts that failed since the last successful one."""
        self._gave_up = ""
        self._restarts = 0
        self._reloads = {"done": 0, "failed": 0}

    async def run(self) -> int:
        """Runs until the end; returns the exit code."""
        self._listen_to_signals()
        admin = self._make_admin()
        await admin.start()
        try:
            while self._stop_wanted_at is None and not self._gave_up:
                try:
                    self._look_after_workers()
                    if self._is_up:
                        self._journal.see()
                except Exception as error:  # noqa: BLE001 - the serving workers must not end for it
                    self._log.failed(error)
                await self._next()
        finally:
            if self._gave_up:
                self._log.warning("gave up", problem=self._gave_up)
            await self._end()
            await admin.stop()
            self._log.event("all workers ended")
        return 1 if self._gave_up else 0

    def _make_admin(self) -> Admin:
        watched = Watched(
            parts=self._crew.parts,
            journal=JournalProbe(self._settings.journal.path, file=self._journal),
            is_stopping=lambda: self._stop_wanted_at is not None,
            more=self._families,
        )
        return Admin(self._admin_sockets, watched)

    def _families(self) -> Iterable[Family]:
        text = "Workers that died and were replaced."
        yield counter("walletbridge_worker_restarts_total", text, {"": self._restarts})
        text = "Reloads upon SIGHUP, by what came of them."
        yield counter("walletbridge_reloads_total", text, self._reloads, label="result")
        yield from certificate_families(self._settings)

    # Signals

    def _listen_to_signals(self) -> None:
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self._stop, signal.SIGTERM)
        loop.add_signal_handler(signal.SIGINT, self._stop, signal.SIGINT)
        loop.add_signal_handler(signal.SIGHUP, self._want_reload)

    def _stop(self, number: signal.Signals) -> None:
        now = time.monotonic()
        if self._stop_wanted_at is None:
            self._stop_wanted_at = now
            self._wake.set()
        elif number is signal.SIGINT and now - self._stop_wanted_at > SECOND_SIGNAL_SECONDS:
            # Draining workers take it as a person's second Ctrl-C.
            self._crew.send(signal.SIGINT)

    def _want_reload(self) -> None:
        self._reload_wanted = True
        self._wake.set()

    # Work

    async def _next(self) -> None:
        """Waits for an event, or for the time of the next look."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._wake.wait(), TICK_SECONDS)
        self._wake.clear()
        self._notifier.alive()

    def _look_after_workers(self) -> None:
        now = time.monotonic()
        was_held_up = now - self._looked_at > HELD_UP_SECONDS
        self._looked_at = now
        if was_held_up:
            self._locks.forget()
        silent = []
        for worker in self._crew.serving:
            if was_held_up:
                # A machine that stood still has stopped all processes; the workers need a moment as well.
                worker.forgive(now)
            seconds = worker.seconds_without_beat(now)
            if seconds > SILENT_SECONDS:
                silent.append(worker)
            if worker.code is None and seconds > self._settings.serve.hang_seconds:
                self._log.warning("a worker hangs and is killed", pid=worker.pid, seconds=round(seconds))
                worker.send(signal.SIGKILL)
        self._locks.look(self._crew.alive, silent, seconds=self._settings.journal.lock_seconds)
        if self._work and not self._work.done():
            return
        self._tell_fault()
        dead = [worker for worker in self._crew.serving if worker.code is not None]
        if dead or len(self._crew.serving) < self._count:
            self._work = asyncio.ensure_future(self._fill_up(dead))
        elif not self._is_up:
            self._is_up = True
            self._notifier.ready()
            self._log.event(
                "all workers serve",
                workers=self._count,
                addresses=addresses_of(self._sockets),
                admin=addresses_of(self._admin_sockets),
            )
        elif self._reload_wanted:
            self._reload_wanted = False
            self._work = asyncio.ensure_future(self._reload())

    def _tell_fault(self) -> None:
        """Logs work that ended with an internal error; it is tried again, after longer and longer pauses."""
        work, self._work = self._work, None
        error = work.exception() if work and not work.cancelled() else None
        if error:
            self._failures += 1
            self._log.failed(error)

    async def _fill_up(self, dead: Sequence[WorkerProcess]) -> None:
        """Starts the missing workers."""
        for worker in dead:
            code = await self._crew.bury(worker)
            self._restarts += 1
            self._log.warning("a worker died", pid=worker.pid, code=code)
        if self._failures:
            await asyncio.sleep(min(PAUSE_SECONDS_MAX, PAUSE_SECONDS * 2**self._failures))
        missing = self._count - len(self._crew.serving)
        try:
            # The very first worker alone: if the start is broken, the reason is logged once.
            await self._bring_up(missing if self._is_up or self._crew.serving else 1)
            self._failures = 0
        except NotStarted as error:
            self._failures += 1
            is_hopeless = self._failures >= self._settings.serve.start_tries and not self._crew.serving
            if is_hopeless or not self._is_up:
                self._gave_up = str(error)
            else:
                self._log.warning("no worker could be brought up", problem=str(error), failures=self._failures)
        self._wake.set()

    async def _bring_up(self, count: int) -> None:
        found = await asyncio.gather(
            *(self._crew.take_on(self._settings) for _ in range(count)), return_exceptions=True
        )
        for worker in found:
            if isinstance(worker, WorkerProcess):
                await self._crew.put_to_work(worker)
        for problem in found:
            if isinstance(problem, BaseException):
                raise problem

    async def _reload(self) -> None:
        """Replaces all workers one by one. An error leaves those that are not replaced yet as they are."""
        self._notifier.reloading()
        self._log.event("reloading")
        try:
            content = _read(self._config)
            settings = load(self._config, content)
            _expect_no_restart(self._settings, settings)
            expect_all(settings)
            require_valid(settings.tls, datetime.now(UTC))
            self._crew.settle_on(content)
            for worker in tuple(self._crew.serving):
                successor = await self._crew.take_on(settings)
                await self._crew.put_to_work(successor)
                await self._crew.let_go(worker, self._settings)
        except (SettingsError, NotStarted) as error:
            self._reloads["failed"] += 1
            self._log.warning("not reloaded: the old workers go on", problem=str(error))
        else:
            self._settings, self._content = settings, content
            self._reloads["done"] += 1
            self._log.event("reloaded")
        finally:
            # Also after an internal error: later workers get only settings that were taken over as a whole.
            self._crew.settle_on(self._content)
        self._notifier.ready()
        self._wake.set()

    async def _end(self) -> None:
        """Has the workers answer all connected clients, then closes the shared sockets."""
        self._notifier.stopping()
        if self._work:
            self._work.cancel()
            await asyncio.wait({self._work})
        refuse_new(self._sockets)
        # Meanwhile the workers accept the clients that were about to connect.
        await asyncio.sleep(HANDSHAKE_SECONDS)
        await self._crew.let_all_go(self._settings)
        close(self._sockets)


def _read(config: Path) -> bytes:
    try:
        return read_small(config)
    except OSError as error:
        raise SettingsError(f"{config}: cannot be read: {error.strerror}") from None


def _expect_no_restart(old: Settings, new: Settings) -> None:
    """
    Raises SettingsError for a change that needs a restart.

    With two journals at a time, workers would not know of each other's calls: money would move twice.
    """
    for key, before, after in (
        ("journal.path", old.journal.path, new.journal.path),
        ("listen", old.listen, new.listen),
        ("admin", old.admin, new.admin),
    ):
        if before != after:
            raise SettingsError(f"{key}: cannot be changed by a reload; restart")

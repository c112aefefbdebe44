"""
The admin endpoint: health, readiness and metrics, on an address of its own. It knows no callbacks and no secrets.
"""

import asyncio
import platform
import socket
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version

from aiohttp import web
from prometheus_client.metrics_core import Metric as Family

from walletbridge.journal.probe import JournalProbe, Probed
from walletbridge.observe.metrics.exposition import CONTENT_TYPE, exposition, gauge, totals
from walletbridge.observe.metrics.part import Part
from walletbridge.serve.admin.readiness import TIMES_NOT_KEPT, checks

CLOSE_SECONDS = 1.0
"""Seconds for which an answer of this endpoint may take to go out at the end."""

type More = Callable[[], Iterable[Family]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """The sources of the endpoint's answers."""

    parts: Callable[[], Sequence[Part]]
    """The metrics of all workers, living and dead."""
    journal: JournalProbe
    is_stopping: Callable[[], bool]
    is_alive: Callable[[], bool] = lambda: True
    """Whether the endpoint's own process enforces the time limits of connections."""
    more: More = tuple
    """Metrics that only the endpoint's process knows."""


class Admin:
    """Serves `/healthz`, `/readyz` and `/metrics`."""

    def __init__(self, sockets: Sequence[socket.socket], watched: Watched) -> None:
        """`sockets` already listen."""
        self._sockets = sockets
        self._watched = watched
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Starts to answer. Needs a running event loop."""
        app = web.Application()
        app.add_routes(
            [
                web.get("/healthz", self._healthz),
                web.get("/readyz", self._readyz),
                web.get("/metrics", self._metrics),
            ]
        )
        # mitmproxy, or the supervisor, handles the signals.
        runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=CLOSE_SECONDS)
        await runner.setup()
        for listener in self._sockets:
            await web.SockSite(runner, listener).start()
        self._runner = runner

    async def stop(self) -> None:
        """Closes the sockets."""
        runner, self._runner = self._runner, None
        if runner:
            await runner.cleanup()

    async def _healthz(self, _: web.Request) -> web.Response:
        """The event loop runs and enforces the time limits of connections. If not, the process should be restarted."""
        if self._watched.is_alive():
            return web.json_response({"status": "ok"})
        return web.json_response({"status": TIMES_NOT_KEPT}, status=503)

    async def _readyz(self, _: web.Request) -> web.Response:
        """Whether callbacks should be sent here, and every problem."""
        probed = await self._watched.journal.look()
        is_stopping, is_alive = self._watched.is_stopping(), self._watched.is_alive()
        found = checks(totals(self._watched.parts()), probed, is_stopping=is_stopping, is_alive=is_alive)
        is_ready = not any(check.problem for check in found)
        said: dict[str, object] = {
            "ready": is_ready,
            "checks": {check.name: check.problem or "ok" for check in found},
        }
        if probed.held:
            said["journal_held"] = [str(held) for held in probed.held]
        return web.json_response(said, status=200 if is_ready else 503)

    async def _metrics(self, _: web.Request) -> web.Response:
        probed = await self._watched.journal.look()
        # In a thread: it takes some milliseconds, and callbacks may wait for this event loop.
        text = await asyncio.to_thread(exposition, self._watched.parts(), lambda: self._families(probed))
        return web.Response(body=text, headers={"Content-Type": CONTENT_TYPE})

    def _families(self, probed: Probed) -> Iterable[Family]:
        yield gauge("walletbridge_journal_open_rows", "Transactions that are not settled.", probed.open_rows)
        yield gauge("walletbridge_journal_human_rows", "Transactions that wait for a person.", probed.for_human)
        yield gauge(
            "walletbridge_journal_oldest_open_seconds",
            "The age of the oldest transaction that is not settled; 0 where all are.",
            # No sample if the journal could not be read; 0 if nothing is open.
            None if probed.open_rows is None else probed.oldest_seconds or 0,
        )
        yield gauge(
            "walletbridge_journal_writable", "Whether the journal could be written just now.", int(not probed.problem)
        )
        yield gauge(
            "walletbridge_journal_lock_held_seconds",
            "For how long a process has kept others from writing the journal, as far as was seen; 0 where none does.",
            max((held.seconds for held in probed.held), default=0),
        )
        yield gauge(
            "walletbridge_journal_wal_bytes",
            "The size of SQLite's log beside the journal. It grows for as long as a process keeps a read open.",
            self._watched.journal.wal_bytes(),
        )
        yield gauge(
            "walletbridge_stopping", "Whether the gateway is on its way down.", int(self._watched.is_stopping())
        )
        yield gauge("walletbridge_build_info", "What runs here; always 1.", 1, **_build())
        yield from self._watched.more()


def _build() -> Mapping[str, str]:
    return {
        "version": version("walletbridge"),
        "python": platform.python_version(),
        "mitmproxy": version("mitmproxy"),
    }

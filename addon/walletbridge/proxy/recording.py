"""
The recording: callbacks with a right token, their answers and the wallet's responses, as files of flows for mitmproxy
and `walletbridge replay`. Its size and age are bounded. It has its own writing thread and never delays an answer:
callbacks that it cannot take in time are dropped and counted.

It keeps no header of the request and hides tokens elsewhere, so it contains no token. It does not mask accounts,
because a masked callback cannot be replayed. Only the owner can read the files.
"""

import os
import threading
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from queue import Empty, Full, Queue
from typing import Any, BinaryIO, NamedTuple

from mitmproxy import connection, http, io
from msgspec.structs import replace

from walletbridge.gateway.gateway import Request
from walletbridge.observe.trace import Trace
from walletbridge.protocol.answers import Answer
from walletbridge.proxy.flows import HIDDEN, TOKEN_HEADER, response_of
from walletbridge.proxy.live_view import record_of
from walletbridge.proxy.live_view.one_line import comment, marker
from walletbridge.proxy.live_view.record import without, write
from walletbridge.settings import Record as RecordSettings
from walletbridge.settings import Settings

WAITING_MAX = 10_000
"""Callbacks waiting to be written."""
PARTS = 16
"""Files in a recording; the oldest is deleted to make room."""
PATTERN = "callbacks-*.flows"
RETRY_SECONDS = 5.0
"""Seconds between a failed write and the next attempt."""
CLOSE_SECONDS = 2.0
_MEGABYTE = 1_000_000
_HOUR = 3600
_NOWHERE = ("0.0.0.0", 0)  # noqa: S104 - an address to show, not to listen on

type Answers = Callable[[Request, Trace], Coroutine[Any, Any, Answer]]


class _Said(NamedTuple):
    """An answered callback."""

    request: Request
    trace: Trace
    answer: Answer
    began_at: float
    """Wall-clock time, in seconds."""
    seconds: float
    """Until the answer."""


class Recording:
    """Writes callbacks until `close`."""

    def __init__(
        self,
        where: RecordSettings,
        settings: Settings,
        *,
        on_problem: Callable[[str, int], None],
        hide: Callable[[str], str] = str,
    ) -> None:
        """
        The writing thread calls `on_problem` with a problem and the number of callbacks dropped since the last one.
        `hide` removes tokens from kept text.
        """
        self._hide = hide
        self._files = Files(where)
        self._settings = replace(settings, ui=replace(settings.ui, mask_accounts=False))
        self._path = settings.callback.path
        self._on_problem = on_problem
        self._waiting: Queue[_Said | None] = Queue(WAITING_MAX)
        self._dropped = 0
        self._thread = threading.Thread(target=self._run, name="recording", daemon=True)
        self._thread.start()

    def around(self, answer: Answers) -> Answers:
        """Returns `answer` with recording."""

        async def recorded(request: Request, trace: Trace) -> Answer:
            if not request.has_token:
                return await answer(request, trace)
            if trace.calls is None:
                trace.calls = []
            began_at, began = time.time(), time.monotonic()
            made = await answer(request, trace)
            self._take(_Said(request, trace, made, began_at, time.monotonic() - began))
            return made

        return recorded

    def close(self) -> None:
        """Writes the waiting callbacks and closes the file. Gives up on a disk that hangs."""
        with suppress(Full):
            self._waiting.put(None, timeout=CLOSE_SECONDS)
        self._thread.join(CLOSE_SECONDS)

    def _take(self, said: _Said) -> None:
        try:
            self._waiting.put_nowait(said)
        except Full:
            self._dropped += 1

    def _run(self) -> None:
        while True:
            batch = [self._waiting.get()]
            with suppress(Empty):
                while True:
                    batch.append(self._waiting.get_nowait())
            try:
                self._files.write([self._flow(said) for said in batch if said is not None])
            except Exception as error:  # noqa: BLE001 - a failed recording must not end the process or an answer
                self._tell(str(error), len(batch) - batch.count(None))
            if None in batch:
                self._files.close()
                return
            if self._dropped:
                self._tell("callbacks came faster than they could be written", 0)

    def _tell(self, problem: str, lost: int) -> None:
        dropped, self._dropped = self._dropped + lost, 0
        with suppress(Exception):
            self._on_problem(problem, dropped)

    def _flow(self, said: _Said) -> http.HTTPFlow:
        client = connection.Client(peername=_NOWHERE, sockname=_NOWHERE)
        flow = http.HTTPFlow(client, connection.Server(address=None))
        fields = ((b"Content-Type", b"application/json"), (TOKEN_HEADER, HIDDEN))
        flow.request = http.Request(
            host="walletbridge",
            port=80,
            method=said.request.method.encode(),
            scheme=b"http",
            authority=b"",
            path=self._path.encode(),
            http_version=b"HTTP/1.1",
            headers=http.Headers(fields),
            content=self._hide((said.request.body or b"").decode("latin-1")).encode("latin-1"),
            trailers=None,
            timestamp_start=said.began_at,
            timestamp_end=said.began_at,
        )
        flow.response = response_of(flow.request, said.answer, is_last=False)
        flow.response.timestamp_start = flow.response.timestamp_end = said.began_at + said.seconds
        record = record_of.answered(said.trace, said.answer, self._settings, record_of.Seconds(said.seconds))
        record = without(record, self._hide)
        record.marker = marker(record)
        flow.comment, flow.marked = comment(record), record.marker
        write(flow.metadata, record)
        return flow


class Files:
    """The files of a recording: the current one, and older ones until they are too old or space runs out."""

    def __init__(self, where: RecordSettings, *, clock: Callable[[], float] = time.time) -> None:
        self._where = where
        self._clock = clock
        self._file: BinaryIO | None = None
        self._opened_at = 0.0
        self._next_try = 0.0
        self._number = 0

    def write(self, flows: list[http.HTTPFlow]) -> None:
        """
        Appends flows. Raises OSError if that fails, and without an attempt during the RETRY_SECONDS after a failure.
        """
        now = self._clock()
        if self._file is None and now < self._next_try:
            raise OSError("the last file could not be written; the next attempt is due in seconds")
        try:
            file = self._current(now)
            writer = io.FlowWriter(file)  # type: ignore[no-untyped-call]
            for flow in flows:
                writer.add(flow)
            file.flush()
        except OSError:
            self._next_try = now + RETRY_SECONDS
            self.close()
            raise

    def close(self) -> None:
        """Closes the current file."""
        if self._file:
            with suppress(OSError):
                self._file.close()
            self._file = None

    def _current(self, now: float) -> BinaryIO:
        part = self._where.megabytes * _MEGABYTE // PARTS
        is_old = now - self._opened_at >= self._where.hours * _HOUR / PARTS
        if self._file and (self._file.tell() >= part or is_old):
            self.close()
        if self._file is None:
            self._where.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._make_room(now, part)
            self._number += 1
            stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))
            path = self._where.folder / f"callbacks-{stamp}-{os.getpid()}-{self._number}.flows"
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            self._file, self._opened_at = os.fdopen(descriptor, "wb"), now
        return self._file

    def _make_room(self, now: float, part: int) -> None:
        """Deletes the oldest files, including those of other workers and earlier runs, until a new one fits."""
        found = []
        for path in self._where.folder.glob(PATTERN):
            with suppress(FileNotFoundError):
                status = path.stat()
                found.append((status.st_mtime, status.st_size, path))
        size = sum(one for _, one, _ in found)
        for written_at, one, path in sorted(found):
            is_old = now - written_at > self._where.hours * _HOUR
            if not is_old and size + part <= self._where.megabytes * _MEGABYTE:
                return
            path.unlink(missing_ok=True)
            size -= one

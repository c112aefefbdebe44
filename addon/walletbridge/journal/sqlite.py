"""
The journal on an SQLite file in WAL mode. Several processes of one machine may share it; not for network file systems.
"""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import cast

from walletbridge.journal.clock import JournalClock, journal_clock
from walletbridge.journal.port import Busy, Step
from walletbridge.journal.store import Store
from walletbridge.journal.turn_owner import worker_name
from walletbridge.journal.wal import WAL_BYTES, WalWatch
from walletbridge.journal.writer import Writer
from walletbridge.rules.row import Row

PRUNE_ROWS = 1000
"""Rows looked at in one transaction: few enough not to delay a callback noticeably."""


class SqliteJournal:
    """See `Journal`. Create it inside a running event loop."""

    def __init__(  # noqa: PLR0913 - all inputs and listeners
        self,
        path: Path,
        *,
        keep_days: int,
        waiting_max: int,
        on_problem: Callable[[str], None],
        on_recovered: Callable[[int], None] = lambda _: None,
        wal_bytes: int = WAL_BYTES,
        on_wal: Callable[[str], None] = lambda _: None,
        clock: JournalClock | None = None,
    ) -> None:
        """
        Does not raise for a file that cannot be opened: steps fail until it can be. If the file was restored,
        `on_recovered` receives, in the event loop, the number of rows left to a person. `on_wal` receives the reports
        of `WalWatch` on a log of more than `wal_bytes`.
        """
        worker, clock = worker_name(), clock or journal_clock()
        self._keep_days = keep_days
        self._clock = clock
        # A process that has had the file open must never make another in its place.
        was_open = False
        loop = asyncio.get_running_loop()

        def open_store() -> Store:
            nonlocal was_open
            store = Store(path, worker, clock, may_create=not was_open)
            was_open = True
            if store.recovered is not None:
                loop.call_soon_threadsafe(on_recovered, store.recovered)
            return store

        def tell_of_wal(problem: str) -> None:
            loop.call_soon_threadsafe(on_wal, problem)

        watch = WalWatch(path, bytes_max=wal_bytes, on_wal=tell_of_wal)
        self._writer = Writer(
            open_store, waiting_max=waiting_max, on_problem=on_problem, after=lambda store: store.look_at_wal(watch)
        )

    async def look[T](
        self, account: str, trans_id: str, step: Step[T], *, seconds: float, needs_round: bool = False
    ) -> T | Busy:
        """See `Journal.look`."""
        value = await self._writer.run(
            lambda store: store.look(account, trans_id, step, seconds=seconds, needs_round=needs_round),
            about=trans_id,
        )
        return cast("T | Busy", value)

    async def end[T](self, account: str, trans_id: str, step: Step[T]) -> T | Busy:
        """See `Journal.end`."""
        value = await self._writer.run(lambda store: store.end(account, trans_id, step), about=trans_id)
        return cast("T | Busy", value)

    async def note(self, account: str, trans_id: str, step: Step[None]) -> None:
        """See `Journal.note`."""
        await self._writer.run(lambda store: store.note(account, trans_id, step), about=trans_id)

    def note_soon(self, account: str, trans_id: str, step: Step[None]) -> None:
        """See `Journal.note_soon`."""
        self._writer.run_soon(lambda store: store.note(account, trans_id, step), about=trans_id)

    def now(self) -> float:
        """See `Journal.now`."""
        return self._clock.now()

    async def to_look_at(self, *, after: int, limit: int) -> Sequence[tuple[int, Row]]:
        """See `Journal.to_look_at`."""
        rows = await self._writer.run(lambda store: store.rows_to_look_at(after=after, limit=limit))
        return cast("Sequence[tuple[int, Row]]", rows)

    async def prune(self) -> None:
        """See `Journal.prune`."""
        after = await self._prune(0)
        while after:
            after = await self._prune(after)

    async def _prune(self, after: int) -> int:
        keep_days = self._keep_days
        return cast(
            "int", await self._writer.run(lambda s: s.prune(keep_days=keep_days, after=after, limit=PRUNE_ROWS))
        )

    async def close(self) -> None:
        """See `Journal.close`."""
        await self._writer.close()

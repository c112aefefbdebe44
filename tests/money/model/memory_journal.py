"""A journal without a disk, for models: the same turns and steps as the real one, and failures when they are wanted."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from walletbridge.journal.columns import needs_look
from walletbridge.journal.port import Busy, Found, JournalUnavailable, Step
from walletbridge.journal.store import GRACE_SECONDS
from walletbridge.rules import decisions
from walletbridge.rules.resolver_plan import Round
from walletbridge.rules.row import CancelState, Kind, Movement, Row


@dataclass(slots=True)
class Disk:
    """What outlives a worker. Several may share it."""

    clock: Callable[[], float]
    rows: dict[tuple[str, str], Row] = field(default_factory=dict)
    """By account and transaction, in the order in which they came."""
    turns: dict[str, tuple[str, float]] = field(default_factory=dict)
    """Whose turn it is, and until when."""
    dead: set[str] = field(default_factory=set)
    """Workers of whom it is known that they are gone."""
    is_failing: bool = False
    seconds: float = 0.0
    """How long a commit takes."""

    backup: dict[tuple[str, str], Row] = field(default_factory=dict)

    def back_up(self) -> None:
        """Copies the rows, as they are in the midst of it all."""
        self.backup = dict(self.rows)

    def restore(self) -> set[str]:
        """Puts the copy in place of the rows, and says which transactions were lost with that."""
        lost = {trans_id for _, trans_id in self.rows.keys() - self.backup.keys()}
        self.rows = {key: decisions.restored(row) for key, row in self.backup.items()}
        self.turns.clear()
        return lost

    def do[T](self, job: Callable[[], T]) -> T:
        """Does a job, unless the disk fails."""
        if self.is_failing:
            raise JournalUnavailable("the disk fails")
        return job()

    def look[T](  # noqa: PLR0913 - one for each of the journal's and the worker
        self, worker: str, account: str, trans_id: str, step: Step[T], *, seconds: float, needs_round: bool
    ) -> T | Busy:
        """See `Journal.look`."""
        now = self.clock()
        holder, ends_at = self.turns.get(trans_id, (worker, 0.0))
        if holder != worker and now < ends_at and holder not in self.dead:
            return Busy()
        change = step(self._found(account, trans_id, needs_round=needs_round))
        self._write(change.row)
        if change.takes_turn:
            self.turns[trans_id] = (worker, now + seconds + GRACE_SECONDS)
        return change.value

    def end[T](self, worker: str, account: str, trans_id: str, step: Step[T]) -> T | Busy:
        if self.turns.get(trans_id, ("", 0.0))[0] != worker:
            return Busy()
        change = step(self._found(account, trans_id))
        self._write(change.row)
        if not change.takes_turn:
            del self.turns[trans_id]
        return change.value

    def note(self, account: str, trans_id: str, step: Step[None]) -> None:
        self._write(step(self._found(account, trans_id)).row)

    def to_look_at(self, *, after: int, limit: int) -> list[tuple[int, Row]]:
        now = self.clock()
        taken = {key for key, (worker, ends_at) in self.turns.items() if now < ends_at and worker not in self.dead}
        rows = [
            (number, row)
            for number, row in enumerate(self.rows.values(), start=1)
            if number > after and needs_look(row) and row.trans_id not in taken
        ]
        return rows[:limit]

    def _found(self, account: str, trans_id: str, *, needs_round: bool = False) -> Found:
        rows = [row for (_, key), row in self.rows.items() if key == trans_id]
        row = next((row for row in rows if row.account == account), None)
        other = next((row for row in rows if row.account != account and row.kind is not None), None)
        return Found(row, other, self._around(row) if row and needs_round else Round(), self.clock())

    def _around(self, row: Row) -> Round:
        if not row.round_id:
            return Round()
        others = [
            other
            for other in self.rows.values()
            if other is not row and (other.account, other.round_id) == (row.account, row.round_id)
        ]
        return Round(
            has_win=any(other.kind is Kind.WIN for other in others),
            has_cancelled_bet=any(
                other.kind is not Kind.WIN and other.cancel is not CancelState.NONE for other in others
            ),
            has_standing_bet=any(
                other.kind is Kind.BET and other.cancel is CancelState.NONE and other.movement is not Movement.REFUSED
                for other in others
            ),
        )

    def _write(self, row: Row | None) -> None:
        if row is None:
            return
        before = self.rows.get((row.account, row.trans_id))
        self.rows[row.account, row.trans_id] = row
        if decisions.cancels_round(before, row):
            of_round = [key for key, other in self.rows.items() if other.round_id == row.round_id]
            for key in of_round:
                if key[0] == row.account:
                    self.rows[key] = decisions.in_cancelled_round(self.rows[key])


class MemoryJournal:
    """One worker's view of a disk. See `Journal`."""

    def __init__(self, disk: Disk, worker: str) -> None:
        self._disk = disk
        self._worker = worker
        self._jobs: deque[tuple[Callable[[], Any], asyncio.Future[Any] | None]] = deque()
        self.is_dead = False
        """Nothing that was not written by then ever will be."""

    async def look[T](
        self, account: str, trans_id: str, step: Step[T], *, seconds: float, needs_round: bool = False
    ) -> T | Busy:
        """See `Journal.look`."""

        def job() -> T | Busy:
            return self._disk.look(self._worker, account, trans_id, step, seconds=seconds, needs_round=needs_round)

        return cast("T | Busy", await self._run(job))

    async def end[T](self, account: str, trans_id: str, step: Step[T]) -> T | Busy:
        """See `Journal.end`."""
        return cast("T | Busy", await self._run(lambda: self._disk.end(self._worker, account, trans_id, step)))

    async def note(self, account: str, trans_id: str, step: Step[None]) -> None:
        """See `Journal.note`."""
        await self._run(lambda: self._disk.note(account, trans_id, step))

    def note_soon(self, account: str, trans_id: str, step: Step[None]) -> None:
        """See `Journal.note_soon`."""
        self._add(lambda: self._disk.note(account, trans_id, step), None)

    def now(self) -> float:
        """See `Journal.now`."""
        return self._disk.clock()

    async def to_look_at(self, *, after: int, limit: int) -> Sequence[tuple[int, Row]]:
        """See `Journal.to_look_at`."""
        return cast(
            "Sequence[tuple[int, Row]]", await self._run(lambda: self._disk.to_look_at(after=after, limit=limit))
        )

    async def prune(self) -> None:
        """See `Journal.prune`. Memory is for short."""

    async def close(self) -> None:
        """See `Journal.close`."""
        while self._jobs and not self.is_dead:
            self._next()

    async def _run(self, job: Callable[[], Any]) -> Any:
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._add(job, future)
        return await future

    def _add(self, job: Callable[[], Any], future: asyncio.Future[Any] | None) -> None:
        self._jobs.append((job, future))
        asyncio.get_running_loop().call_later(self._disk.seconds, self._next)

    def _next(self) -> None:
        """Does the job that has waited for longest, as a disk does, whoever has given up waiting for it."""
        if not self._jobs or self.is_dead:
            return
        job, future = self._jobs.popleft()
        waits = future is not None and not future.done()
        try:
            value = self._disk.do(job)
        except Exception as error:  # noqa: BLE001 - whoever waits for it has to hear of it
            if future is not None and waits:
                future.set_exception(error)
        else:
            if future is not None and waits:
                future.set_result(value)

"""
walletbridge with a journal that forgets: what the real one costs is measured against it. Not for money.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import walletbridge.transactions.assembly
from walletbridge.cli import main
from walletbridge.journal.clock import JournalClock, journal_clock
from walletbridge.journal.port import Busy, Found, Step
from walletbridge.rules.resolver_plan import Round
from walletbridge.rules.row import Row


class ForgetfulJournal:
    """A `Journal` that knows a transaction for as long as somebody has its turn."""

    def __init__(self, path: Path, *, clock: JournalClock | None = None, **_: object) -> None:
        del path
        self._clock = clock or journal_clock()
        self._rows: dict[tuple[str, str], Row] = {}

    async def look[T](
        self, account: str, trans_id: str, step: Step[T], *, seconds: float, needs_round: bool = False
    ) -> T | Busy:
        """See `Journal.look`."""
        del seconds, needs_round
        change = step(Found(None, None, Round(), self.now()))
        if change.row is not None and change.takes_turn:
            self._rows[account, trans_id] = change.row
        return change.value

    async def end[T](self, account: str, trans_id: str, step: Step[T]) -> T | Busy:
        """See `Journal.end`."""
        return step(Found(self._rows.pop((account, trans_id), None), None, Round(), self.now())).value

    async def note(self, account: str, trans_id: str, step: Step[None]) -> None:
        """See `Journal.note`."""

    def note_soon(self, account: str, trans_id: str, step: Step[None]) -> None:
        """See `Journal.note_soon`."""

    def now(self) -> float:
        """See `Journal.now`."""
        return self._clock.now()

    async def to_look_at(self, *, after: int, limit: int) -> Sequence[tuple[int, Row]]:
        """See `Journal.to_look_at`."""
        del after, limit
        return ()

    async def prune(self) -> None:
        """See `Journal.prune`."""

    async def close(self) -> None:
        """See `Journal.close`."""


if __name__ == "__main__":
    settlement: Any = walletbridge.transactions.assembly
    settlement.SqliteJournal = ForgetfulJournal
    main()

"""
The journal as the gateway sees it: turns, and rows that change in one step. SQLite or another store is behind it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from msgspec import Struct

from walletbridge.rules.resolver_plan import Round
from walletbridge.rules.row import Row


class JournalUnavailable(Exception):
    """
    Raised by a journal that cannot be read or written. Nothing may be sent to the wallet then, and the outcome of a
    call that was sent is unknown.
    """


class Found(Struct, frozen=True):
    """The journal's data about a transaction, inside one step."""

    row: Row | None
    """The row of this account."""
    other: Row | None
    """A row of another account with the same `trans_id`."""
    around: Round
    now: float
    """Seconds on the journal's clock."""


class Change[T](Struct, frozen=True):
    """The result of a step: the row to write, if any, whether it takes the turn, and a value for the caller."""

    row: Row | None
    takes_turn: bool
    value: T


@dataclass(frozen=True, slots=True)
class Busy:
    """Another worker has the turn."""


type Step[T] = Callable[[Found], Change[T]]
"""A pure function from the found data to the change. It runs in another thread, perhaps twice."""


class Journal(Protocol):
    """
    A durable record of transactions. Every method raises JournalUnavailable if the disk fails.

    Each step runs inside one exclusive transaction, which is on disk when the method returns.
    """

    async def look[T](
        self, account: str, trans_id: str, step: Step[T], *, seconds: float, needs_round: bool = False
    ) -> T | Busy:
        """
        Reads a transaction and writes the change of `step`. Returns Busy if another worker has the turn.

        If `step` takes the turn, this worker has it for `seconds` and a grace.
        """
        ...

    async def end[T](self, account: str, trans_id: str, step: Step[T]) -> T | Busy:
        """
        Writes the outcome of a call and gives the turn back, unless `step` keeps it.

        Writes nothing and returns Busy if another worker has taken over a turn that had run out.
        """
        ...

    async def note(self, account: str, trans_id: str, step: Step[None]) -> None:
        """Writes a change that needs no turn."""
        ...

    def note_soon(self, account: str, trans_id: str, step: Step[None]) -> None:
        """Like `note`, for a change that may be lost: does not wait for it, and reports no failure."""
        ...

    def now(self) -> float:
        """The journal's clock, in seconds."""
        ...

    async def to_look_at(self, *, after: int, limit: int) -> Sequence[tuple[int, Row]]:
        """Rows not at rest whose turn is free, by number, from the one after `after`."""
        ...

    async def prune(self) -> None:
        """Deletes the rows that were at rest for long, a few at a time."""
        ...

    async def close(self) -> None:
        """Writes the queued changes, then closes."""
        ...

"""
The journal as the gateway sees it: turns, and rows that change in one step. SQLite is behind it, or something else.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from msgspec import Struct

from walletbridge.rules.resolver_plan import Round
from walletbridge.rules.row import Row


class JournalUnavailable(Exception):
    """
    Raised by a journal that cannot be read or written. Nothing may be sent to the wallet then, and what came of a call
    that was sent is unknown.
    """


class Found(Struct, frozen=True):
    """What a journal has of a transaction, inside one step."""

    row: Row | None
    """Of this account."""
    other: Row | None
    """Of another account, with the same `trans_id`."""
    around: Round
    now: float
    """On the journal's clock."""


class Change[T](Struct, frozen=True):
    """What a step does: the row to write, if any, whether it takes the turn, and what it found out."""

    row: Row | None
    takes_turn: bool
    value: T


@dataclass(frozen=True, slots=True)
class Busy:
    """Another worker has the turn."""


type Step[T] = Callable[[Found], Change[T]]
"""A function from what was found to what to write. Pure: it runs in another thread, perhaps twice."""


class Journal(Protocol):
    """
    A durable record of transactions. Every method raises JournalUnavailable where the disk fails.

    Each step runs inside one exclusive transaction, which is on disk when the method returns.
    """

    async def look[T](
        self, account: str, trans_id: str, step: Step[T], *, seconds: float, needs_round: bool = False
    ) -> T | Busy:
        """
        Reads a transaction and writes what `step` makes of it, if nobody else has the turn.

        A turn that `step` takes is this worker's for `seconds` and a grace.
        """
        ...

    async def end[T](self, account: str, trans_id: str, step: Step[T]) -> T | Busy:
        """
        Writes what came of a call and gives the turn back, unless `step` keeps it.

        Writes nothing where another worker has taken over a turn that had run out.
        """
        ...

    async def note(self, account: str, trans_id: str, step: Step[None]) -> None:
        """Writes something that needs no turn."""
        ...

    def note_soon(self, account: str, trans_id: str, step: Step[None]) -> None:
        """Like `note`, for something that may be lost: nobody waits for it, and nobody hears of a failure."""
        ...

    def now(self) -> float:
        """The journal's clock, in seconds."""
        ...

    async def to_look_at(self, *, after: int, limit: int) -> Sequence[tuple[int, Row]]:
        """Rows not at rest whose turn is free, by number, from the one behind `after`."""
        ...

    async def prune(self) -> None:
        """Deletes the rows that were at rest for long, a few at a time."""
        ...

    async def close(self) -> None:
        """Writes what is queued, then closes."""
        ...

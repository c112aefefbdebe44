"""
A row as SQL: the columns of its table, the statements that read and write it, and the values to and fro.
"""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

import msgspec
from msgspec.structs import astuple

from walletbridge.rules.row import CancelState, Kind, Row, Told

_COLUMNS = Row.__struct_fields__
_WRITTEN = (*_COLUMNS, "needs_look", "created_wall", "updated_wall", "updated_running")
_ENUMS = tuple(_COLUMNS.index(name) for name in ("kind", "movement", "cancel", "call", "result", "told"))
"""Written as their values. Python's adapter to SQLite knows how to, but first looks for others that do."""
SELECT = f"SELECT {', '.join(_COLUMNS)} FROM transactions"  # noqa: S608 - names of ours
SELECT_WITH_ID = f"SELECT id, {', '.join(_COLUMNS)} FROM transactions"  # noqa: S608 - names of ours
SELECT_NUMBERED = f"SELECT id, created_wall, updated_wall, {', '.join(_COLUMNS)} FROM transactions"  # noqa: S608 - names of ours
_CHANGED = ", ".join(
    f"{name} = excluded.{name}" for name in _WRITTEN if name not in {"account", "trans_id", "created_wall"}
)


@dataclass(frozen=True, slots=True)
class Numbered:
    """A row with what only people need of it."""

    number: int
    created_wall: int
    """Unix seconds, by the wall clock: nothing is decided by it."""
    updated_wall: int
    row: Row


def needs_look(row: Row) -> bool:
    """Whether the resolver or a person must still see the row: it is listed, or could be once its call has ended."""
    # What one look tells comes first: each row that is written passes here.
    if row.call is not None:
        return True
    if row.kind is Kind.BET and row.told is Told.MAYBE and row.cancel is CancelState.NONE:
        return True
    is_unseen = row.kind is Kind.WIN and row.round_cancelled is None and bool(row.round_id) and row.is_unheard_win
    return is_unseen or row.is_listed


@cache
def upsert(count: int) -> str:
    """The statement that writes so many rows, new ones and changed ones, and takes `values_of` each."""
    places = ", ".join([f"({', '.join('?' * len(_WRITTEN))})"] * count)
    return (
        f"INSERT INTO transactions ({', '.join(_WRITTEN)}) VALUES {places}"  # noqa: S608 - names of ours
        f" ON CONFLICT (trans_id, account) DO UPDATE SET {_CHANGED}"
    )


def values_of(row: Row, running: int) -> list[Any]:
    """What `upsert` writes of a row. `running`: how long the journal has been at work, in seconds."""
    values = list(astuple(row))
    for place in _ENUMS:
        if values[place] is not None:
            # What `value` returns after a detour that takes longer than all the rest here.
            values[place] = values[place]._value_
    wall = int(time.time())
    return [*values, needs_look(row), wall, wall, running]


def row_of(values: Iterable[Any]) -> Row:
    """What SELECT has found."""
    # Not strict: SQLite has no bool.
    return msgspec.convert(dict(zip(_COLUMNS, values, strict=True)), Row, strict=False)


def numbered(values: Any) -> Numbered:
    """What SELECT_NUMBERED has found."""
    number, created_wall, updated_wall, *rest = values
    return Numbered(number, created_wall, updated_wall, row_of(rest))

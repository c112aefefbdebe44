"""
A row as SQL: the columns of its table, the statements that read and write it, and the conversion of its values.
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
"""Converted to their values here: Python's adapter to SQLite could do so, but searches for other adapters first."""
SELECT = f"SELECT {', '.join(_COLUMNS)} FROM transactions"  # noqa: S608 - names of ours
SELECT_WITH_ID = f"SELECT id, {', '.join(_COLUMNS)} FROM transactions"  # noqa: S608 - names of ours
SELECT_NUMBERED = f"SELECT id, created_wall, updated_wall, {', '.join(_COLUMNS)} FROM transactions"  # noqa: S608 - names of ours
_CHANGED = ", ".join(
    f"{name} = excluded.{name}" for name in _WRITTEN if name not in {"account", "trans_id", "created_wall"}
)


@dataclass(frozen=True, slots=True)
class Numbered:
    """A row with the fields that only people need."""

    number: int
    created_wall: int
    """Unix seconds of the wall clock. No rule uses it."""
    updated_wall: int
    row: Row


def needs_look(row: Row) -> bool:
    """Whether the resolver or a person must still see the row: it is listed, or may be once its call has ended."""
    # The cheapest checks come first: every written row passes here.
    if row.call is not None:
        return True
    if row.kind is Kind.BET and row.told is Told.MAYBE and row.cancel is CancelState.NONE:
        return True
    is_unseen = row.kind is Kind.WIN and row.round_cancelled is None and bool(row.round_id) and row.is_unheard_win
    return is_unseen or row.is_listed


@cache
def upsert(count: int) -> str:
    """The statement that inserts or updates `count` rows, with the values of `values_of` for each."""
    places = ", ".join([f"({', '.join('?' * len(_WRITTEN))})"] * count)
    return (
        f"INSERT INTO transactions ({', '.join(_WRITTEN)}) VALUES {places}"  # noqa: S608 - names of ours
        f" ON CONFLICT (trans_id, account) DO UPDATE SET {_CHANGED}"
    )


def values_of(row: Row, running: int) -> list[Any]:
    """The values that `upsert` writes for a row. `running`: seconds that the journal has been at work."""
    values = list(astuple(row))
    for place in _ENUMS:
        if values[place] is not None:
            # Equal to `value`, whose detour takes longer than all the rest here.
            values[place] = values[place]._value_
    wall = int(time.time())
    return [*values, needs_look(row), wall, wall, running]


def row_of(values: Iterable[Any]) -> Row:
    """The row from the values of SELECT."""
    # Not strict: SQLite has no bool.
    return msgspec.convert(dict(zip(_COLUMNS, values, strict=True)), Row, strict=False)


def numbered(values: Any) -> Numbered:
    """The row from the values of SELECT_NUMBERED."""
    number, created_wall, updated_wall, *rest = values
    return Numbered(number, created_wall, updated_wall, row_of(rest))

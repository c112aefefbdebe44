"""
A row as SQL: the columns of its table, the statements that read and write it, and the values to and fro.
"""

import time
from dataclasses import dataclass
from typing import Any

from msgspec.structs import astuple

from walletbridge.journal.row import CancelState, Kind, Movement, Row, Told
from walletbridge.outcomes import Result

_COLUMNS = Row.__struct_fields__
_CONVERT: dict[str, Any] = {
    "kind": lambda value: None if value is None else Kind(value),
    "movement": Movement,
    "cancel": CancelState,
    "cancel_by_provider": bool,
    "cancel_unresolved": bool,
    "call": lambda value: None if value is None else Kind(value),
    "result": lambda value: None if value is None else Result(value),
    "told": Told,
    "status_said_ok": bool,
}
_READERS = tuple(_CONVERT.get(name) for name in _COLUMNS)
SELECT = f"SELECT {', '.join(_COLUMNS)} FROM transactions"  # noqa: S608 - names of ours
SELECT_WITH_ID = f"SELECT id, {', '.join(_COLUMNS)} FROM transactions"  # noqa: S608 - names of ours
SELECT_NUMBERED = f"SELECT id, created_wall, updated_wall, {', '.join(_COLUMNS)} FROM transactions"  # noqa: S608 - names of ours
_PLACES = ", ".join("?" * (len(_COLUMNS) + 3))
_INSERT = f"INSERT INTO transactions ({', '.join(_COLUMNS)}, needs_look, created_wall, updated_wall) VALUES ({_PLACES})"  # noqa: S608 - names of ours


@dataclass(frozen=True, slots=True)
class Numbered:
    """A row with what only people need of it."""

    number: int
    created_wall: int
    """Unix seconds, by the wall clock."""
    updated_wall: int
    row: Row


def needs_look(row: Row) -> bool:
    """Whether the resolver or a person must still see the row: it is listed, or could be once its call has ended."""
    is_maybe = row.kind is Kind.BET and row.told is Told.MAYBE and row.cancel is CancelState.NONE
    return row.is_listed or row.call is not None or is_maybe


def inserted(row: Row) -> tuple[str, tuple[Any, ...]]:
    """The statement that writes a new row, and its values."""
    wall = int(time.time())
    return _INSERT, (*astuple(row), needs_look(row), wall, wall)


def updated(old: Row, row: Row) -> tuple[str, tuple[Any, ...]]:
    """The statement that makes `row` of `old`, and its values."""
    # Only what has changed: an index is written anew for every column that is named.
    changed: dict[str, Any] = {
        name: value for name, value, before in zip(_COLUMNS, astuple(row), astuple(old), strict=True) if value != before
    }
    if needs_look(row) != needs_look(old):
        changed["needs_look"] = needs_look(row)
    changed["updated_wall"] = int(time.time())
    names = ", ".join(f"{name} = ?" for name in changed)
    statement = f"UPDATE transactions SET {names} WHERE trans_id = ? AND account = ?"  # noqa: S608 - names of ours
    return statement, (*changed.values(), row.trans_id, row.account)


def row_of(values: Any) -> Row:
    """What SELECT has found."""
    pairs = zip(_COLUMNS, values, _READERS, strict=True)
    return Row(**{name: value if read is None else read(value) for name, value, read in pairs})


def numbered(values: Any) -> Numbered:
    """What SELECT_NUMBERED has found."""
    number, created_wall, updated_wall, *rest = values
    return Numbered(number, created_wall, updated_wall, row_of(rest))

"""Rows, and one step at a time with a store."""

from collections.abc import Callable

from msgspec.structs import replace

from walletbridge.journal.port import Busy, Change, Found, Step
from walletbridge.journal.store import Store
from walletbridge.rules.row import Kind, Row

DAY = 86400
REST = Row(account="test1234", trans_id="1", kind=Kind.BET, amount=100, round_id="r")
"""At rest: nobody has to see it."""
OPEN = replace(REST, movement_unresolved_since=900.0)

type OpenStore = Callable[..., Store]


def writes(row: Row | None, *, takes_turn: bool = False) -> Step[Found]:
    """A step that writes `row`, and tells what it has found."""
    return lambda found: Change(row, takes_turn=takes_turn, value=found)


def look(store: Store, step: Step[Found], trans_id: str = "1", *, account: str = "test1234") -> Found | Busy:
    """For a call of 5 s."""
    with store.transaction():
        return store.look(account, trans_id, step, seconds=5.0, needs_round=True)


def take(store: Store, trans_id: str = "1") -> bool:
    """Whether the turn was got."""
    return not isinstance(look(store, writes(None, takes_turn=True), trans_id), Busy)


def end(store: Store, step: Step[Found]) -> Found | Busy:
    with store.transaction():
        return store.end("test1234", "1", step)


def put(store: Store, *rows: Row) -> None:
    """Writes rows that have nothing to do with turns."""
    for row in rows:
        with store.transaction():
            store.note(row.account, row.trans_id, writes(row))


def get(store: Store, row: Row = REST) -> Row | None:
    """What the file has of the transaction and account of `row`."""
    with store.transaction():
        return store.note(row.account, row.trans_id, writes(None)).row


def pragma(store: Store, name: str) -> object:
    return store._db.execute(f"PRAGMA {name}").get


def count(store: Store, table: str) -> int:
    number = store._db.execute(f"SELECT count(*) FROM {table}").get  # noqa: S608 - a name of ours
    return int(number)


def numbers(page: list[tuple[int, Row]]) -> list[int]:
    return [number for number, _ in page]

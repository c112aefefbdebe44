"""
Caches the rows and turns of active transactions. A batch of steps reads everything it needs at once, and writes all its
changes at once. Data of the last batches is not read again.

Each statement lets other threads run and then waits for them, which costs more than its own work. So one statement
serves many rows.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import batched
from typing import NamedTuple

import apsw
from cachetools import LRUCache

from walletbridge.journal.columns import SELECT, row_of, upsert, values_of
from walletbridge.journal.running import Running
from walletbridge.rules.row import Row

TRANSACTIONS_MAX = 4096
"""The most transactions in the cache."""
AT_ONCE_MAX = 32
"""The most rows of one statement. SQLite parses one statement for each number of rows, once; see `STATEMENTS`."""
STATEMENTS = 8 * AT_ONCE_MAX
"""The number of statements that a connection must keep."""


class Turn(NamedTuple):
    """The holder of a turn."""

    worker: str
    ends_at: float
    """Seconds on the journal's clock."""


@dataclass(slots=True)
class Transaction:
    """The file's rows and turn of one transaction."""

    trans_id: str
    rows: dict[str, Row] = field(default_factory=dict)
    """By account."""
    turn: Turn | None = None


class Known:
    """For one connection, inside its transactions. The file matches the cache after `write`."""

    def __init__(self, db: apsw.Connection, running: Running) -> None:
        self._db = db
        self._running = running
        self._transactions: LRUCache[str, Transaction] = LRUCache(TRANSACTIONS_MAX)
        self._version: int | None = None
        self._rows: dict[tuple[str, str], Row] = {}
        """To be written, by transaction and account."""
        self._turns: dict[str, Turn | None] = {}
        """To be written; None: to be deleted."""

    def begin(self) -> None:
        """Begins a transaction. Empties the cache if another connection has written since the last one."""
        version = self._db.execute("PRAGMA data_version").get
        if version != self._version:
            self.forget()
            self._version = version

    def forget(self) -> None:
        """Empties the cache and drops unwritten changes: the transaction was undone, or rows were deleted."""
        self._transactions.clear()
        self._rows.clear()
        self._turns.clear()

    def expect(self, trans_ids: Collection[str]) -> None:
        """Reads those of these transactions that are not cached, at once."""
        unknown = [trans_id for trans_id in dict.fromkeys(trans_ids) if trans_id not in self._transactions]
        for some in batched(unknown, AT_ONCE_MAX):
            self._read(some)

    def of(self, trans_id: str) -> Transaction:
        """The rows and turn of a transaction. Change them by `put` and `put_turn` alone."""
        known = self._transactions.get(trans_id)
        if known is None:
            self._read([trans_id])
            known = self._transactions[trans_id]
        return known

    def put(self, transaction: Transaction, row: Row) -> None:
        """Sets a row, to be written."""
        transaction.rows[row.account] = row
        self._rows[row.trans_id, row.account] = row

    def put_turn(self, transaction: Transaction, turn: Turn | None) -> None:
        """Sets the holder of the turn; None frees it."""
        transaction.turn = turn
        self._turns[transaction.trans_id] = turn

    def write(self) -> None:
        """Writes all changes. Raises apsw.Error."""
        if not self._rows and not self._turns:
            return
        running = int(self._running.seconds())
        for rows in batched(self._rows.values(), AT_ONCE_MAX):
            self._db.execute(upsert(len(rows)), [value for row in rows for value in values_of(row, running)])
        taken = [(trans_id, *turn) for trans_id, turn in self._turns.items() if turn is not None]
        for turns in batched(taken, AT_ONCE_MAX):
            self._db.execute(_take(len(turns)), [value for turn in turns for value in turn])
        free = [trans_id for trans_id, turn in self._turns.items() if turn is None]
        for trans_ids in batched(free, AT_ONCE_MAX):
            self._db.execute(_give_back(len(trans_ids)), trans_ids)
        self._rows.clear()
        self._turns.clear()

    def _read(self, trans_ids: Sequence[str]) -> None:
        # Otherwise, unwritten changes of a transaction that left the cache would be missed.
        self.write()
        found = {trans_id: Transaction(trans_id) for trans_id in trans_ids}
        for values in self._db.execute(_rows_of(len(trans_ids)), trans_ids):
            row = row_of(values)
            found[row.trans_id].rows[row.account] = row
        for trans_id, worker, ends_at in self._db.execute(_turns_of(len(trans_ids)), trans_ids):
            found[trans_id].turn = Turn(worker, ends_at)
        self._transactions.update(found)


@cache
def _rows_of(count: int) -> str:
    return f"{SELECT} WHERE trans_id IN ({_places(count)})"


@cache
def _turns_of(count: int) -> str:
    return f"SELECT trans_id, worker, ends_at FROM turns WHERE trans_id IN ({_places(count)})"  # noqa: S608 - places only


@cache
def _take(count: int) -> str:
    return f"INSERT OR REPLACE INTO turns VALUES {', '.join(['(?, ?, ?)'] * count)}"  # noqa: S608 - places only


@cache
def _give_back(count: int) -> str:
    return f"DELETE FROM turns WHERE trans_id IN ({_places(count)})"  # noqa: S608 - places only


def _places(count: int) -> str:
    return ", ".join("?" * count)

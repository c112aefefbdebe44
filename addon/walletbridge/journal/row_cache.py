"""
What the file has of the transactions that are at work, in memory: a batch of steps reads all that it needs at once and
writes all that it has changed at once, and what the last batches knew is not read again.

Each statement lets other threads run and then has to wait for them, which costs more than what it does; so there is one
for many rows, not one for each.
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
"""How many are known at most."""
AT_ONCE_MAX = 32
"""Rows of one statement. There is one for each number up to it, which SQLite reads once; see `STATEMENTS`."""
STATEMENTS = 8 * AT_ONCE_MAX
"""That a connection has to keep."""


class Turn(NamedTuple):
    """Whose turn it is."""

    worker: str
    ends_at: float
    """On the journal's clock."""


@dataclass(slots=True)
class Transaction:
    """All that the file has of one transaction."""

    trans_id: str
    rows: dict[str, Row] = field(default_factory=dict)
    """By account."""
    turn: Turn | None = None


class Known:
    """For one connection, inside its transactions. The file is as it says once `write` was called."""

    def __init__(self, db: apsw.Connection, running: Running) -> None:
        self._db = db
        self._running = running
        self._transactions: LRUCache[str, Transaction] = LRUCache(TRANSACTIONS_MAX)
        self._version: int | None = None
        self._rows: dict[tuple[str, str], Row] = {}
        """To be written, by transaction and account."""
        self._turns: dict[str, Turn | None] = {}
        """To be written, or to be deleted."""

    def begin(self) -> None:
        """A transaction has begun. What another connection has written since the last one is not known."""
        version = self._db.execute("PRAGMA data_version").get
        if version != self._version:
            self.forget()
            self._version = version

    def forget(self) -> None:
        """Knows nothing, and has nothing to write: the transaction was undone, or rows were deleted."""
        self._transactions.clear()
        self._rows.clear()
        self._turns.clear()

    def expect(self, trans_ids: Collection[str]) -> None:
        """Reads what is not known of these, at once."""
        unknown = [trans_id for trans_id in dict.fromkeys(trans_ids) if trans_id not in self._transactions]
        for some in batched(unknown, AT_ONCE_MAX):
            self._read(some)

    def of(self, trans_id: str) -> Transaction:
        """What there is of a transaction. To be changed by `put` and `put_turn` alone."""
        known = self._transactions.get(trans_id)
        if known is None:
            self._read([trans_id])
            known = self._transactions[trans_id]
        return known

    def put(self, transaction: Transaction, row: Row) -> None:
        """The row is to be written."""
        transaction.rows[row.account] = row
        self._rows[row.trans_id, row.account] = row

    def put_turn(self, transaction: Transaction, turn: Turn | None) -> None:
        """Somebody has the turn from now on, or nobody."""
        transaction.turn = turn
        self._turns[transaction.trans_id] = turn

    def write(self) -> None:
        """Writes what is to be written. Raises apsw.Error."""
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
        # What is to be written of a transaction that is not remembered any more would not be found.
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

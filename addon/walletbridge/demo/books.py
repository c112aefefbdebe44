"""
The demo wallet's books: players, transactions and movements in one SQLite file. This module makes no checks.
"""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

from walletbridge.protocol.outcomes import Outcome, Result
from walletbridge.settings.small_files import make_private

DEMO_PLAYERS = {
    "test1234": (500_000, True),
    "anna01": (25_000, True),
    "bruno77": (9_050, True),
    "highroller": (100_000_000, True),
    "broke1": (0, True),
    "inactive1": (10_000, False),
}
"""The seeded players: account, balance in minor units, active."""


@dataclass(frozen=True, slots=True)
class Player:
    """A player's row, or a placeholder for a player that does not exist."""

    account: str
    exists: bool
    balance: int
    active: bool


@dataclass(frozen=True, slots=True)
class Transaction:
    """A bet or a win."""

    trans_id: str
    account: str
    kind: str
    """`bet` or `win`."""
    amount: int
    canceled: bool = False

    @property
    def delta(self) -> int:
        """The change of the balance, in minor units."""
        return -self.amount if self.kind == "bet" else self.amount


_VERSION = 1
_SCHEMA = (
    """
    CREATE TABLE players (
        account TEXT PRIMARY KEY,
        seed_minor INTEGER NOT NULL,
        balance_minor INTEGER NOT NULL,
        active INTEGER NOT NULL CHECK (active IN (0, 1))
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE transactions (
        trans_id TEXT PRIMARY KEY,
        account TEXT NOT NULL REFERENCES players,
        kind TEXT NOT NULL CHECK (kind IN ('bet', 'win')),
        amount_minor INTEGER NOT NULL CHECK (amount_minor >= 0),
        canceled INTEGER NOT NULL CHECK (canceled IN (0, 1))
    ) STRICT, WITHOUT ROWID
    """,
    # Cancels that arrived before their transaction.
    """
    CREATE TABLE early_cancels (
        trans_id TEXT PRIMARY KEY,
        account TEXT NOT NULL REFERENCES players,
        time_ms INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID
    """,
    # Rows are only inserted. The unique key is the last line of defence: it keeps any code from moving money twice.
    """
    CREATE TABLE movements (
        id INTEGER PRIMARY KEY,
        account TEXT NOT NULL REFERENCES players,
        trans_id TEXT NOT NULL REFERENCES transactions,
        kind TEXT NOT NULL CHECK (kind IN ('bet', 'win', 'cancel')),
        delta_minor INTEGER NOT NULL,
        balance_minor INTEGER NOT NULL,
        time_ms INTEGER NOT NULL,
        UNIQUE (trans_id, kind)
    ) STRICT
    """,
    f"PRAGMA user_version = {_VERSION}",
)


class Books:
    """
    The books in the file at `path`, which is created if missing. Thread-safe.

    Raises ValueError if the file has another version.
    """

    def __init__(self, path: Path | str, *, clock: Callable[[], float] = time.time) -> None:
        """`clock` returns Unix seconds."""
        self._clock = clock
        # The connection holds one transaction at a time; the lock keeps threads out of each other's transaction.
        self._lock = Lock()
        if isinstance(path, Path):
            make_private(path, "-wal", "-shm")
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        try:
            self._open(path)
        except BaseException:
            self._db.close()
            raise

    def _open(self, path: Path | str) -> None:
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")
        self._db.execute("PRAGMA foreign_keys = ON")
        with self.step():
            (version,) = self._db.execute("PRAGMA user_version").fetchone()
            if version == 0:
                for statement in _SCHEMA:
                    self._db.execute(statement)
            elif version != _VERSION:
                raise ValueError(f"{path}: expected a demo wallet of version {_VERSION}, found {version}")

    def close(self) -> None:
        """Closes the file after the current operation has ended."""
        with self._lock:
            self._db.close()

    # Seeding and reading, for demos and tests

    def add_player(self, account: str, balance_minor: int, *, active: bool = True) -> None:
        """Adds a player, or sets the balance and activity of an existing one. The difference counts as seed."""
        with self.step():
            self._db.execute(
                """
                INSERT INTO players VALUES (:account, :balance, :balance, :active)
                ON CONFLICT DO UPDATE SET
                    seed_minor = seed_minor + :balance - balance_minor, balance_minor = :balance, active = :active
                """,
                {"account": account, "balance": balance_minor, "active": active},
            )

    def set_active(self, account: str, *, active: bool) -> None:
        """Makes a player active or inactive. Raises KeyError for an unknown account."""
        with self.step():
            if not self._db.execute("UPDATE players SET active = ? WHERE account = ?", (active, account)).rowcount:
                raise KeyError(account)

    def add_transaction(
        self, trans_id: str, account: str, kind: str, amount_minor: int, *, canceled: bool = False
    ) -> None:
        """
        Adds the record of a past bet or win (`kind` is `bet` or `win`). The player's balance already includes it, so no
        money moves.

        Raises sqlite3.IntegrityError for an unknown account or a `trans_id` in use.
        """
        with self.step():
            self.add(Transaction(trans_id, account, kind, amount_minor, canceled))

    def seed_demo_players(self) -> None:
        """Adds the missing DEMO_PLAYERS. Existing players stay unchanged."""
        with self.step():
            self._db.executemany(
                "INSERT INTO players VALUES (:account, :balance, :balance, :active) ON CONFLICT DO NOTHING",
                [
                    {"account": account, "balance": balance, "active": active}
                    for account, (balance, active) in DEMO_PLAYERS.items()
                ],
            )

    def clear(self) -> None:
        """Deletes all rows, including the players."""
        with self.step():
            for table in ("movements", "early_cancels", "transactions", "players"):
                self._db.execute(f"DELETE FROM {table}")  # noqa: S608 - the line above lists the names

    def dump(self) -> dict[str, list[dict[str, Any]]]:
        """
        Returns all rows of all tables, ordered by key: `players`, `transactions`, `early_cancels`, `movements`.

        An account's seed plus the deltas of its movements equals its balance.
        """
        with self.step():
            return {
                "players": self._rows("SELECT * FROM players ORDER BY account"),
                "transactions": self._rows("SELECT * FROM transactions ORDER BY trans_id"),
                "early_cancels": self._rows("SELECT * FROM early_cancels ORDER BY trans_id"),
                "movements": self._rows("SELECT * FROM movements ORDER BY id"),
            }

    def _rows(self, query: str) -> list[dict[str, Any]]:
        cursor = self._db.execute(query)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor]

    # The tables, to be used inside a step

    @contextmanager
    def step(self) -> Iterator[None]:
        """
        Runs the block in one transaction. `BEGIN IMMEDIATE` prevents other writes between its reads and its writes.
        """
        with self._lock, self._db:
            self._db.execute("BEGIN IMMEDIATE")
            yield

    def player(self, account: str) -> Player:
        """Returns the player with that account."""
        row = self._db.execute("SELECT balance_minor, active FROM players WHERE account = ?", (account,)).fetchone()
        return Player(account, row is not None, *(row or (0, False)))

    def transaction(self, trans_id: str) -> Transaction | None:
        """Returns the transaction with that number, of any account."""
        row = self._db.execute("SELECT * FROM transactions WHERE trans_id = ?", (trans_id,)).fetchone()
        return None if row is None else Transaction(*row)

    def add(self, new: Transaction) -> None:
        """Adds a record; moves no money."""
        row = (new.trans_id, new.account, new.kind, new.amount, new.canceled)
        self._db.execute("INSERT INTO transactions VALUES (?, ?, ?, ?, ?)", row)

    def move(self, trans_id: str, kind: str, player: Player, delta: int) -> Outcome:
        """Changes the balance and records the movement."""
        balance = player.balance + delta
        self._db.execute("UPDATE players SET balance_minor = ? WHERE account = ?", (balance, player.account))
        row = (player.account, trans_id, kind, delta, balance, self._now_ms())
        self._db.execute("INSERT INTO movements VALUES (NULL, ?, ?, ?, ?, ?, ?)", row)
        return Outcome(Result.OK, balance)

    def mark_canceled(self, trans_id: str) -> None:
        """Marks a transaction as cancelled; moves no money."""
        self._db.execute("UPDATE transactions SET canceled = 1 WHERE trans_id = ?", (trans_id,))

    def remember_cancel(self, trans_id: str, account: str) -> None:
        """Records that a transaction was cancelled before it arrived."""
        row = (trans_id, account, self._now_ms())
        self._db.execute("INSERT OR IGNORE INTO early_cancels VALUES (?, ?, ?)", row)

    def has_early_cancel(self, trans_id: str) -> bool:
        """Whether the transaction was cancelled before it arrived."""
        row = self._db.execute("SELECT 1 FROM early_cancels WHERE trans_id = ?", (trans_id,)).fetchone()
        return row is not None

    def _now_ms(self) -> int:
        return int(self._clock() * 1000)

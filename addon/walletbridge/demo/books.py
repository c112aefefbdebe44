"""
The demo wallet's books: players, transactions and movements in one SQLite file. Knows no checks.
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
    """A player's row, or what stands for one that does not exist."""

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
        """What it does to the balance, in minor units."""
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
    # The cancels that came before their transaction.
    """
    CREATE TABLE early_cancels (
        trans_id TEXT PRIMARY KEY,
        account TEXT NOT NULL REFERENCES players,
        time_ms INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID
    """,
    # Rows are only ever added. The unique key is the last line of defence: no code can move money twice past it.
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
    The books in the file at `path`, which is made where there is none. May be called from any thread.

    Raises ValueError where the file is of another version.
    """

    def __init__(self, path: Path | str, *, clock: Callable[[], float] = time.time) -> None:
        """`clock` gives Unix seconds."""
        self._clock = clock
        # One connection is one transaction at a time: the lock keeps threads from entering each other's.
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
        """Closes the file. An operation that is under way ends first."""
        with self._lock:
            self._db.close()

    # Seeding and looking, for demos and tests

    def add_player(self, account: str, balance_minor: int, *, active: bool = True) -> None:
        """Adds a player, or sets balance and activity of one that exists. The difference counts as seed."""
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
        """Lets a player play, or not. Raises KeyError for an unknown account."""
        with self.step():
            if not self._db.execute("UPDATE players SET active = ? WHERE account = ?", (active, account)).rowcount:
                raise KeyError(account)

    def add_transaction(
        self, trans_id: str, account: str, kind: str, amount_minor: int, *, canceled: bool = False
    ) -> None:
        """
        Adds the record of a bet or win of the past (`kind` is `bet` or `win`). The player's balance has it in it
        already: nothing moves. Raises sqlite3.IntegrityError for an unknown account, or a `trans_id` that is taken.
        """
        with self.step():
            self.add(Transaction(trans_id, account, kind, amount_minor, canceled))

    def seed_demo_players(self) -> None:
        """Adds the DEMO_PLAYERS that are missing. Those that exist stay as they are."""
        with self.step():
            self._db.executemany(
                "INSERT INTO players VALUES (:account, :balance, :balance, :active) ON CONFLICT DO NOTHING",
                [
                    {"account": account, "balance": balance, "active": active}
                    for account, (balance, active) in DEMO_PLAYERS.items()
                ],
            )

    def clear(self) -> None:
        """Empties the ledger, players included."""
        with self.step():
            for table in ("movements", "early_cancels", "transactions", "players"):
                self._db.execute(f"DELETE FROM {table}")  # noqa: S608 - the names stand in the line above

    def dump(self) -> dict[str, list[dict[str, Any]]]:
        """
        Every row of every table, in the order of its key: `players`, `transactions`, `early_cancels`, `movements`.

        For each account the deltas of its movements and its seed add up to its balance.
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

    # The tables, inside a step

    @contextmanager
    def step(self) -> Iterator[None]:
        """All or nothing. `BEGIN IMMEDIATE`, so that nobody writes between what is read and what is written."""
        with self._lock, self._db:
            self._db.execute("BEGIN IMMEDIATE")
            yield

    def player(self, account: str) -> Player:
        """The player of that account."""
        row = self._db.execute("SELECT balance_minor, active FROM players WHERE account = ?", (account,)).fetchone()
        return Player(account, row is not None, *(row or (0, False)))

    def transaction(self, trans_id: str) -> Transaction | None:
        """The transaction of that number, whoever's it is."""
        row = self._db.execute("SELECT * FROM transactions WHERE trans_id = ?", (trans_id,)).fetchone()
        return None if row is None else Transaction(*row)

    def add(self, new: Transaction) -> None:
        """Adds a record; moves nothing."""
        row = (new.trans_id, new.account, new.kind, new.amount, new.canceled)
        self._db.execute("INSERT INTO transactions VALUES (?, ?, ?, ?, ?)", row)

    def move(self, trans_id: str, kind: str, player: Player, delta: int) -> Outcome:
        """Moves money, and writes down that it did."""
        balance = player.balance + delta
        self._db.execute("UPDATE players SET balance_minor = ? WHERE account = ?", (balance, player.account))
        row = (player.account, trans_id, kind, delta, balance, self._now_ms())
        self._db.execute("INSERT INTO movements VALUES (NULL, ?, ?, ?, ?, ?, ?)", row)
        return Outcome(Result.OK, balance)

    def mark_canceled(self, trans_id: str) -> None:
        """Marks a transaction as cancelled; moves nothing."""
        self._db.execute("UPDATE transactions SET canceled = 1 WHERE trans_id = ?", (trans_id,))

    def remember_cancel(self, trans_id: str, account: str) -> None:
        """Writes down that a transaction was cancelled before it came."""
        row = (trans_id, account, self._now_ms())
        self._db.execute("INSERT OR IGNORE INTO early_cancels VALUES (?, ?, ?)", row)

    def has_early_cancel(self, trans_id: str) -> bool:
        """Whether the transaction was cancelled before it came."""
        row = self._db.execute("SELECT 1 FROM early_cancels WHERE trans_id = ?", (trans_id,)).fetchone()
        return row is not None

    def _now_ms(self) -> int:
        return int(self._clock() * 1000)

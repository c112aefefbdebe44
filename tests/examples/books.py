"""
The books behind the example wallets: players, and the entries that moved their money, in one SQLite file.

They keep what they are told and promise nothing: that a reference moves money once is up to each wallet.
"""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

DEMO_PLAYERS = {"test1234": (500_000, True), "anna01": (25_000, True), "inactive1": (10_000, False)}
"""Account, balance in minor units, active."""


@dataclass(frozen=True, slots=True)
class Player:
    """A player, by both names."""

    id: int
    account: str
    balance: int
    """In minor units."""
    active: bool


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that happened to a player's money, or that is on record from before."""

    id: int
    account: str
    reference: str
    """As the caller named it."""
    kind: str
    """In the wallet's own words."""
    delta: int
    """What it did to the balance, in minor units."""
    balance: int
    """The balance right after it."""
    is_undone: bool
    is_past: bool
    """From before the books began: the seeded balance has it in it already."""
    time_ms: int


_SCHEMA = """
    CREATE TABLE IF NOT EXISTS players (
        id INTEGER PRIMARY KEY,
        account TEXT NOT NULL UNIQUE,
        seed_minor INTEGER NOT NULL,
        balance_minor INTEGER NOT NULL,
        active INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE IF NOT EXISTS entries (
        id INTEGER PRIMARY KEY,
        account TEXT NOT NULL REFERENCES players (account),
        reference TEXT NOT NULL,
        kind TEXT NOT NULL,
        delta_minor INTEGER NOT NULL,
        balance_minor INTEGER NOT NULL,
        is_undone INTEGER NOT NULL,
        is_past INTEGER NOT NULL,
        time_ms INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX IF NOT EXISTS entries_by_reference ON entries (reference);
    CREATE TABLE IF NOT EXISTS refused_references (reference TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
"""
_FIRST_ID = 4_294_967_296
"""Ids of players begin above 32 bits: whoever keeps them in less is found out."""


class Books:
    """The books in the file at `path`, which is made where there is none. May be called from any thread."""

    def __init__(self, path: Path | str, *, clock: Callable[[], float] = time.time) -> None:
        """`clock` gives Unix seconds."""
        self._clock = clock
        self._lock = Lock()
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")
        self._db.execute("PRAGMA foreign_keys = ON")
        self._db.executescript(_SCHEMA)

    def close(self) -> None:
        """Closes the file. A step that is under way ends first."""
        with self._lock:
            self._db.close()

    @contextmanager
    def step(self) -> Iterator[None]:
        """All or nothing; nobody writes between what is read and what is written."""
        with self._lock, self._db:
            self._db.execute("BEGIN IMMEDIATE")
            yield

    # Seeding and looking, for tests

    def add_player(self, account: str, balance: int, *, active: bool = True) -> None:
        """Adds a player, or sets balance and activity of one that exists. The difference counts as seed."""
        with self.step():
            (last,) = self._db.execute("SELECT coalesce(max(id), ?) FROM players", (_FIRST_ID,)).fetchone()
            self._db.execute(
                """
                INSERT INTO players VALUES (:id, :account, :balance, :balance, :active)
                ON CONFLICT (account) DO UPDATE SET
                    seed_minor = seed_minor + :balance - balance_minor, balance_minor = :balance, active = :active
                """,
                {"id": last + 1, "account": account, "balance": balance, "active": active},
            )

    def seed_demo_players(self) -> None:
        """Adds the DEMO_PLAYERS that are missing. Those that exist stay as they are."""
        for account, (balance, active) in DEMO_PLAYERS.items():
            if self.player_now(account) is None:
                self.add_player(account, balance, active=active)

    def add_past(self, account: str, reference: str, kind: str, delta: int, *, is_undone: bool = False) -> None:
        """Adds the record of something of the past: the player's balance has it in it already, and nothing moves."""
        with self.step():
            self._add(account, reference, kind, delta, 0, is_undone=is_undone, is_past=True)

    def clear(self) -> None:
        """Empties the books, players included."""
        with self.step():
            for table in ("entries", "refused_references", "players"):
                self._db.execute(f"DELETE FROM {table}")  # noqa: S608 - the names stand in the line above

    def player_now(self, account: str) -> Player | None:
        """The player of that account, outside a step."""
        with self.step():
            return self.player(account)

    def balances(self) -> dict[str, tuple[int, int]]:
        """By account: the balance, and what was seeded, in minor units."""
        with self.step():
            rows = self._db.execute("SELECT account, balance_minor, seed_minor FROM players").fetchall()
        return {account: (balance, seed) for account, balance, seed in rows}

    def entries(self) -> list[Entry]:
        """All entries, in their order."""
        with self.step():
            return [_entry(row) for row in self._db.execute("SELECT * FROM entries ORDER BY id")]

    # Inside a step

    def player(self, account: str) -> Player | None:
        """The player of that account."""
        return self._player("account", account)

    def player_of_id(self, number: int) -> Player | None:
        """The player of that id."""
        return self._player("id", number)

    def find(self, reference: str, *kinds: str) -> Entry | None:
        """The first entry of that reference and one of these kinds; of any where none is given."""
        rows = self._db.execute("SELECT * FROM entries WHERE reference = ? ORDER BY id", (reference,))
        return next((entry for entry in map(_entry, rows) if not kinds or entry.kind in kinds), None)

    def post(self, player: Player, reference: str, kind: str, delta: int) -> Entry:
        """Moves money, every time it is asked to."""
        balance = player.balance + delta
        self._db.execute("UPDATE players SET balance_minor = ? WHERE id = ?", (balance, player.id))
        return self._add(player.account, reference, kind, delta, balance)

    def undo(self, entry: Entry, player: Player) -> Entry:
        """Moves back what an entry moved, and marks it."""
        self._db.execute("UPDATE entries SET is_undone = 1 WHERE id = ?", (entry.id,))
        return self.post(player, entry.reference, "cancel", -entry.delta)

    def refuse_from_now_on(self, reference: str) -> None:
        """Remembers that a reference must not be used any more."""
        self._db.execute("INSERT OR IGNORE INTO refused_references VALUES (?)", (reference,))

    def is_refused(self, reference: str) -> bool:
        """Whether a reference must not be used any more."""
        row = self._db.execute("SELECT 1 FROM refused_references WHERE reference = ?", (reference,)).fetchone()
        return row is not None

    def _player(self, column: str, value: str | int) -> Player | None:
        row = self._db.execute(
            f"SELECT id, account, balance_minor, active FROM players WHERE {column} = ?",  # noqa: S608 - a name of ours
            (value,),
        ).fetchone()
        return None if row is None else Player(row[0], row[1], row[2], bool(row[3]))

    def _add(  # noqa: PLR0913 - one for each column
        self,
        account: str,
        reference: str,
        kind: str,
        delta: int,
        balance: int,
        *,
        is_undone: bool = False,
        is_past: bool = False,
    ) -> Entry:
        now = int(self._clock() * 1000)
        cursor = self._db.execute(
            "INSERT INTO entries VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?)",
            (account, reference, kind, delta, balance, is_undone, is_past, now),
        )
        number = int(cursor.lastrowid or 0)
        return Entry(number, account, reference, kind, delta, balance, is_undone, is_past, now)


def _entry(row: tuple[int, str, str, str, int, int, int, int, int]) -> Entry:
    return Entry(*row[:6], bool(row[6]), bool(row[7]), row[8])

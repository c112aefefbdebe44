"""
The demo wallet's money: players, transactions and movements in one SQLite file.

Every operation is one `BEGIN IMMEDIATE` transaction that makes the checks, moves the money and keeps the record, or
does nothing at all. What an operation promises stands in `protos/wallet/v1/wallet_service.proto`.
"""

import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from threading import Lock
from typing import Any

from walletbridge.fields import TRANS_ID_CHARACTERS_MAX
from walletbridge.money import INT64_MAX
from walletbridge.outcomes import Outcome, Result, TransactionState

DEMO_PLAYERS = {
    "test1234": (500_000, True),
    "anna01": (25_000, True),
    "bruno77": (9_050, True),
    "highroller": (100_000_000, True),
    "broke1": (0, True),
    "inactive1": (10_000, False),
}
"""The seeded players: account, balance in minor units, active."""


class UnknownCheck(ValueError):
    """
    Raised by the operations that only read, for a check that they do not know: they have no result that says so.
    """


class Check(IntEnum):
    """What can be asked. A check has the number of the result that stands for its failure (PROTOCOL: Checks)."""

    PLAYER_EXISTS = 21
    PLAYER_ACTIVE = 22
    BALANCE_SUFFICIENT = 31
    NOT_PROCESSED = 41
    TRANSACTION_EXISTS = 42


def first_refusal(checks: Iterable[int], holds: Mapping[int, bool]) -> Result | None:
    """
    The result of the first check that does not hold, or None.

    `holds` has the checks that make sense for the operation. Any other is refused with FAILED: its own result is not
    one that the operation may answer. Every check in `holds` is about a player, so there must be one.
    """
    for check in checks:
        if check not in holds:
            return Result.FAILED
        if not holds[Check.PLAYER_EXISTS]:
            return Result.PLAYER_NOT_FOUND
        if not holds[check]:
            return Result(check)
    return None


@dataclass(frozen=True, slots=True)
class _Player:
    account: str
    exists: bool
    balance: int
    active: bool


@dataclass(frozen=True, slots=True)
class _Transaction:
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


_STATES = {False: TransactionState.OK, True: TransactionState.CANCELED}

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


class Ledger:
    """
    The ledger in the file at `path`, which is made where there is none. May be called from any thread.

    A wallet that promises less is had with `remembers_cancels=False`: it forgets a cancel of an unknown transaction. A
    bet or win that was requested more than `late_after_seconds` before `clock()` (Unix seconds) is refused.
    Raises ValueError where the file is of another version.
    """

    def __init__(
        self,
        path: Path | str,
        *,
        remembers_cancels: bool = True,
        late_after_seconds: int | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._remembers_cancels = remembers_cancels
        self._late_after_seconds = late_after_seconds
        self._clock = clock
        # One connection is one transaction at a time: the lock keeps threads from entering each other's.
        self._lock = Lock()
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
        with self._step():
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
        with self._step():
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
        with self._step():
            if not self._db.execute("UPDATE players SET active = ? WHERE account = ?", (active, account)).rowcount:
                raise KeyError(account)

    def add_transaction(
        self, trans_id: str, account: str, kind: str, amount_minor: int, *, canceled: bool = False
    ) -> None:
        """
        Adds the record of a bet or win of the past (`kind` is `bet` or `win`). The player's balance has it in it
        already: nothing moves. Raises sqlite3.IntegrityError for an unknown account, or a `trans_id` that is taken.
        """
        with self._step():
            self._add(_Transaction(trans_id, account, kind, amount_minor, canceled))

    def seed_demo_players(self) -> None:
        """Adds the DEMO_PLAYERS that are missing. Those that exist stay as they are."""
        with self._step():
            self._db.executemany(
                "INSERT INTO players VALUES (:account, :balance, :balance, :active) ON CONFLICT DO NOTHING",
                [
                    {"account": account, "balance": balance, "active": active}
                    for account, (balance, active) in DEMO_PLAYERS.items()
                ],
            )

    def clear(self) -> None:
        """Empties the ledger, players included."""
        with self._step():
            for table in ("movements", "early_cancels", "transactions", "players"):
                self._db.execute(f"DELETE FROM {table}")  # noqa: S608 - the names stand in the line above

    def dump(self) -> dict[str, list[dict[str, Any]]]:
        """
        Every row of every table, in the order of its key: `players`, `transactions`, `early_cancels`, `movements`.

        For each account the deltas of its movements and its seed add up to its balance.
        """
        with self._step():
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

    # The six operations. Each makes the checks that its promises need at last, also where they are not asked for.

    def authenticate(self, account: str, checks: Iterable[int]) -> Outcome:
        """Says whether the player may open a game, with the balance. Raises UnknownCheck."""
        return self.get_balance(account, checks)

    def get_balance(self, account: str, checks: Iterable[int]) -> Outcome:
        """Reads the balance of the player. Raises UnknownCheck."""
        with self._step():
            player = self._player(account)
            refusal = _refusal_of_read(checks, _of_player(player))
            return Outcome(refusal or Result.OK, player.balance)

    def place_bet(
        self, account: str, checks: Iterable[int], trans_id: str, amount: int, requested_at: int | None = None
    ) -> Outcome:
        """Takes a stake of `amount` minor units off the balance. `requested_at` is in Unix seconds."""
        checks = (*checks, Check.NOT_PROCESSED, Check.BALANCE_SUFFICIENT)
        return self._process(_Transaction(trans_id, account, "bet", amount), checks, requested_at)

    def settle_win(
        self, account: str, checks: Iterable[int], trans_id: str, amount: int, requested_at: int | None = None
    ) -> Outcome:
        """Adds a win of `amount` minor units to the balance. `requested_at` is in Unix seconds."""
        checks = (*checks, Check.NOT_PROCESSED)
        return self._process(_Transaction(trans_id, account, "win", amount), checks, requested_at)

    def cancel_transaction(self, account: str, checks: Iterable[int], trans_id: str) -> Outcome:
        """Reverses the account's bet or win. The cancel of a transaction that nobody has is remembered."""
        with self._step():
            player, known = self._player(account), self._transaction(trans_id)
            holds = _of_player(player) | {Check.TRANSACTION_EXISTS: _is_of(known, account)}
            refusal = first_refusal((*checks, Check.TRANSACTION_EXISTS), holds)
            if refusal is Result.TRANSACTION_NOT_FOUND and known is None and self._remembers_cancels:
                self._remember_cancel(trans_id, account)
            if refusal or known is None:
                return Outcome(refusal or Result.TRANSACTION_NOT_FOUND, player.balance)
            if known.canceled:
                return Outcome(Result.OK, player.balance)
            if not _fits(player.balance - known.delta):
                return Outcome(Result.FAILED, player.balance)
            self._db.execute("UPDATE transactions SET canceled = 1 WHERE trans_id = ?", (trans_id,))
            return self._move(trans_id, "cancel", player, -known.delta)

    def get_transaction_status(self, account: str, checks: Iterable[int], trans_id: str) -> Outcome:
        """Says whether the account's transaction stands or was cancelled. Raises UnknownCheck."""
        with self._step():
            player, known = self._player(account), self._transaction(trans_id)
            holds = _of_player(player) | {Check.TRANSACTION_EXISTS: _is_of(known, account)}
            refusal = _refusal_of_read((*checks, Check.TRANSACTION_EXISTS), holds)
            if refusal or known is None:
                return Outcome(refusal or Result.TRANSACTION_NOT_FOUND, player.balance)
            return Outcome(Result.OK, player.balance, _STATES[known.canceled])

    def _process(self, new: _Transaction, checks: Iterable[int], requested_at: int | None) -> Outcome:
        """
        Makes a bet or win. A `trans_id` is one transaction, whoever sends it: another account's is ALREADY_PROCESSED,
        with the balance of the account that asked.
        """
        with self._step():
            player = self._player(new.account)
            holds = _of_player(player) | {Check.NOT_PROCESSED: self._transaction(new.trans_id) is None}
            if new.kind == "bet":
                holds[Check.BALANCE_SUFFICIENT] = player.balance >= new.amount
            refusal = first_refusal(checks, holds)
            if refusal is None and not self._may_process(new, player, requested_at):
                refusal = Result.FAILED
            if refusal:
                return Outcome(refusal, player.balance)
            self._add(new)
            return self._move(new.trans_id, new.kind, player, new.delta)

    def _may_process(self, new: _Transaction, player: _Player, requested_at: int | None) -> bool:
        """Whether nothing speaks against a movement that has passed its checks."""
        return (
            1 <= len(new.trans_id) <= TRANS_ID_CHARACTERS_MAX
            and new.amount >= 0
            and _fits(player.balance + new.delta)
            and not self._is_late(requested_at)
            and not self._has_early_cancel(new.trans_id)
        )

    def _is_late(self, requested_at: int | None) -> bool:
        if requested_at is None or self._late_after_seconds is None:
            return False
        return self._clock() - requested_at > self._late_after_seconds

    # The tables

    @contextmanager
    def _step(self) -> Iterator[None]:
        """All or nothing. `BEGIN IMMEDIATE`, so that nobody writes between what is read and what is written."""
        with self._lock, self._db:
            self._db.execute("BEGIN IMMEDIATE")
            yield

    def _player(self, account: str) -> _Player:
        row = self._db.execute("SELECT balance_minor, active FROM players WHERE account = ?", (account,)).fetchone()
        return _Player(account, row is not None, *(row or (0, False)))

    def _transaction(self, trans_id: str) -> _Transaction | None:
        row = self._db.execute("SELECT * FROM transactions WHERE trans_id = ?", (trans_id,)).fetchone()
        return None if row is None else _Transaction(*row)

    def _add(self, new: _Transaction) -> None:
        row = (new.trans_id, new.account, new.kind, new.amount, new.canceled)
        self._db.execute("INSERT INTO transactions VALUES (?, ?, ?, ?, ?)", row)

    def _move(self, trans_id: str, kind: str, player: _Player, delta: int) -> Outcome:
        balance = player.balance + delta
        self._db.execute("UPDATE players SET balance_minor = ? WHERE account = ?", (balance, player.account))
        row = (player.account, trans_id, kind, delta, balance, self._now_ms())
        self._db.execute("INSERT INTO movements VALUES (NULL, ?, ?, ?, ?, ?, ?)", row)
        return Outcome(Result.OK, balance)

    def _remember_cancel(self, trans_id: str, account: str) -> None:
        row = (trans_id, account, self._now_ms())
        self._db.execute("INSERT OR IGNORE INTO early_cancels VALUES (?, ?, ?)", row)

    def _has_early_cancel(self, trans_id: str) -> bool:
        row = self._db.execute("SELECT 1 FROM early_cancels WHERE trans_id = ?", (trans_id,)).fetchone()
        return row is not None

    def _now_ms(self) -> int:
        return int(self._clock() * 1000)


def _of_player(player: _Player) -> dict[int, bool]:
    return {Check.PLAYER_EXISTS: player.exists, Check.PLAYER_ACTIVE: player.active}


def _is_of(transaction: _Transaction | None, account: str) -> bool:
    return transaction is not None and transaction.account == account


def _refusal_of_read(checks: Iterable[int], holds: Mapping[int, bool]) -> Result | None:
    refusal = first_refusal((*checks, Check.PLAYER_EXISTS), holds)
    if refusal is Result.FAILED:
        raise UnknownCheck(f"expected checks among {', '.join(str(int(check)) for check in sorted(holds))}")
    return refusal


def _fits(balance: int) -> bool:
    return -INT64_MAX - 1 <= balance <= INT64_MAX

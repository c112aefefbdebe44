"""
Reads the journal's file beside the gateway that writes it: for people who look something up.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import apsw

from walletbridge.journal.columns import SELECT_NUMBERED, Numbered, numbered
from walletbridge.journal.mark import is_behind, mark_of
from walletbridge.journal.schema import expect_known
from walletbridge.rules.decisions import RESTORED
from walletbridge.settings.small_files import PRIVATE, expect_regular

STEPS_MAX = 100
"""How often SQLite is let go on; a journal of years is not searched to its end."""
_STEP_OPERATIONS = 1_000_000
ROWS_MAX = 50
BUSY_MILLISECONDS = 5000
_TABLES = frozenset({"meta", "transactions", "turns"})
_NO_JOURNAL = "there is no journal in this file"


def of_transaction(path: Path, trans_id: str) -> Sequence[Numbered]:
    """All rows of a transaction, of whichever account. Raises apsw.Error where the file cannot be read."""
    return _read(path, "WHERE trans_id = ? ORDER BY id LIMIT ?", trans_id)


def of_account(path: Path, account: str) -> Sequence[Numbered]:
    """The last rows of an account, the newest first. Raises apsw.Error, also where it takes too long."""
    return _read(path, "WHERE account = ? ORDER BY id DESC LIMIT ?", account)


def unsettled(path: Path) -> Sequence[Numbered]:
    """Rows that are not at rest and that a person should see, the oldest first. Raises apsw.Error."""
    rows = _read(path, "WHERE needs_look ORDER BY id LIMIT ?")
    return [one for one in rows if one.row.is_listed or one.row.call is not None]


def listed(path: Path, *, limit: int) -> tuple[Sequence[Numbered], int]:
    """At most so many of the rows that are not at rest, the oldest first, and how many there are in all."""
    with _opened(path) as db:
        total = db.execute("SELECT count(*) FROM transactions WHERE needs_look").get
        rows = db.execute(f"{SELECT_NUMBERED} WHERE needs_look ORDER BY id LIMIT ?", (limit,))
        return [numbered(found) for found in rows], int(total)


def all_listed(path: Path, *, rows: int) -> Iterator[Sequence[Numbered]]:
    """All that are not at rest, the oldest first, by pages of so many. Raises apsw.Error."""
    return _pages(path, "needs_look", rows)


def recovered(path: Path, *, rows: int) -> Iterator[Sequence[Numbered]]:
    """All that are left to a person because the journal was restored, by pages of so many. Raises apsw.Error."""
    return _pages(path, "needs_look AND for_human = ?", rows, RESTORED)


def back_up(path: Path, copy: Path) -> None:
    """
    Copies the journal as it is at one moment, while others write it. Raises apsw.Error where it cannot be read, OSError
    where the copy cannot be written or there is a file at `copy` already. No file is left that only looks like a copy.
    """
    with _opened(path) as db:
        # Read first: what is wrong with the journal is nothing that the copy could be blamed for.
        db.execute("SELECT count(*) FROM meta").fetchall()
        os.close(os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE))
        try:
            with closing(apsw.Connection(str(copy))) as target:
                with target.backup("main", db, "main") as backup:
                    backup.step()
                # A copy is one file, without a log beside it.
                target.execute("PRAGMA journal_mode = DELETE")
        except apsw.Error as error:
            copy.unlink(missing_ok=True)
            copy.with_name(f"{copy.name}-journal").unlink(missing_ok=True)
            raise OSError(f"cannot be written: {_words(error)}") from None
        except BaseException:
            copy.unlink(missing_ok=True)
            raise


def _words(error: apsw.Error) -> str:
    """SQLite's, of which apsw has none where a backup fails."""
    return "the disk is full" if isinstance(error, apsw.FullError) else str(error)


def is_older(path: Path) -> bool:
    """Whether the file lacks what a gateway has written since, by the mark beside it. Raises apsw.Error, OSError."""
    try:
        # First the mark: what is committed meanwhile must not look like what is missing.
        mark = mark_of(path).read_bytes()
    except FileNotFoundError:
        return False
    try:
        with _opened(path) as db:
            incarnation, commits = db.execute("SELECT incarnation, commits FROM meta").get
    except apsw.SQLError:
        # One of an earlier version, which has no such numbers.
        return False
    return bool(incarnation) and is_behind(mark, incarnation, commits)


def by_number(path: Path, number: int) -> Numbered | None:
    """The row with that number. Raises apsw.Error."""
    with _opened(path) as db:
        found = db.execute(f"{SELECT_NUMBERED} WHERE id = ?", (number,)).fetchone()
        return numbered(found) if found else None


def unusable(path: Path) -> str:
    """
    Why no gateway can ever write its journal into this file. Empty where one can, or where that cannot be known now: a
    lock passes, and what is empty becomes a journal. Waits for nobody.
    """
    try:
        if not path.is_file() or not path.stat().st_size:
            return ""
        with _connected(path, busy_milliseconds=0) as db:
            version = expect_known(db)
            tables = {name for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    except (apsw.NotADBError, apsw.CorruptError, ValueError) as error:
        return str(error)
    except (apsw.Error, OSError):
        return ""
    is_journal = tables >= _TABLES if version else not tables
    return "" if is_journal else _NO_JOURNAL


def _pages(path: Path, condition: str, rows: int, *values: str) -> Iterator[Sequence[Numbered]]:
    statement = f"{SELECT_NUMBERED} WHERE {condition} AND id > ? ORDER BY id LIMIT ?"
    last = 0
    while True:
        # Anew for each: who looks at a page at leisure must not keep a read open, see `WalWatch`.
        with _opened(path) as db:
            page = [numbered(found) for found in db.execute(statement, (*values, last, rows))]
        if page:
            yield page
        if len(page) < rows:
            return
        last = page[-1].number


def _read(path: Path, condition: str, *values: str) -> Sequence[Numbered]:
    with _opened(path) as db:
        return [numbered(found) for found in db.execute(f"{SELECT_NUMBERED} {condition}", (*values, ROWS_MAX))]


@contextmanager
def _opened(path: Path) -> Iterator[apsw.Connection]:
    with _connected(path, busy_milliseconds=BUSY_MILLISECONDS) as db:
        _expect_journal(db)
        yield db


@contextmanager
def _connected(path: Path, *, busy_milliseconds: int) -> Iterator[apsw.Connection]:
    if path.exists():
        # SQLite would wait for a pipe. What is not there, it says itself.
        expect_regular(path)
    name, flags = str(path), apsw.SQLITE_OPEN_READONLY
    if not path.with_name(f"{path.name}-wal").exists():
        # Nobody has it open: read so, SQLite makes no file beside it.
        name, flags = f"{path.absolute().as_uri()}?immutable=1", flags | apsw.SQLITE_OPEN_URI
    with closing(apsw.Connection(name, flags=flags)) as db:
        db.set_busy_timeout(busy_milliseconds)
        steps = iter(range(STEPS_MAX))
        db.set_progress_handler(lambda: next(steps, None) is None, _STEP_OPERATIONS)
        yield db


def _expect_journal(db: apsw.Connection) -> None:
    """Raises apsw.Error for a file that is no database, or one without a journal in it, such as an empty one."""
    if db.execute("PRAGMA user_version").get == 0:
        raise apsw.NotADBError(_NO_JOURNAL)

"""
Reads the journal's file beside the gateway that writes it, to look up rows for people.
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
"""How often SQLite may go on; a search in a journal of years ends early."""
_STEP_OPERATIONS = 1_000_000
ROWS_MAX = 50
BUSY_MILLISECONDS = 5000
_TABLES = frozenset({"meta", "transactions", "turns"})
_NO_JOURNAL = "there is no journal in this file"


def of_transaction(path: Path, trans_id: str) -> Sequence[Numbered]:
    """The rows of a transaction, of any account. Raises apsw.Error if the file cannot be read."""
    return _read(path, "WHERE trans_id = ? ORDER BY id LIMIT ?", trans_id)


def of_account(path: Path, account: str) -> Sequence[Numbered]:
    """The last rows of an account, the newest first. Raises apsw.Error, also if the search takes too long."""
    return _read(path, "WHERE account = ? ORDER BY id DESC LIMIT ?", account)


def unsettled(path: Path) -> Sequence[Numbered]:
    """Rows that are not at rest and that a person should see, the oldest first. Raises apsw.Error."""
    rows = _read(path, "WHERE needs_look ORDER BY id LIMIT ?")
    return [one for one in rows if one.row.is_listed or one.row.call is not None]


def listed(path: Path, *, limit: int) -> tuple[Sequence[Numbered], int]:
    """At most `limit` of the rows that are not at rest, the oldest first, and how many there are in all."""
    with _opened(path) as db:
        total = db.execute("SELECT count(*) FROM transactions WHERE needs_look").get
        rows = db.execute(f"{SELECT_NUMBERED} WHERE needs_look ORDER BY id LIMIT ?", (limit,))
        return [numbered(found) for found in rows], int(total)


def all_listed(path: Path, *, rows: int) -> Iterator[Sequence[Numbered]]:
    """All rows that are not at rest, the oldest first, in pages of `rows`. Raises apsw.Error."""
    return _pages(path, "needs_look", rows)


def recovered(path: Path, *, rows: int) -> Iterator[Sequence[Numbered]]:
    """All rows left to a person because the journal was restored, in pages of `rows`. Raises apsw.Error."""
    return _pages(path, "needs_look AND for_human = ?", rows, RESTORED)


def back_up(path: Path, copy: Path) -> None:
    """
    Copies the journal's state at one moment, while others write it. Raises apsw.Error if it cannot be read, OSError if
    the copy cannot be written or `copy` exists already. Leaves no incomplete copy.
    """
    with _opened(path) as db:
        # Read first, so that an error of the journal is not reported as one of the copy.
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
    """SQLite's text for an error; apsw has none if a backup fails."""
    return "the disk is full" if isinstance(error, apsw.FullError) else str(error)


def is_older(path: Path) -> bool:
    """Whether the file lacks later writes of a gateway, by the mark beside it. Raises apsw.Error, OSError."""
    try:
        # First the mark: a commit made meanwhile must not look like a missing one.
        mark = mark_of(path).read_bytes()
    except FileNotFoundError:
        return False
    try:
        with _opened(path) as db:
            incarnation, commits = db.execute("SELECT incarnation, commits FROM meta").get
    except apsw.SQLError:
        # A file of an earlier version has no such numbers.
        return False
    return bool(incarnation) and is_behind(mark, incarnation, commits)


def by_number(path: Path, number: int) -> Numbered | None:
    """The row with this number, or None. Raises apsw.Error."""
    with _opened(path) as db:
        found = db.execute(f"{SELECT_NUMBERED} WHERE id = ?", (number,)).fetchone()
        return numbered(found) if found else None


def unusable(path: Path) -> str:
    """
    Why no gateway can ever write its journal into this file. Empty if one can, or if that is unknown now: a lock
    passes, and an empty file becomes a journal. Does not wait for a lock.
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
        # Open it for each page: a slow reader must not keep a read open, see `WalWatch`.
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
        # SQLite would wait for a pipe. It reports a missing file itself.
        expect_regular(path)
    name, flags = str(path), apsw.SQLITE_OPEN_READONLY
    if not path.with_name(f"{path.name}-wal").exists():
        # No process has it open: opened like this, SQLite makes no file beside it.
        name, flags = f"{path.absolute().as_uri()}?immutable=1", flags | apsw.SQLITE_OPEN_URI
    with closing(apsw.Connection(name, flags=flags)) as db:
        db.set_busy_timeout(busy_milliseconds)
        steps = iter(range(STEPS_MAX))
        db.set_progress_handler(lambda: next(steps, None) is None, _STEP_OPERATIONS)
        yield db


def _expect_journal(db: apsw.Connection) -> None:
    """Raises apsw.Error for a file that is no database, or one without a journal, such as an empty one."""
    if db.execute("PRAGMA user_version").get == 0:
        raise apsw.NotADBError(_NO_JOURNAL)

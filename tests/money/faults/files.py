"""
The journal's file of a run, as an operator sees it: copied, removed, restored. And what is lost by that.

The bench reads the file with the gateways' own SQLite: an older one beside theirs, such as Python's, could corrupt it.
"""

import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import apsw

from walletbridge.journal.columns import SELECT_WITH_ID, row_of
from walletbridge.rules.row import Row

JOURNAL = "journal.db"
_LOGS = ("-wal", "-shm")
"""SQLite's own files beside the journal."""
_BUSY_SECONDS = 10.0
_FLAGS = apsw.SQLITE_OPEN_READWRITE


@dataclass(slots=True)
class Losses:
    """What no gateway can know any more, and when none had a journal."""

    before: dict[str, Row] = field(default_factory=dict)
    """The rows of transactions that are missing or older in the file that was put in place, as they were."""
    kept: dict[str, Row | None] = field(default_factory=dict)
    """The same rows in that file."""
    gone: list[tuple[float, float]] = field(default_factory=list)
    """From when to when the file that the gateways had open was not the one in place, in Unix seconds."""
    unsaved: list[tuple[float, float]] = field(default_factory=list)
    """The same, from a little earlier on: what was journalled then may be in no file."""
    restored_at: float = 0.0
    """When the gateways were last started on another file, in Unix seconds."""

    def has_lost(self, key: str) -> bool:
        """Whether the transaction is missing in the file that was put in place."""
        return key in self.before and self.kept[key] is None

    def note(self, before: dict[str, Row], now: dict[str, Row], *, at: float) -> None:
        """The journal was `before`, and at a moment without gateways became `now`."""
        self.restored_at = at
        for key, row in before.items():
            if now.get(key) != row:
                self.before[key] = row
                self.kept[key] = now.get(key)


@contextmanager
def connected(path: Path, *, seconds: float = _BUSY_SECONDS, is_new: bool = False) -> Iterator[apsw.Connection]:
    """
    The file while others have it, for whose locks it waits so long. Raises apsw.BusyError after that, and
    apsw.CantOpenError where there is none: one that was removed must stay so.
    """
    with closing(apsw.Connection(str(path), flags=_FLAGS | apsw.SQLITE_OPEN_CREATE * is_new)) as db:
        db.set_busy_timeout(round(1000 * seconds))
        yield db


def rows_of(path: Path) -> dict[str, Row]:
    """All rows of a journal's file, by transaction. A file may have lost its tables with SQLite's log."""
    with connected(path) as db:
        if not db.execute("SELECT 1 FROM sqlite_schema WHERE name = 'transactions'").fetchone():
            return {}
        rows = [row_of(values) for _, *values in db.execute(SELECT_WITH_ID)]
    return {row.trans_id: row for row in rows}


def back_up(path: Path, target: Path) -> None:
    """A consistent copy of a file that is in use."""
    target.unlink(missing_ok=True)
    with connected(path) as db, connected(target, is_new=True) as copy, copy.backup("main", db, "main") as backup:
        backup.step()


def remove_logs(path: Path) -> None:
    """What SQLite keeps beside the file."""
    for suffix in _LOGS:
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def restore(backup: Path, path: Path) -> None:
    """Puts a backup in the place of the file, as the guide says: without the logs of the old one."""
    remove_logs(path)
    path.unlink(missing_ok=True)
    shutil.copy(backup, path)


def replace(backup: Path, path: Path) -> None:
    """Moves a copy of the backup over the file, as `mv` does, and leaves all else."""
    copy = path.with_name("copy.db")
    shutil.copy(backup, copy)
    copy.replace(path)

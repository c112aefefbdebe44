"""
Which process holds a lock of the journal, as the kernel tells it: for whoever has to end one that stands still.
"""

import os
from pathlib import Path

_LOCKS = Path("/proc/locks")
_WRITE_LOCK = range(120, 121)
"""The byte of the `-shm` file that SQLite locks in order to write in WAL mode (its file format: WAL-index locks)."""
_STOPPED = {"T", "t"}


def holder(journal: Path) -> int | None:
    """The process that holds it; None where nobody does, or where that cannot be seen from here (Linux alone)."""
    journal = journal.resolve()  # as SQLite does
    # At most one process can hold it.
    return next(iter(processes(journal.with_name(f"{journal.name}-shm"), "WRITE", _WRITE_LOCK)), None)


def processes(file: Path, mode: str, places: range) -> set[int]:
    """Who holds a lock of this mode ("READ" or "WRITE") on one of these bytes of a file, as far as it can be seen."""
    # The file must not be opened for that: closing it would end all locks that this process has on it.
    try:
        inode = str(file.stat().st_ino)
        lines = _LOCKS.read_text().splitlines()
    except OSError:
        return set()
    found = set()
    for line in lines:
        # 2: POSIX  ADVISORY  WRITE 27233 fe:00:2162967 120 120; who waits for a lock has an arrow before POSIX.
        if "->" in line:
            continue
        _, kind, _, has, pid, locked, first, last = line.split()[:8]
        if (kind, has) != ("POSIX", mode) or locked.rpartition(":")[2] != inode:
            continue
        if int(first) < places.stop and (last == "EOF" or int(last) >= places.start):
            found.add(int(pid))
    # Processes of other containers have no number here.
    return {pid for pid in found if pid > 0}


def has_open(pid: int, file: Path) -> bool:
    """Whether the process has this file open; False where that cannot be seen, as of another user's."""
    try:
        wanted = file.stat()
        # In the order of their numbers: what a process has opened at its start comes first.
        with os.scandir(f"/proc/{pid}/fd") as entries:
            return any(_is(entry.path, wanted) for entry in entries)
    except OSError:
        return False


def _is(path: str, wanted: os.stat_result) -> bool:
    try:
        return os.path.samestat(os.stat(path), wanted)  # noqa: PTH116 - as it comes from scandir
    except OSError:
        return False  # Closed meanwhile.


def held_by(journal: Path) -> str:
    """The same as words to add to an error; empty where it is not known."""
    pid = holder(journal)
    if pid is None:
        return ""
    return f": process {pid} holds its write lock" + (", and is stopped" if _is_stopped(pid) else "")


def _is_stopped(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] in _STOPPED

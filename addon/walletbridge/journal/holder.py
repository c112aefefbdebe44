"""
Finds the process that holds a lock of the journal, from the kernel's list, so that a person can end a stopped one.
"""

import os
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

QUEUE_SUFFIX = "-queue"
"""Suffix of the file beside the journal that the next writer locks; see `Queue`."""
_LOCKS = Path("/proc/locks")
_WRITE_LOCK = range(120, 121)
"""The byte of the `-shm` file that SQLite locks to write in WAL mode (its file format: WAL-index locks)."""
_WHOLE_FILE = range(1)
_STOPPED = {"T", "t"}


class Lock(StrEnum):
    """A lock that keeps other processes from writing."""

    WRITE = "write lock"
    """SQLite's own: no other process can write."""
    QUEUE = "queue"
    """The place behind the holder of the write lock: the others write only once they have waited for it in vain."""


class Hold(NamedTuple):
    """A process that holds a lock at this moment."""

    pid: int
    lock: Lock
    is_stopped: bool
    """Whether it is stopped, so that it will not give the lock back by itself."""

    def __str__(self) -> str:
        return f"process {self.pid} holds its {self.lock}" + (", and is stopped" if self.is_stopped else "")


def holds(journal: Path) -> list[Hold]:
    """
    The processes that keep others from writing, as far as visible from here (Linux alone). At most one for each lock.

    While another process has the write lock, the holder of the queue waits too, and is listed only if it is stopped.
    """
    file = journal.resolve()  # as SQLite does
    found = ((Lock.WRITE, pid) for pid in processes(file.with_name(f"{file.name}-shm"), "WRITE", _WRITE_LOCK))
    queue = journal.with_name(f"{journal.name}{QUEUE_SUFFIX}")
    behind = ((Lock.QUEUE, pid) for pid in processes(queue, "WRITE", _WHOLE_FILE, kind="FLOCK"))
    every = [Hold(pid, lock, is_stopped(pid)) for lock, pid in (*found, *behind)]
    return [hold for hold in every if hold.lock is every[0].lock or hold.is_stopped]


def processes(file: Path, mode: str, places: range, *, kind: str = "POSIX") -> set[int]:
    """
    The processes that hold a lock of this mode ("READ" or "WRITE") on one of these bytes of a file, as far as visible.

    `kind` is "POSIX" for locks by fcntl, "FLOCK" for locks by flock.
    """
    # Do not open the file: closing it would end all locks that this process has on it.
    try:
        inode = str(file.stat().st_ino)
        lines = _LOCKS.read_text().splitlines()
    except OSError:
        return set()
    found = set()
    for line in lines:
        # 2: POSIX  ADVISORY  WRITE 27233 fe:00:2162967 120 120; a waiting process has an arrow before POSIX.
        if "->" in line:
            continue
        _, its_kind, _, has, pid, locked, first, last = line.split()[:8]
        if (its_kind, has) != (kind, mode) or locked.rpartition(":")[2] != inode:
            continue
        if int(first) < places.stop and (last == "EOF" or int(last) >= places.start):
            found.add(int(pid))
    # Processes of other containers have no number here.
    return {pid for pid in found if pid > 0}


def has_open(pid: int, file: Path) -> bool:
    """Whether the process has this file open. False if that is not visible, as for another user's process."""
    try:
        wanted = file.stat()
        # In the order of their numbers: files that a process has opened at its start come first.
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
    """The same as text to add to an error of the write lock; empty if unknown."""
    # Under load some process is always next: name it only if it is stopped.
    told = [hold for hold in holds(journal) if hold.lock is Lock.WRITE or hold.is_stopped]
    return ": " + "; ".join(map(str, told)) if told else ""


def is_stopped(pid: int) -> bool:
    """Whether a process is stopped, by a signal or a debugger."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] in _STOPPED

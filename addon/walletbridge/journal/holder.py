"""
Which process holds the journal's write lock, as the kernel tells it: for whoever has to end one that stands still.
"""

from pathlib import Path

_LOCKS = Path("/proc/locks")
_WRITE_LOCK = 120
"""The byte of the `-shm` file that SQLite locks in order to write in WAL mode (its file format: WAL-index locks)."""
_STOPPED = {"T", "t"}


def holder(journal: Path) -> int | None:
    """The process that holds it; None where nobody does, or where that cannot be seen from here (Linux alone)."""
    try:
        journal = journal.resolve()  # as SQLite does
        inode = str(journal.with_name(f"{journal.name}-shm").stat().st_ino)
        lines = _LOCKS.read_text().splitlines()
    except OSError:
        return None
    for line in lines:
        # 2: POSIX  ADVISORY  WRITE 27233 fe:00:2162967 120 120; who waits for a lock has an arrow before POSIX.
        _, kind, _, mode, pid, file, first, last = line.split()[:8] if "->" not in line else [""] * 8
        if (kind, mode) != ("POSIX", "WRITE") or file.rpartition(":")[2] != inode:
            continue
        if int(first) <= _WRITE_LOCK and (last == "EOF" or int(last) >= _WRITE_LOCK):
            # Processes of other containers have no number here.
            return int(pid) if int(pid) > 0 else None
    return None


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

"""
Names the holder of a turn, and tests whether the process of a name still runs.
"""

import getpass
import os
import uuid
from pathlib import Path

_PROC = Path("/proc")
_START_TIME_FIELD = 22 - 3
"""Index in /proc/PID/stat, counted from the command's closing parenthesis, where field 3 follows."""
_ENDED = "0"
"""In place of the start time, if that is unknown or the process has ended."""


def worker_name() -> str:
    """
    A name that is unique among all processes that ever share a journal file, and that shows when its process is dead.
    """
    pid = os.getpid()
    return f"{_pid_namespace()} {pid} {_start_time(pid) or _ENDED} {uuid.uuid4().hex[:8]}"


def user_name() -> str:
    """The user that runs this process, for the record of people's decisions."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return f"user {os.getuid()}"


def is_dead(name: str) -> bool:
    """
    Whether the process of `name` is certainly gone. A process that is not visible from here (another container, no
    /proc) counts as alive.
    """
    namespace, pid, start_time, _ = name.rsplit(" ", 3)
    if not namespace or namespace != _pid_namespace() or start_time == _ENDED:
        return False
    found = _start_time(int(pid))
    # /proc may hide the processes of other users (hidepid); a signal finds them.
    return not _exists(int(pid)) if found is None else found != start_time


def _pid_namespace() -> str:
    try:
        return str((_PROC / "self/ns/pid").readlink())
    except OSError:
        return ""


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _start_time(pid: int) -> str | None:
    """The start time of the process, in the kernel's ticks; "0" if it has ended, None if it is not visible."""
    try:
        stat = (_PROC / str(pid) / "stat").read_text()
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()
    # A zombie has ended; only its parent has not collected it.
    return _ENDED if fields[0] in {"Z", "X"} else fields[_START_TIME_FIELD]

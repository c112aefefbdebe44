"""
Who holds a turn: a name for this process, and whether the process of a name is still there.
"""

import getpass
import os
import uuid
from pathlib import Path

_PROC = Path("/proc")
_START_TIME_FIELD = 22 - 3
"""Of /proc/PID/stat, counted behind the command's closing parenthesis, where field 3 follows."""
_ENDED = "0"
"""In place of the start time, where it is not known or the process has ended."""


def worker_name() -> str:
    """
    Unique among all processes that ever share a journal file, and telling enough to see when its process is dead.
    """
    pid = os.getpid()
    return f"{_pid_namespace()} {pid} {_start_time(pid) or _ENDED} {uuid.uuid4().hex[:8]}"


def user_name() -> str:
    """Who runs this process, for what people have done with it."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return f"user {os.getuid()}"


def is_dead(name: str) -> bool:
    """
    Whether it is certain that the process of `name` is gone. Where it cannot be seen from here (another container,
    no /proc) it counts as alive.
    """
    namespace, pid, start_time, _ = name.rsplit(" ", 3)
    if not namespace or namespace != _pid_namespace() or start_time == _ENDED:
        return False
    found = _start_time(int(pid))
    # /proc may hide the processes of other users (hidepid); a signal does not overlook them.
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
    """When the process was started, in the kernel's ticks; "0" if it has ended, None if it cannot be seen."""
    try:
        stat = (_PROC / str(pid) / "stat").read_text()
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()
    # A zombie has ended; only its parent has not noticed.
    return _ENDED if fields[0] in {"Z", "X"} else fields[_START_TIME_FIELD]

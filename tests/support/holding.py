"""Another program that holds a lock of the journal, as a shell in a transaction that somebody has left open."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

WRITE_LOCK = """
import apsw, sys
db = apsw.Connection(sys.argv[1])
db.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.read()
"""
QUEUE = """
import fcntl, sys
file = open(sys.argv[1] + "-queue", "ab")
fcntl.flock(file, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read()
"""


def command(code: str, path: Path) -> list[str]:
    """What takes one of these locks, says so in a line, and gives it back when its stdin ends."""
    return [sys.executable, "-c", code, str(path)]


@contextmanager
def holding(code: str, path: Path) -> Iterator[int]:
    """A process, by its number, that has the lock to the end of the context."""
    process = subprocess.Popen(command(code, path), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with process:
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == b"held\n"
            yield process.pid
        finally:
            process.kill()


def stop(pid: int) -> None:
    """Has a child stand still; returns when it does."""
    os.kill(pid, signal.SIGSTOP)
    os.waitid(os.P_PID, pid, os.WSTOPPED | os.WNOWAIT)

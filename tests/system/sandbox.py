"""
Runs a command under what of a systemd unit's sandbox needs no systemd: its filter of system calls, and the ban on
memory that is both written and executed.

`python -m tests.system.sandbox UNIT COMMAND...`
"""

import ctypes
import errno
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

_ALLOW = 0x7FFF0000
_ERRNO = 0x00050000
_PR_SET_MDWE = 65
_PR_MDWE_REFUSE_EXEC_GAIN = 1


def enter(unit: str) -> None:
    """Puts this process, and all that it becomes or starts, under the unit's restrictions. Raises OSError."""
    if "MemoryDenyWriteExecute=yes" in unit:
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(_PR_SET_MDWE, _PR_MDWE_REFUSE_EXEC_GAIN, 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "no MemoryDenyWriteExecute on this kernel")
    seccomp = ctypes.CDLL("libseccomp.so.2")
    seccomp.seccomp_init.restype = ctypes.c_void_p
    context = ctypes.c_void_p(seccomp.seccomp_init(_ERRNO | errno.EPERM))
    for name in sorted(allowed_calls(unit)):
        number = seccomp.seccomp_syscall_resolve_name(name.encode())
        # Calls that this architecture does not have resolve to something below zero.
        if number >= 0 and (failed := seccomp.seccomp_rule_add(context, _ALLOW, number, 0)):
            raise OSError(-failed, f"no rule for {name}")
    if failed := seccomp.seccomp_load(context):
        raise OSError(-failed, "no filter")


def allowed_calls(unit: str) -> set[str]:
    """What `SystemCallFilter=` leaves."""
    allowed: set[str] = set()
    for line in re.findall(r"^SystemCallFilter=(.*)$", unit, re.MULTILINE):
        calls = {call for name in line.removeprefix("~").split() for call in _calls(name)}
        allowed = allowed - calls if line.startswith("~") else allowed | calls
    return allowed


def _calls(name: str) -> Iterator[str]:
    """The calls of a set such as `@system-service`, or the one call that `name` is."""
    if not name.startswith("@"):
        yield name
        return
    for member in _members(name):
        yield from _calls(member)


@cache
def _members(name: str) -> tuple[str, ...]:
    listed = subprocess.run(
        ["systemd-analyze", "syscall-filter", name],  # noqa: S607 - wherever it is
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    lines = [line.strip() for line in listed.splitlines()[1:]]
    return tuple(line for line in lines if line and not line.startswith("#"))


if __name__ == "__main__":
    enter(Path(sys.argv[1]).read_text())
    os.execvp(sys.argv[2], sys.argv[2:])  # noqa: S606 - the command that was asked for

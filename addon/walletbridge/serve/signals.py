"""
Handles signals from the start of a process until its event loop takes them over.

The first process of a container has no default actions: the kernel drops a signal without a handler. Only the
interpreter's own start remains uncovered; an init in front (`docker run --init`) covers that, too.
"""

import os
import signal
from types import FrameType

SERVING = frozenset({"demo-wallet", "serve", "tui", "web"})
"""Commands that run until a signal ends them."""
ENDED_BY_SIGTERM = 128 + signal.SIGTERM
"""The exit code, as in shells, of a command that SIGTERM stopped before its work was done."""


def handle_from_the_start(command: str) -> None:
    """
    From now on SIGTERM ends the process. A command in SERVING ends with exit code 0, as while it serves.

    `serve` also ignores SIGHUP, which would end it during its start.
    """
    if command not in SERVING:
        signal.signal(signal.SIGTERM, _give_up)
        return
    signal.signal(signal.SIGTERM, _end)
    if command == "serve":
        signal.signal(signal.SIGHUP, signal.SIG_IGN)


def ignore_further() -> None:
    """Ignores SIGTERM at the end: a second one would kill the ending process and change its exit code."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)


def _end(number: int, frame: FrameType | None) -> None:
    """Exits at once: no work has begun. An exception might be lost in a running import."""
    del number, frame
    os._exit(0)


def _give_up(number: int, frame: FrameType | None) -> None:
    """Raises the exception that lets the command clean up."""
    del frame
    _GIVEN_UP.add(number)
    raise SystemExit(ENDED_BY_SIGTERM)


def code_of(code: object) -> object:
    """
    The exit code of a process that is to end with `code`. A running import, or a destructor, may have swallowed the
    exception; then the command has gone on, and must still report that it was stopped.
    """
    return ENDED_BY_SIGTERM if _GIVEN_UP and not code else code


_GIVEN_UP: set[int] = set()
"""The signals that stopped this command."""

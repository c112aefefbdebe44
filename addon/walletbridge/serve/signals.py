"""
Signals from the first moment of a process on, until its event loop takes them over.

The first process of a container has no default actions: the kernel throws away a signal that nobody handles. Only what
the interpreter needs before its first line of ours remains; an init in front (`docker run --init`) covers that, too.
"""

import os
import signal
from types import FrameType

SERVING = frozenset({"demo-wallet", "serve", "tui", "web"})
"""Commands that run until a signal ends them."""
ENDED_BY_SIGTERM = 128 + signal.SIGTERM
"""The exit code, as shells have it, of what has not done its work."""


def handle_from_the_start(command: str) -> None:
    """
    From here on SIGTERM ends the process: one that is about to serve with exit code 0, as when it serves.

    One that serves is not ended by SIGHUP either, which would cut off what it is about to begin.
    """
    if command not in SERVING:
        signal.signal(signal.SIGTERM, _give_up)
        return
    signal.signal(signal.SIGTERM, _end)
    if command == "serve":
        signal.signal(signal.SIGHUP, signal.SIG_IGN)


def ignore_further() -> None:
    """For the end: a SIGTERM that comes twice must not kill what ends by itself, or the exit code would say so."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)


def _end(number: int, frame: FrameType | None) -> None:
    """Nothing was begun yet that could be ended better. An exception might be lost in whatever is being imported."""
    del number, frame
    os._exit(0)


def _give_up(number: int, frame: FrameType | None) -> None:
    """Cleans up, which needs the exception."""
    del frame
    _GIVEN_UP.add(number)
    raise SystemExit(ENDED_BY_SIGTERM)


def code_of(code: object) -> object:
    """
    The exit code of a process that wants to end with `code`. What was being imported, or a destructor, may have
    swallowed the exception; then the command has gone on, and must not end as if nobody had asked it to give up.
    """
    return ENDED_BY_SIGTERM if _GIVEN_UP and not code else code


_GIVEN_UP: set[int] = set()
"""The signals at which this process was to give up."""

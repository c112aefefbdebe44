"""What the system tests share."""

import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.processes import environment

SECONDS = 60
"""How long it may take until the first callbacks are to be seen, on a machine that does other work at the same time."""
POLL_SECONDS = 0.1
_NEVER = threading.Event()
"""What is on a screen, nobody announces."""


def until[T](condition: Callable[[], T], *, seconds: float = SECONDS) -> T:
    """Waits until `condition()` is true and returns it; raises TimeoutError where it does not get so in time."""
    ends_at = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > ends_at:
            raise TimeoutError("what was waited for did not come")
        _NEVER.wait(POLL_SECONDS)
    return value


@contextmanager
def running(folder: Path, *arguments: str, prints: str, token: str | None = None) -> Iterator[str]:
    """A `walletbridge` command until it is ended by SIGTERM; yields what the pattern `prints` finds in its output."""
    output = folder / f"{arguments[0]}.txt"
    with output.open("wb") as stdout:
        process = subprocess.Popen(
            [sys.executable, "-m", "walletbridge", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=subprocess.STDOUT,
            env=environment(folder, token=token),
        )
    try:
        yield until(lambda: "".join(re.findall(prints, output.read_text())), seconds=60)
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0

"""
Writes lines in a thread of its own, so that a slow reader of the log never holds up an answer.
"""

import threading
from collections import deque
from typing import TextIO


class LineWriter:
    """
    A bounded queue in front of a stream. When it is full, lines are dropped and counted, and the loss is written down.
    """

    def __init__(self, stream: TextIO, *, lines_max: int) -> None:
        self._stream = stream
        self._lines_max = lines_max
        self._lines: deque[str] = deque()
        self._dropped = 0
        self._closed = False
        self._wake = threading.Event()
        self._thread = threading.Thread(target=self._run, name="log writer", daemon=True)
        self._thread.start()

    def write(self, line: str) -> None:
        """Takes a line without its end. Never waits, never raises."""
        if len(self._lines) >= self._lines_max:
            self._dropped += 1
            return
        self._lines.append(line)
        if not self._wake.is_set():
            self._wake.set()

    def close(self, *, seconds: float = 1.0) -> None:
        """Writes what is queued, as far as the stream takes it within `seconds`."""
        self._closed = True
        self._wake.set()
        self._thread.join(seconds)

    def _run(self) -> None:
        while not self._closed or self._lines:
            self._wake.wait()
            self._wake.clear()
            while self._lines:
                # Taken one by one from the left: the deque is safe to append to meanwhile.
                batch = [self._lines.popleft() for _ in range(len(self._lines))]
                if self._dropped:
                    batch.append(f"{self._dropped} lines of log were dropped: the reader is too slow")
                    self._dropped = 0
                if not self._write("".join(f"{line}\n" for line in batch)):
                    return

    def _write(self, text: str) -> bool:
        try:
            self._stream.write(text)
            self._stream.flush()
        except (OSError, ValueError):
            # The stream is gone (a closed pipe, a closed file). Answers matter more than lines.
            return False
        return True

"""
Writes lines in its own thread, so that a slow reader of the log never delays an answer.
"""

import threading
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from io import RawIOBase

AGAIN_SECONDS = 1.0
"""Pause between two tries to write to a failing stream."""
GATHER_SECONDS = 0.05
"""How long a line may wait, so that others are written with it."""


READER_SLOW = "the reader is too slow"
NOT_WRITABLE = "the log could not be written"


def _tell_loss(lines: int, problem: str) -> str:
    return f"{lines} lines of log were dropped: {problem}"


class LineWriter:
    """
    A bounded queue in front of a stream. A full queue drops and counts lines, and writes a line about the loss.

    A stream that fails, as on a full disk, is tried again; queued lines wait meanwhile.
    """

    def __init__(self, stream: TextIO, *, lines_max: int, tell_loss: Callable[[int, str], str] = _tell_loss) -> None:
        """`tell_loss` makes the line about the loss from the number of dropped lines and the reason."""
        self._stream = stream
        self._lines_max = lines_max
        self._tell_loss = tell_loss
        self._lines: deque[str] = deque()
        self._dropped = 0
        self._has_failed = False
        """Whether a write has failed since the last batch was taken."""
        self.lost = 0
        """How many lines were dropped so far."""
        buffer = getattr(stream, "buffer", None)
        self._raw: RawIOBase | None = getattr(buffer, "raw", None)
        """The unbuffered file of the stream, if there is one."""
        self._rest = b""
        """The unwritten part of the lines that are tried again."""
        self._closing = threading.Event()
        self._wake = threading.Event()
        self._thread = threading.Thread(target=self._run, name="log writer", daemon=True)
        self._thread.start()

    def write(self, line: str) -> None:
        """Takes a line without its end. Never waits, never raises."""
        if len(self._lines) >= self._lines_max:
            self._dropped += 1
            self.lost += 1
            return
        self._lines.append(line)
        if not self._wake.is_set():
            self._wake.set()

    def close(self, *, seconds: float = 1.0) -> None:
        """Writes the queued lines, as far as the stream takes them within `seconds`."""
        self._closing.set()
        self._wake.set()
        self._thread.join(seconds)

    def _run(self) -> None:
        while not self._closing.is_set() or self._lines:
            self._wake.wait()
            # Under load one wake-up serves many lines: a wake-up for each would cost more than the line.
            self._closing.wait(GATHER_SECONDS)
            self._wake.clear()
            while self._lines:
                # Pop one by one from the left: other threads may append to the deque meanwhile.
                batch = [self._lines.popleft() for _ in range(len(self._lines))]
                dropped, self._dropped = self._dropped, 0
                if dropped:
                    batch.append(self._tell_loss(dropped, NOT_WRITABLE if self._has_failed else READER_SLOW))
                self._has_failed = False
                while not self._write("".join(f"{line}\n" for line in batch)):
                    self._has_failed = True
                    if self._closing.is_set():
                        return
                    self._closing.wait(AGAIN_SECONDS)

    def _write(self, text: str) -> bool:
        try:
            if self._raw is not None:
                self._write_raw(text.encode(self._stream.encoding or "utf-8", "backslashreplace"))
                return True
            self._stream.write(text)
            self._stream.flush()
        except UnicodeEncodeError:
            # The stream's encoding lacks a character: an account may be in any script.
            return self._write(text.encode("ascii", "backslashreplace").decode("ascii"))
        except (OSError, ValueError):
            # A full disk, a closed pipe, a closed file: answers matter more than log lines.
            return False
        return True

    def _write_raw(self, data: bytes) -> None:
        """
        Bypasses the stream's own buffer, which would keep failed data and write it once more later.

        After a partial write, only the rest is tried again.
        """
        if self._rest:
            data = self._rest
        view = memoryview(data)
        try:
            while view:
                view = view[self._raw.write(view) or 0 :]  # type: ignore[union-attr]
        finally:
            # Empty after a full write.
            self._rest = bytes(view)

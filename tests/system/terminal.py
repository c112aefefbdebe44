"""A terminal for programs that draw. Needs tmux."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

COLUMNS, LINES = 120, 40


class Terminal:
    """A terminal of its own in which one command runs."""

    def __init__(self, folder: Path, columns: int, lines: int) -> None:
        self.columns = columns
        self._size = ("-x", str(columns), "-y", str(lines))
        self._tmux = [str(shutil.which("tmux")), "-S", str(folder / "tmux"), "-f", "/dev/null"]

    def run(self, command: str) -> None:
        """Starts the terminal with a command in it, and stays open after its end."""
        subprocess.run(
            [*self._tmux, "new-session", "-d", *self._size, f"{command}; echo exit code $?; sleep 100"], check=True
        )

    def press(self, key: str) -> None:
        """A key, by tmux's name for it."""
        subprocess.run([*self._tmux, "send-keys", key], check=True)

    def type(self, text: str) -> None:
        """Letters, as they are."""
        subprocess.run([*self._tmux, "send-keys", "-l", text], check=True)

    def colors(self) -> str:
        """What is on the screen, with its colours as a terminal is told of them."""
        command = [*self._tmux, "capture-pane", "-e", "-p"]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def text(self) -> str:
        """What is on the screen."""
        return subprocess.run([*self._tmux, "capture-pane", "-p"], check=True, capture_output=True, text=True).stdout

    def close(self) -> None:
        """Ends it with all that runs in it."""
        subprocess.run([*self._tmux, "kill-server"], check=False)


@contextmanager
def opened(folder: Path, *, columns: int = COLUMNS, lines: int = LINES) -> Iterator[Terminal]:
    """A terminal of that size."""
    terminal = Terminal(folder, columns, lines)
    try:
        yield terminal
    finally:
        terminal.close()

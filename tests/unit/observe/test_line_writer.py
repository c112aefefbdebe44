"""Lines go out in order, from a thread, and never hold up whoever writes them."""

import errno
import io
import json
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from walletbridge.observe import line_writer
from walletbridge.observe.line_writer import LineWriter

TIMEOUT = 10.0


class Blocked(io.StringIO):
    """A stream whose reader has stopped reading."""

    def __init__(self) -> None:
        super().__init__()
        self.entered = threading.Event()
        self.go_on = threading.Event()

    def write(self, text: str) -> int:
        self.entered.set()
        assert self.go_on.wait(TIMEOUT)
        return super().write(text)


@pytest.fixture
def blocked() -> Iterator[Blocked]:
    stream = Blocked()
    yield stream
    stream.go_on.set()


def test_lines_are_written_in_their_order() -> None:
    stream = io.StringIO()
    writer = LineWriter(stream, lines_max=10_000)
    for number in range(1000):
        writer.write(f"line {number}")
    writer.close()

    assert stream.getvalue().splitlines() == [f"line {number}" for number in range(1000)]


def test_a_line_goes_out_without_waiting_for_the_next() -> None:
    written = threading.Event()

    class Announcing(io.StringIO):
        def flush(self) -> None:
            written.set()

    stream = Announcing()
    writer = LineWriter(stream, lines_max=10)
    for line in ("one", "two"):
        written.clear()
        writer.write(line)
        assert written.wait(TIMEOUT)
        assert stream.getvalue().endswith(f"{line}\n")
    writer.close()


def test_a_blocked_stream_blocks_nobody(blocked: Blocked) -> None:
    writer = LineWriter(blocked, lines_max=1000)
    writer.write("first")
    assert blocked.entered.wait(TIMEOUT)

    started = time.monotonic()
    for number in range(5000):
        writer.write(f"line {number}")
    assert time.monotonic() - started < 1.0

    started = time.monotonic()
    writer.close(seconds=0.05)
    assert time.monotonic() - started < 1.0
    assert blocked.getvalue() == ""


def test_dropped_lines_are_counted_where_they_are_missing(blocked: Blocked) -> None:
    writer = LineWriter(blocked, lines_max=3)
    writer.write("first")
    assert blocked.entered.wait(TIMEOUT)
    for number in range(3 + 39):
        writer.write(f"kept {number}")
    blocked.go_on.set()
    writer.close(seconds=TIMEOUT)

    assert blocked.getvalue().splitlines() == [
        "first",
        "kept 0",
        "kept 1",
        "kept 2",
        "39 lines of log were dropped: the reader is too slow",
    ]


def test_a_loss_may_be_told_in_the_log_s_own_form(blocked: Blocked) -> None:
    writer = LineWriter(blocked, lines_max=1, tell_loss=lambda lines, _: f"lost {lines}")
    writer.write("first")
    assert blocked.entered.wait(TIMEOUT)
    for line in ("kept", "dropped", "dropped"):
        writer.write(line)
    blocked.go_on.set()
    writer.close(seconds=TIMEOUT)

    assert blocked.getvalue().splitlines() == ["first", "kept", "lost 2"]


def test_a_loss_is_told_once(blocked: Blocked) -> None:
    writer = LineWriter(blocked, lines_max=1)
    writer.write("first")
    assert blocked.entered.wait(TIMEOUT)
    for line in ("second", "dropped"):
        writer.write(line)
    blocked.go_on.set()
    while not blocked.getvalue().endswith("slow\n"):
        threading.Event().wait(0.001)
    writer.write("last")
    writer.close()

    assert blocked.getvalue().splitlines()[2:] == ["1 lines of log were dropped: the reader is too slow", "last"]


def test_no_line_is_lost_uncounted() -> None:
    """However the two threads get into each other's way."""
    stream = io.StringIO()
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    writer = LineWriter(stream, lines_max=1)
    for _ in range(30_000):
        writer.write("line")
    sys.setswitchinterval(interval)
    writer.close(seconds=TIMEOUT)

    lines = stream.getvalue().splitlines()
    dropped = [int(found[1]) for line in lines if (found := re.fullmatch(r"(\d+) lines of log .*", line))]
    assert lines.count("line") + sum(dropped) == 30_000


def test_closing_writes_what_is_queued(blocked: Blocked) -> None:
    writer = LineWriter(blocked, lines_max=100)
    for number in range(50):
        writer.write(f"line {number}")
    blocked.go_on.set()
    writer.close(seconds=TIMEOUT)

    assert blocked.getvalue().count("\n") == 50


@pytest.mark.parametrize("error", [BrokenPipeError(), OSError("disk full"), ValueError("I/O operation on closed file")])
def test_a_stream_that_is_gone_is_nobody_s_fault(error: Exception) -> None:
    class Gone(io.StringIO):
        def write(self, _: str) -> int:
            raise error

    writer = LineWriter(Gone(), lines_max=5)
    for number in range(100):
        writer.write(f"line {number}")
    writer.close()
    writer.write("one more")

    assert len(writer._lines) <= 5


def test_a_character_that_the_stream_cannot_hold_costs_neither_its_line_nor_those_after() -> None:
    raw = io.BytesIO()
    writer = LineWriter(io.TextIOWrapper(raw, encoding="ascii", write_through=True), lines_max=10)
    writer.write("Zoë \udc80")
    writer.write("after")
    writer.close()

    assert raw.getvalue() == b"Zo\\xeb \\udc80\nafter\n"


def test_a_writer_does_not_keep_its_process_alive() -> None:
    stream = io.StringIO()
    writer = LineWriter(stream, lines_max=1)

    assert writer._thread.daemon
    writer.close()
    assert not writer._thread.is_alive()


class Disk(io.RawIOBase):
    """A file on a disk that may be full: it takes what fits, and then refuses."""

    def __init__(self) -> None:
        self.room = 0
        self.content = b""
        self.refused = threading.Event()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        taken = bytes(data)[: self.room]
        if not taken:
            self.refused.set()
            raise OSError(errno.ENOSPC, "No space left on device")
        self.room -= len(taken)
        self.content += taken
        return len(taken)


def test_after_a_full_disk_every_line_that_found_a_place_is_there_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line_writer, "AGAIN_SECONDS", 0.01)
    disk = Disk()
    disk.room = 5
    writer = LineWriter(io.TextIOWrapper(io.BufferedWriter(disk)), lines_max=10)
    for number in range(3):
        writer.write(f"line {number}")
    assert disk.refused.wait(TIMEOUT)
    for number in range(3, 30):
        writer.write(f"line {number}")
    lost = writer.lost
    disk.room = 1_000_000
    writer.close(seconds=TIMEOUT)

    # What was tried while the disk was full comes first, then the word of what found no place, then the rest.
    text = disk.content.decode().splitlines()
    told = [line for line in text if line == f"{lost} lines of log were dropped: the log could not be written"]
    lines = [line for line in text if line.startswith("line ")]
    assert lost
    assert len(told) == 1
    assert lines == [f"line {number}" for number in range(30 - lost)]
    assert len(text) == len(lines) + 1


FULL_DISK = """
import resource, signal, sys, threading
from walletbridge.observe import line_writer
from walletbridge.observe.log import open_log

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
line_writer.AGAIN_SECONDS = 0.01
refused = threading.Event()
write = line_writer.LineWriter._write

def watched(self, text):
    is_written = write(self, text)
    if not is_written:
        refused.set()
    return is_written

line_writer.LineWriter._write = watched
_, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
log = open_log(lines_max=5, stream=open(sys.argv[1], "w"))
log.event("first", text="x" * 200)
assert refused.wait(10)
for number in range(30):
    log.event("line", number=number)
lost = log.lines_lost
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
log._writer.close(seconds=10)
print(lost)
"""


def test_after_a_file_that_could_not_grow_the_log_says_so(tmp_path: Path) -> None:
    path = tmp_path / "log"
    command = [sys.executable, "-c", FULL_DISK, str(path)]
    lost = int(subprocess.run(command, check=True, capture_output=True, timeout=60).stdout)
    lines = [json.loads(line) for line in path.read_text().splitlines()]

    assert lost == 25
    assert [line for line in lines if line["event"] == "lines of log dropped"] == [
        {
            "event": "lines of log dropped",
            "level": "warning",
            "lines": lost,
            "problem": "the log could not be written",
        }
    ]
    assert [line["number"] for line in lines if line["event"] == "line"] == list(range(5))

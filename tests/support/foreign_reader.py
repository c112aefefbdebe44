"""Another program that reads the journal and does not end its read, as a shell that somebody has left open."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_READ = """
import apsw, sys
db = apsw.Connection(sys.argv[1])
db.execute("BEGIN")
db.execute("SELECT count(*) FROM transactions").get
print("reads", flush=True)
sys.stdin.read()
"""


@contextmanager
def foreign_reader(path: Path) -> Iterator[int]:
    """A process, by its number, that has begun to read and does so to the end of the context."""
    process = subprocess.Popen([sys.executable, "-c", _READ, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == b"reads\n"
            yield process.pid
        finally:
            process.stdin.close()

"""The memory of several workers: each with its own part, readable by all, none of it lost with a worker."""

import os
import subprocess
import sys

import pytest

from walletbridge.gateway.shared_memory import VERSION, SharedMemory

KEY = ("test1234", "1")
CHILD = """
import sys
from walletbridge.gateway.shared_memory import SharedMemory
share = SharedMemory(int(sys.argv[1]), 3).share(1)
share.part.add("a_total")
share.part.set("in_flight", 1)
share.changes.begin(("test1234", "1"))
sys.stdout.write("begun\\n"); sys.stdout.flush()
sys.stdin.read()
"""


def test_a_part_belongs_to_one_worker_and_is_read_by_all() -> None:
    memory = SharedMemory.create(2)
    memory.share(0).part.add("a_total")
    memory.share(1).part.add("a_total")

    assert dict(memory.part(0).read())["a_total",] == 1
    assert dict(SharedMemory(os.dup(memory.file), 2).part(1).read())["a_total",] == 1


def test_a_cancel_in_another_process_is_seen_at_once_and_ends_with_it() -> None:
    memory = SharedMemory.create(3)
    changes = memory.share(0).changes
    before = changes.reading(KEY)
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(memory.file)],
        pass_fds=[memory.file],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"begun\n"
        assert changes.reading(KEY) is None
        child.kill()

    assert changes.reading(KEY) is None
    memory.end(1)

    # Whatever was known before is worthless, and can be asked anew.
    assert changes.reading(KEY) not in {None, before}
    assert dict(memory.part(1).read())["a_total",] == 1
    assert dict(memory.part(1).read())["in_flight",] == 0


def test_memory_of_another_version_is_refused() -> None:
    memory = SharedMemory.create(1)
    os.pwrite(memory.file, b"walletbridge 0\n", 0)

    with pytest.raises(ValueError, match="of another version; restart the gateway"):
        SharedMemory(memory.file, 1)
    assert len(VERSION) == len(b"walletbridge 0\n")

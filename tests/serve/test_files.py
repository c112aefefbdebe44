"""How many files may be open."""

import asyncio
import sys

PROGRAM = """
import resource
from walletbridge.serve.files import allow_open_files
resource.setrlimit(resource.RLIMIT_NOFILE, (100, 200))
print(allow_open_files(50), allow_open_files(150), allow_open_files(10_000))
"""


async def test_as_many_as_are_wanted_and_allowed() -> None:
    """In a process of its own: a limit is not raised again."""
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", PROGRAM, stdout=asyncio.subprocess.PIPE)
    output, _ = await process.communicate()

    assert output == b"100 150 200\n"

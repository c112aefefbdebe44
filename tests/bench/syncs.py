"""
Counts how often a process makes the disk write what it has, as `strace` sees it.
"""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

_CALL = re.compile(r"\bf(?:data)?sync\(")
"""Of a call that another thread interrupts strace writes two lines, and only the first has the bracket."""
_ATTACH_SECONDS = 10.0


@dataclass(slots=True)
class Count:
    """How many there were, once it is over."""

    syncs: int = 0


@asynccontextmanager
async def counted(pid: int) -> AsyncIterator[Count]:
    """
    Counts as long as the context lasts. The process is slower meanwhile.

    Raises RuntimeError where strace is missing or may not look at the process.
    """
    with TemporaryDirectory(prefix="walletbridge-syncs-") as folder:
        output = Path(folder) / "syncs"
        command = ("strace", "-f", "-e", "trace=fsync,fdatasync", "-o", str(output), "-p", str(pid))
        try:
            strace = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE)
        except FileNotFoundError:
            raise RuntimeError("strace is not installed") from None
        count = Count()
        try:
            await _attached(strace)
            yield count
        finally:
            if strace.returncode is None:
                strace.terminate()
            await strace.communicate()
        count.syncs = len(_CALL.findall(output.read_text()))


async def _attached(strace: asyncio.subprocess.Process) -> None:
    """It says so in its first line, or why not."""
    if strace.stderr is None:
        raise RuntimeError("strace was started without a pipe")
    line = await asyncio.wait_for(strace.stderr.readline(), _ATTACH_SECONDS)
    if b"attached" not in line:
        raise RuntimeError(f"strace says: {line.decode(errors='replace').strip()}")

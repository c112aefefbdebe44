"""How many files may be open."""

import asyncio
import resource
import sys

import pytest

from walletbridge.serve.open_files import BESIDE_CONNECTIONS, BESIDE_CONNECTIONS_MIN, fitting
from walletbridge.settings import Limits

PROGRAM = """
import resource
from walletbridge.serve.open_files import allow_open_files
resource.setrlimit(resource.RLIMIT_NOFILE, (100, 200))
print(allow_open_files(50), allow_open_files(150), allow_open_files(10_000))
"""


async def test_as_many_as_are_wanted_and_allowed() -> None:
    """In a process of its own: a limit is not raised again."""
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", PROGRAM, stdout=asyncio.subprocess.PIPE)
    output, _ = await process.communicate()

    assert output == b"100 150 200\n"


def test_limits_that_the_system_allows_stay_as_they_are() -> None:
    limits = Limits(connections=1000, upstream_requests=100)

    assert fitting(limits, open_files=1000 + BESIDE_CONNECTIONS, has_upstream=False) == limits
    assert fitting(limits, open_files=1100 + BESIDE_CONNECTIONS, has_upstream=True) == limits
    assert fitting(limits, open_files=resource.RLIM_INFINITY, has_upstream=True) == limits


@pytest.mark.parametrize("has_upstream", [False, True])
@pytest.mark.parametrize("open_files", [80, 128, 256, 1024, 4096, 10_000])
def test_limits_that_the_system_does_not_allow_are_lowered(open_files: int, *, has_upstream: bool) -> None:
    fitted = fitting(Limits(connections=10_000), open_files=open_files, has_upstream=has_upstream)
    taken = fitted.connections + (fitted.upstream_requests if has_upstream else 0)

    assert fitted.connections >= 1
    assert fitted.connections_per_address <= fitted.connections
    assert open_files - taken >= BESIDE_CONNECTIONS_MIN

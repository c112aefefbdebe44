"""
For how long processes wanted to run and had no core: a busy machine is not the gateway's fault. Linux.
"""

from collections.abc import Collection
from pathlib import Path

_NANOSECONDS = 1e9


class Cores:
    """Watches the main threads of some processes from now on."""

    def __init__(self, pids: Collection[int]) -> None:
        self._before = {pid: _waited(pid) for pid in pids}

    def waited(self) -> float:
        """Seconds for which the one that had to wait longest has waited."""
        return max((_waited(pid) - before for pid, before in self._before.items()), default=0.0)


def _waited(pid: int) -> float:
    """0 where nobody counts."""
    try:
        _, waited, _ = (Path("/proc") / str(pid) / "schedstat").read_text().split()
    except (OSError, ValueError):
        return 0.0
    return int(waited) / _NANOSECONDS

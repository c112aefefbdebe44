"""
Fits the limits of connections to the files that the process may have open.
"""

import resource
from contextlib import suppress

from msgspec.structs import replace

from walletbridge.settings import Limits

BESIDE_CONNECTIONS = 200
"""Files for other uses: the journal, the wallet's channel, the log, the admin endpoint, Python itself."""
BESIDE_CONNECTIONS_MIN = 64
"""Kept back if the system allows few. With less, connections could keep the wallet or the journal from opening."""
UPSTREAM_PART = 4
"""One in this many files is for connections to the upstream, if the system allows too few for the limits."""


def fitting(limits: Limits, *, open_files: int, has_upstream: bool) -> Limits:
    """`limits` with no more connections than `open_files` allow, and enough files kept back for other uses."""
    wanted = limits.connections + (limits.upstream_requests if has_upstream else 0)
    if open_files == resource.RLIM_INFINITY or wanted + BESIDE_CONNECTIONS <= open_files:
        return limits
    kept = max(BESIDE_CONNECTIONS_MIN, min(BESIDE_CONNECTIONS, open_files // 4))
    left = max(2, open_files - kept)
    upstream = min(limits.upstream_requests, left // UPSTREAM_PART) if has_upstream else limits.upstream_requests
    connections = min(limits.connections, left - upstream if has_upstream else left)
    return replace(
        limits,
        connections=connections,
        connections_per_address=min(limits.connections_per_address, connections),
        upstream_requests=max(1, upstream),
    )


def allow_open_files(wanted: int) -> int:
    """Raises the soft limit to `wanted`, or as far as the hard limit allows; returns the new soft limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return soft
    raised = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (raised, hard))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]

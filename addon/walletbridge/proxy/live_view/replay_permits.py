"""
The replays that a person has permitted: each once, for a limited time, and with the body that was shown.
"""

import hashlib
from collections.abc import Callable
from typing import NamedTuple

from mitmproxy.http import HTTPFlow

SECONDS = 60.0
"""Seconds for which a permit is valid."""
PERMITS_MAX = 100


class _Permit(NamedTuple):
    body: bytes
    ends_at: float


class Permits:
    """Permits by the flow's id."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._permits: dict[str, _Permit] = {}

    def give(self, flow: HTTPFlow) -> None:
        """Permits one replay of the flow in its current form."""
        while len(self._permits) >= PERMITS_MAX:
            del self._permits[next(iter(self._permits))]
        self._permits[flow.id] = _Permit(_digest(flow), self._clock() + SECONDS)

    def take(self, flow: HTTPFlow) -> bool:
        """Whether this replay is permitted. Uses up the permit."""
        permit = self._permits.pop(flow.id, None)
        return permit is not None and self._clock() < permit.ends_at and permit.body == _digest(flow)


def _digest(flow: HTTPFlow) -> bytes:
    return hashlib.sha256(flow.request.raw_content or b"").digest()

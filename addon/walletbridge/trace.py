"""
What came of one callback, noted on its way through the gateway, for the log and for people who watch.
"""

from dataclasses import dataclass
from enum import StrEnum

from walletbridge.callbacks import Callback


class CacheUse(StrEnum):
    """What the status cache did for a question."""

    HIT = "hit"
    MISS = "miss"
    JOINED = "joined"
    """Shared the wallet call of an equal question in flight."""
    BYPASSED = "bypassed"
    """Asks for a check that the cache cannot answer."""


@dataclass(slots=True)
class Trace:
    """Filled in by whoever does a step; read once the answer is made. Decides nothing."""

    callback: Callback | None = None
    """None while, or because, the body could not be read as a callback."""
    wallet_method: str = ""
    """The full name of the gRPC method; empty where the wallet was not called."""
    grpc_status: str = ""
    """The name of the last call's status, such as `OK` or `DEADLINE_EXCEEDED`."""
    tries: int = 0
    """How many times the call was sent."""
    wallet_seconds: float = 0.0
    cache: CacheUse | None = None
    reason: str = ""
    """Why the answer is what it is, where its result code does not say it."""

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
class WalletCall:
    """One gRPC call as it was sent, for people who watch."""

    method: str
    """The full name of the method."""
    request: object
    """The message, as the wallet's proto has it."""
    response: bytes | None = None
    """As it came; None where there was none."""
    status: str = ""
    """The name of the gRPC status; empty while there is none."""
    details: str = ""
    """What the wallet said beside a status that is not OK."""
    seconds: float = 0.0


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
    calls: list[WalletCall] | None = None
    """Each call that was sent, in order; None where nobody watches, so that keeping them costs nothing."""

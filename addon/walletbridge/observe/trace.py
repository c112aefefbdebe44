"""
Collects notes about one callback on its way through the gateway, for the log and the live view.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from walletbridge.protocol.callbacks import Callback
from walletbridge.protocol.claims import Claimed
from walletbridge.protocol.outcomes import Outcome
from walletbridge.rules.by_hand import Standing


class CacheUse(StrEnum):
    """How the status cache was used for a question."""

    HIT = "hit"
    MISS = "miss"
    JOINED = "joined"
    """Shared the wallet call of an equal question in flight."""
    BYPASSED = "bypassed"
    """The question has a check that the cache cannot answer."""


@dataclass(slots=True)
class WalletCall:
    """One gRPC call as it was sent, for the live view."""

    method: str
    """The full name of the method."""
    request: object
    """The message, of the wallet's proto."""
    response: bytes | None = None
    """The bytes of the reply; None if there was none."""
    status: str = ""
    """The name of the gRPC status; empty before the end of the call."""
    details: str = ""
    """The wallet's words beside a status other than OK."""
    seconds: float = 0.0
    metadata: tuple[tuple[str, str], ...] = ()
    """The names and values sent beside the message, for people to see; values from the environment are hidden."""
    response_type: object = None
    """The message type of `response`."""


@dataclass(slots=True)
class Trace:
    """Each step fills in its part; read once the answer is made. No decision uses it."""

    callback: Callback | None = None
    """None for an undecoded or invalid body."""
    wallet_method: str = ""
    """The full name of the gRPC method; empty if the wallet was not called."""
    grpc_status: str = ""
    """The name of the last call's status, such as `OK` or `DEADLINE_EXCEEDED`."""
    tries: int = 0
    """How often the call was sent."""
    wallet_seconds: float = 0.0
    cache: CacheUse | None = None
    reason: str = ""
    """The reason for the answer, if its result code does not show it."""
    place: str = ""
    """The JSON path of the mistake in an invalid body."""
    outcome: Outcome | None = None
    """None if unknown or never determined."""
    budget: float = 0.0
    """Seconds from the arrival to the deadline of the wallet call; 0 for a request that never got so far."""
    turn_seconds: float = 0.0
    """Seconds of waiting for an earlier call of the same transaction."""
    journal_seconds: float = 0.0
    standing: Standing | None = None
    """The transaction's standing after the answer; for the live view alone."""
    client: str = ""
    """The sender's address, behind trusted proxies; empty if the request did not come from outside."""
    forwarded: Sequence[bytes] = ()
    """The values of the request's X-Forwarded-For headers."""
    claimed: Claimed | None = None
    """The fields that could be read from an invalid body."""
    wallet_said: str = ""
    """The wallet's words beside a status other than OK, bounded, without secrets."""
    calls: list[WalletCall] | None = None
    """Each sent call, in order; None without a live view: nothing is kept."""

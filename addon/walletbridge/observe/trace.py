"""
What came of one callback, noted on its way through the gateway, for the log and for people who watch.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from walletbridge.protocol.callbacks import Callback
from walletbridge.protocol.claims import Claimed
from walletbridge.protocol.outcomes import Outcome
from walletbridge.rules.by_hand import Standing


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
    metadata: tuple[tuple[str, str], ...] = ()
    """Beside the message, by name; what came from the environment is hidden."""
    response_type: object = None
    """The message that `response` is one of."""
    """What was sent beside the message. Whoever notes it here leaves out secrets: people see it."""


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
    place: str = ""
    """The JSON path of the mistake in a body that is no callback."""
    outcome: Outcome | None = None
    """None where it is unknown, or nobody was asked."""
    budget: float = 0.0
    """Seconds from the arrival to the end of the wallet call; 0 for what never got so far."""
    turn_seconds: float = 0.0
    """How long an earlier call of the same transaction was waited for."""
    journal_seconds: float = 0.0
    standing: Standing | None = None
    """Of the transaction, once the answer is made; only noted for who watches."""
    client: str = ""
    """The address from which the request came, behind trusted proxies; empty for what did not come from outside."""
    forwarded: Sequence[bytes] = ()
    """The values of its X-Forwarded-For headers."""
    claimed: Claimed | None = None
    """What a body that is no callback says of itself."""
    wallet_said: str = ""
    """The wallet's own words beside a status that is not OK, bounded and without what is secret."""
    calls: list[WalletCall] | None = None
    """Each call that was sent, in order; None where nobody watches, so that keeping them costs nothing."""

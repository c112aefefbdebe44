"""
Between whom a conversation stands: the wire that carries it, and the lane, in which connections share who answers.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from walletbridge.gateway.gateway import Request
from walletbridge.gateway.running_gateway import Bridge
from walletbridge.observe.trace import Trace
from walletbridge.protocol.answers import Answer
from walletbridge.serve.lane.deadlines import CarriedPlace, Place
from walletbridge.serve.lane.heads import Head
from walletbridge.serve.lane.parser import Bounds
from walletbridge.serve.lane.refusals import Refused
from walletbridge.settings import Http2, Limits


@dataclass(slots=True, eq=False)
class Exchange:
    """A request, and its answer once there is one."""

    head: Head
    request: Request
    """Its `received_at` is when the first byte of the head came."""
    is_early: bool
    """Answered while its body is still to come."""
    trace: Trace
    answer: Answer | None = None
    """None until the gateway has answered, and where it could not."""


class Wire(Protocol):
    """What carries the conversation."""

    def send(self, data: bytes) -> bool:
        """To the client. False where it is known not to get there: the connection is closing already."""
        ...

    def close(self, *, half: bool) -> None:
        """Closes the connection, or our half of it. What was sent goes out first."""
        ...

    def confirm(self) -> None:
        """
        Finds out whether the client's system receives what was sent, tells `Conversation.confirmed`, not before this
        has returned, and closes the connection.
        """
        ...

    def ask(self, exchange: Exchange) -> None:
        """Has the exchange answered; then calls `Conversation.answered`, not before this has returned."""
        ...

    def hand_over(self, rest: bytes) -> None:
        """The connection is not for callbacks from here on. `rest`: what has come and was not read."""
        ...


class Lane(Protocol):
    """What connections share."""

    limits: Limits
    bounds: Bounds

    @property
    def clock(self) -> Callable[[], float]:
        """Seconds, as the gateway counts them."""
        ...

    @property
    def bridge(self) -> Bridge | None:
        """None before the gateway is up."""
        ...

    @property
    def is_draining(self) -> bool:
        """Whether the next callback has to find another door."""
        ...

    def is_callback(self, target: str) -> bool:
        """Whether a request target is the callback path."""
        ...

    def forgives(self, address: str, forwarded: Sequence[bytes]) -> bool:
        """Whether a wrong token of whoever stands behind `address` is answered; see `Gate`."""
        ...

    def prove(self, place: Place) -> None:
        """A connection has brought a right token."""
        ...

    def refused(self, refused: Refused) -> None:
        """A client was turned away."""
        ...

    def delivered(self, exchange: Exchange, *, sent: bool) -> None:
        """The answer of an exchange was sent, or its client had left. Raises nothing."""
        ...

    def failed(self, error: Exception) -> None:
        """A fault of ours. Raises nothing."""
        ...


class CarryingLane(Lane, Protocol):
    """A lane whose connections mitmproxy carries: with requests for other paths."""

    @property
    def http2(self) -> Http2 | None:
        """What a client may do that speaks HTTP/2; None where none may."""
        ...

    @property
    def has_upstream(self) -> bool:
        """Whether there is anybody to whom they go."""
        ...

    def enter_elsewhere(self, place: CarriedPlace) -> None:
        """A request for another path has come; `leave_elsewhere` follows. Raises Refused where it is one too many."""
        ...

    def leave_elsewhere(self, place: CarriedPlace) -> None:
        """It has ended."""
        ...

"""
The two interfaces that a conversation uses: `Wire` carries one connection, and all connections share `Lane`.
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
    """A request and, once the gateway has given it, its answer."""

    head: Head
    request: Request
    """`received_at` is the arrival time of the head's first byte; over HTTP/2, of the whole head."""
    is_early: bool
    """Whether it is answered without waiting for the rest of its body."""
    trace: Trace
    answer: Answer | None = None
    """None until the gateway has answered; stays None if the gateway is not up yet."""


class Wire(Protocol):
    """The connection that carries a conversation."""

    def send(self, data: bytes) -> bool:
        """Sends to the client. False if the bytes will not arrive, as the connection is already closing."""
        ...

    def close(self, *, half: bool) -> None:
        """Closes the connection, or with `half` only our sending side. Bytes that were sent before go out first."""
        ...

    def confirm(self) -> None:
        """
        Finds out whether the client's system receives the sent bytes. Calls `Conversation.confirmed`, never before this
        method has returned, and closes the connection.
        """
        ...

    def ask(self, exchange: Exchange) -> None:
        """Has the exchange answered. Calls `Conversation.answered`, never before this method has returned."""
        ...

    def hand_over(self, rest: bytes) -> None:
        """Takes over a connection whose next request is not a callback. `rest`: received bytes that are not parsed."""
        ...


class Lane(Protocol):
    """State that all connections share."""

    limits: Limits
    bounds: Bounds

    @property
    def clock(self) -> Callable[[], float]:
        """The gateway's clock, in seconds."""
        ...

    @property
    def bridge(self) -> Bridge | None:
        """The gateway; None before it is up."""
        ...

    @property
    def is_draining(self) -> bool:
        """Whether the gateway is stopping, so that each answer closes its connection."""
        ...

    def is_callback(self, target: str) -> bool:
        """Whether a request target names the callback path."""
        ...

    def forgives(self, address: str, forwarded: Sequence[bytes]) -> bool:
        """Whether a wrong token from the client behind `address` is answered; see `Gate.forgives`."""
        ...

    def prove(self, place: Place) -> None:
        """Records that a connection has sent an accepted token."""
        ...

    def refused(self, refused: Refused) -> None:
        """Counts a refused client."""
        ...

    def delivered(self, exchange: Exchange, *, sent: bool) -> None:
        """Records that the answer was sent, or that its client had left. Raises nothing."""
        ...

    def failed(self, error: Exception) -> None:
        """Logs an internal error. Raises nothing."""
        ...


class CarryingLane(Lane, Protocol):
    """A lane whose connections mitmproxy carries, with requests for other paths."""

    @property
    def http2(self) -> Http2 | None:
        """The limits of HTTP/2 clients; None if HTTP/2 is off."""
        ...

    @property
    def has_upstream(self) -> bool:
        """Whether requests for other paths have an upstream."""
        ...

    def enter_elsewhere(self, place: CarriedPlace) -> None:
        """Counts a request for another path until `leave_elsewhere`. Raises Refused if it exceeds the limit."""
        ...

    def leave_elsewhere(self, place: CarriedPlace) -> None:
        """Ends the count of such a request."""
        ...

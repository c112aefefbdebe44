"""A gateway and a wire of which a test decides and sees everything."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, cast

from tests.support.clock import FakeClock

from walletbridge.gateway.running_gateway import Bridge  # noqa: TC001 - costs nothing here
from walletbridge.serve.lane.conversation import Conversation
from walletbridge.serve.lane.deadlines import CarriedPlace, Place
from walletbridge.serve.lane.parser import Bounds
from walletbridge.serve.lane.port import Exchange
from walletbridge.serve.lane.refusals import Refused
from walletbridge.settings import Http2, Limits

TOKEN = b"a-token-that-nobody-sees"


class Broken(Exception):
    """Raised on purpose."""


class FakeBridge:
    """Admits the one token."""

    def admits(self, peer: str, tokens: Sequence[bytes], forwarded: Sequence[bytes] = ()) -> bool:
        del peer, forwarded
        if tokens == (b"broken",):
            raise Broken
        return tokens == (TOKEN,)


class FakeLane:
    """See `port.Lane`."""

    def __init__(self, **limits: Any) -> None:
        self.limits = Limits(**limits)
        self.bounds = Bounds(self.limits.header_bytes, self.limits.header_count, self.limits.body_bytes)
        self.clock = FakeClock()
        self.bridge: Bridge | None = cast("Bridge", FakeBridge())
        self.is_draining = False
        self.has_upstream = True
        self.http2: Http2 | None = Http2()
        self.elsewhere = 0
        self.forgiven = 1000
        self.refusals: Counter[int] = Counter()
        self.deliveries: list[bool] = []
        self.faults: list[Exception] = []

    def is_callback(self, target: str) -> bool:
        if target.endswith("broken"):
            raise Broken
        return target == "/callback"

    def forgives(self, address: str, forwarded: Sequence[bytes]) -> bool:
        del address, forwarded
        self.forgiven -= 1
        return self.forgiven >= 0

    def enter_elsewhere(self, place: CarriedPlace) -> None:
        if self.elsewhere >= self.limits.upstream_requests:
            raise Refused(503, "too many requests for other paths")
        self.elsewhere += 1
        place.elsewhere += 1

    def leave_elsewhere(self, place: CarriedPlace) -> None:
        self.elsewhere -= 1
        place.elsewhere -= 1

    def prove(self, place: Place) -> None:
        place.is_proven = True

    def refused(self, refused: Refused) -> None:
        self.refusals[refused.http_status] += 1

    def delivered(self, exchange: Exchange, *, sent: bool) -> None:
        del exchange
        self.deliveries.append(sent)

    def failed(self, error: Exception) -> None:
        self.faults.append(error)


class FakeWire:
    """See `port.Wire`. Keeps what it is told."""

    def __init__(self) -> None:
        self.sent = b""
        self.closed: list[str] = []
        self.asked: list[Exchange] = []
        self.rest: bytes | None = None
        self.is_closing = False
        self.is_confirming = False

    def send(self, data: bytes) -> bool:
        if not self.is_closing:
            self.sent += data
        return not self.is_closing

    def close(self, *, half: bool) -> None:
        self.closed.append("half" if half else "whole")

    def confirm(self) -> None:
        self.is_confirming = True

    def ask(self, exchange: Exchange) -> None:
        self.asked.append(exchange)

    def hand_over(self, rest: bytes) -> None:
        self.rest = rest

    def take(self) -> bytes:
        """What was sent since the last time."""
        sent, self.sent = self.sent, b""
        return sent


class Talk:
    """A conversation with all that is around it."""

    def __init__(self, **limits: Any) -> None:
        self.lane = FakeLane(**limits)
        self.wire = FakeWire()
        self.place = CarriedPlace(
            "192.0.2.1",
            self.lane.clock() + 10,
            cut=_never,
            tell=_never,
            is_closing=lambda: self.wire.is_closing,
        )
        self.conversation = Conversation(self.lane, self.place, self.wire)

    @property
    def seconds_left(self) -> float:
        """Until the client's time is up."""
        return self.place.expires_at - self.lane.clock()


def _never() -> None:
    raise AssertionError("nobody should be asked")


def request(
    body: bytes = b"body",
    fields: bytes = b"",
    *,
    method: bytes = b"POST",
    version: bytes = b"1.1",
    token: bytes = TOKEN,
) -> bytes:
    """A callback with a Content-Length."""
    return b"%b /callback HTTP/%b\r\nHost: gateway\r\nCallback-Token: %b\r\n%bContent-Length: %d\r\n\r\n%b" % (
        method,
        version,
        token,
        fields,
        len(body),
        body,
    )

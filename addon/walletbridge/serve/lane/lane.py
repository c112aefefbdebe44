"""
The lane as a mitmproxy addon: holds the state that connections share, and chooses the layers of carried ones.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Protocol

from mitmproxy.proxy.layer import NextLayer
from mitmproxy.proxy.layers import ServerTLSLayer
from mitmproxy.proxy.layers.modes import ReverseProxy
from mitmproxy.proxy.mode_specs import ReverseMode
from mitmproxy.proxy.tunnel import LayerStack
from mitmproxy.tcp import TCPFlow

from walletbridge.gateway.peers import Peers
from walletbridge.gateway.running_gateway import Bridge
from walletbridge.observe.log import callback_fields
from walletbridge.observe.metrics.names import Refusal
from walletbridge.protocol import answers
from walletbridge.protocol.answers import Answer
from walletbridge.serve.lane.deadlines import CarriedPlace, Place, Places
from walletbridge.serve.lane.gate import Gate
from walletbridge.serve.lane.heads import path_of
from walletbridge.serve.lane.layer import LaneLayer
from walletbridge.serve.lane.parser import Bounds
from walletbridge.serve.lane.port import Exchange
from walletbridge.serve.lane.refusals import Refused
from walletbridge.serve.lane.strangers import Strangers
from walletbridge.serve.lane.tls import TLS_HANDSHAKE, ListenerTlsLayer
from walletbridge.settings import Settings

SWEEP_SECONDS = 0.25
GAVE_WAY = "closed for a newer connection"
STILL_SECONDS = 5.0
"""Seconds without a sweep, after which the worker counts as hanging."""
TELL_SECONDS = 1.0
"""Seconds between log lines about refused clients: one line for all, so that a flood does not fill the log."""
_COUNTED_AS = {
    403: Refusal.PEER,
    408: Refusal.TOO_SLOW,
    429: Refusal.TOO_MANY,
    503: Refusal.TOO_MANY,
    504: Refusal.TOO_SLOW,
}


class Gateway(Protocol):
    """The addon that holds the gateway."""

    @property
    def bridge(self) -> Bridge | None:
        """The gateway; None before it is up."""
        ...

    @property
    def is_draining(self) -> bool:
        """Whether the gateway is stopping."""
        ...


class Lane:
    """See `port.Lane`."""

    name = "walletbridge-lane"

    def __init__(self, gateway: Gateway, settings: Settings, *, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` is the gateway's, in seconds."""
        self._gateway = gateway
        self._path = settings.callback.path
        self.http2 = settings.http2
        self.has_upstream = settings.upstream is not None
        self._elsewhere = 0
        self.has_tls = settings.tls is not None
        """Whether plain text is refused."""
        self.has_proxy_headers = settings.callback.proxy_protocol
        """Whether each connection begins with a PROXY header."""
        self.clock = clock
        self.limits = settings.limits
        self.bounds = Bounds(self.limits.header_bytes, self.limits.header_count, self.limits.body_bytes)
        self._peers = Peers(settings.callback.allow_from, trusted_proxies=settings.callback.trusted_proxies)
        self.gate = Gate(
            self.limits,
            clock=clock,
            is_shared=self._peers.is_trusted,
            is_outside=self._peers.is_outside,
            lets_outside_in=self.has_upstream,
        )
        self.strangers = Strangers(self.limits.strangers_percent, clock=clock)
        self.places = Places(on_fault=self.failed)
        self._carried: dict[str, CarriedPlace] = {}
        self.refusals: Counter[str] = Counter()
        """Refused clients, by reason."""
        self._told: Counter[str] = Counter()
        self._tell_at = 0.0
        self._sweeping: asyncio.TimerHandle | None = None
        self._swept_at = clock()

    # mitmproxy's hooks

    def running(self) -> None:
        """Starts the sweep over the deadlines."""
        self._sweep()

    def done(self) -> None:
        """Ends the sweep."""
        if self._sweeping:
            self._sweeping.cancel()

    def tcp_message(self, flow: TCPFlow) -> None:
        """Drops the messages of a tunnel, such as a WebSocket: `serve` does not show them."""
        flow.messages.clear()

    def next_layer(self, nextlayer: NextLayer) -> None:
        """
        Chooses the layers of a connection that mitmproxy carries: `LaneLayer`, inside TLS if the connection begins with
        a handshake.
        """
        context, data = nextlayer.context, nextlayer.data_client()  # type: ignore[no-untyped-call]
        place = self._carried.get(context.client.id)
        is_first = len(context.layers) == 1 and isinstance(context.layers[0], ReverseProxy)
        if nextlayer.layer or not data or place is None or not is_first:
            return
        mode = context.client.proxy_mode
        stack = LayerStack()
        if isinstance(mode, ReverseMode) and mode.scheme == "https":
            stack /= ServerTLSLayer(context)
        if data[0] == TLS_HANDSHAKE:
            stack /= ListenerTlsLayer(context, self.handshake_failed)
        stack /= LaneLayer(context, self, place)
        nextlayer.layer = stack[0]

    @contextmanager
    def carries(self, connection: str, place: CarriedPlace) -> Iterator[None]:
        """Registers a connection by the id that mitmproxy gave it, for as long as mitmproxy carries it."""
        self._carried[connection] = place
        self.places.add(place)
        try:
            yield
        finally:
            self.places.remove(place)
            del self._carried[connection]
            self._elsewhere -= place.elsewhere

    # Shared by all connections

    @property
    def bridge(self) -> Bridge | None:
        """The gateway; None before it is up."""
        return self._gateway.bridge

    @property
    def is_draining(self) -> bool:
        """Whether the gateway is stopping, so that each answer closes its connection."""
        return self._gateway.is_draining

    def is_callback(self, target: str) -> bool:
        """Whether a request target names the callback path."""
        bridge, target = self._gateway.bridge, path_of(target)
        return target.partition("?")[0] == self._path if bridge is None else bridge.is_callback(target)

    def is_proxy(self, address: str) -> bool:
        """Whether PROXY headers from this address are trusted."""
        return self._peers.is_trusted(address)

    def forgives(self, address: str, forwarded: Sequence[bytes]) -> bool:
        """Whether a wrong token from the client behind `address` is answered; see `Gate.forgives`."""
        client = self._peers.client(address, forwarded)
        return self.gate.forgives(address if client is None else str(client))

    def prove(self, place: Place) -> None:
        """See `port.Lane`."""
        self.gate.prove(place)
        self.strangers.know(place.address)

    def enter_elsewhere(self, place: CarriedPlace) -> None:
        """See `CarryingLane`."""
        if self._elsewhere >= self.limits.upstream_requests:
            raise Refused(503, "too many requests for other paths")
        self._elsewhere += 1
        place.elsewhere += 1

    def leave_elsewhere(self, place: CarriedPlace) -> None:
        """See `CarryingLane`."""
        self._elsewhere -= 1
        place.elsewhere -= 1

    def refused(self, refused: Refused) -> None:
        """Counts a refused client."""
        self.refusals[refused.reason] += 1
        if bridge := self._gateway.bridge:
            bridge.counts.refused(_COUNTED_AS.get(refused.http_status, Refusal.MALFORMED))

    def handshake_failed(self, cause: str) -> None:
        """Counts a client whose TLS handshake failed."""
        self.refusals[cause] += 1
        if bridge := self._gateway.bridge:
            bridge.counts.refused(Refusal.TLS)

    async def answer(self, exchange: Exchange) -> None:
        """Sets the answer of a callback. Raises nothing: an error is an unknown outcome."""
        bridge = self._gateway.bridge
        if bridge is None:
            return
        try:
            exchange.answer = await bridge.answer(exchange.request, exchange.trace)
        except asyncio.CancelledError:
            # A cancelled hook would leave its client without an answer.
            exchange.answer = answers.UNKNOWN
        except Exception as error:  # noqa: BLE001 - the provider must get its answer; the log gets the error
            exchange.answer = answers.UNKNOWN
            self.failed(error)

    def begin(self, exchange: Exchange, answered: Callable[[], None]) -> None:
        """Like `answer`, without waiting: calls `answered` at the end, possibly before returning. It must not raise."""
        bridge = self._gateway.bridge
        if bridge is None:
            answered()
            return

        def told(answer: Answer) -> None:
            exchange.answer = answer
            answered()

        try:
            bridge.begin(exchange.request, exchange.trace, told)
        except Exception as error:  # noqa: BLE001 - the provider must get its answer; the log gets the error
            self.failed(error)
            if exchange.answer is None:
                told(answers.UNKNOWN)

    def delivered(self, exchange: Exchange, *, sent: bool) -> None:
        """Records that an answer was sent, or that its client had left: the wallet call was made either way."""
        bridge, answer = self._gateway.bridge, exchange.answer
        if bridge is None or answer is None:
            return
        if exchange.request.has_token:
            self.strangers.make_room()
        try:
            bridge.delivered(exchange.trace, answer, sent=sent)
            if not sent:
                seconds = self.clock() - exchange.request.received_at
                bridge.log.warning("answer not delivered", **callback_fields(exchange.trace, answer, seconds))
        except Exception as error:  # noqa: BLE001 - the answer is on its way
            self.failed(error)

    def failed(self, error: Exception) -> None:
        """Logs an internal error."""
        if bridge := self._gateway.bridge:
            with suppress(Exception):
                bridge.log.failed(error)

    @property
    def is_sweeping(self) -> bool:
        """Whether a sweep ran within STILL_SECONDS. Without sweeps, no time limit holds."""
        return self.clock() - self._swept_at < STILL_SECONDS

    def _sweep(self) -> None:
        has_more = False
        try:
            now = self.clock()
            has_more = self.places.sweep(now)
            self._swept_at = now
            if now >= self._tell_at:
                self._tell_at = now + TELL_SECONDS
                self._tell()
        except Exception as error:  # noqa: BLE001 - all connections depend on the next sweep
            self.failed(error)
        finally:
            self._sweeping = asyncio.get_running_loop().call_later(0 if has_more else SWEEP_SECONDS, self._sweep)

    def _tell(self) -> None:
        if self.gate.gave_way:
            self.refusals[GAVE_WAY] = self.gate.gave_way
        new = self.refusals - self._told
        if new and (bridge := self._gateway.bridge):
            self._told = Counter(self.refusals)
            bridge.log.event("clients turned away", reasons=dict(new))

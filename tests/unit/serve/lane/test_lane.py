"""The addon before the connections: which of them it takes, what it tells, and that it raises nothing."""

import asyncio
from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from ipaddress import ip_network
from typing import Any, cast

import pytest
from mitmproxy.options import Options
from mitmproxy.proxy import context, events
from mitmproxy.proxy.layer import NextLayer
from mitmproxy.proxy.layers import ServerTLSLayer
from mitmproxy.proxy.layers.modes import ReverseProxy
from mitmproxy.test import tflow
from tests.support.clock import FakeClock
from tests.support.waiting import until
from tests.unit.serve.lane.fakes import Talk

from walletbridge.gateway.gateway import Request
from walletbridge.gateway.running_gateway import Bridge  # noqa: TC001 - costs nothing here
from walletbridge.observe.metrics import names
from walletbridge.observe.metrics.counts import Counts
from walletbridge.observe.metrics.exposition import sum_of
from walletbridge.observe.metrics.part import Part
from walletbridge.observe.trace import Trace
from walletbridge.protocol import answers
from walletbridge.protocol.answers import Answer
from walletbridge.serve.lane import lane as lane_module
from walletbridge.serve.lane.deadlines import CarriedPlace
from walletbridge.serve.lane.heads import read_head
from walletbridge.serve.lane.lane import Lane
from walletbridge.serve.lane.layer import LaneLayer
from walletbridge.serve.lane.port import Exchange
from walletbridge.serve.lane.refusals import Refused
from walletbridge.serve.lane.server import LaneMode
from walletbridge.serve.lane.tls import ListenerTlsLayer
from walletbridge.settings import Callback, Limits, Settings, Wallet

WALLET = Wallet(target="127.0.0.1:1")
HEAD = read_head(b"POST /callback HTTP/1.1\r\nHost: gateway\r\n\r\n", 10)


class FakeLog:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, dict[str, object]]] = []
        self.faults: list[BaseException] = []

    def event(self, event: str, **fields: object) -> None:
        self.lines.append((event, fields))

    warning = event

    def failed(self, error: BaseException) -> None:
        self.faults.append(error)


class FakeGateway:
    """An addon with a gateway that answers or raises as a test says."""

    def __init__(self, result: Answer | BaseException = answers.UNKNOWN) -> None:
        self.log = FakeLog()
        self.counts = Counts(Part(), {})
        self.result = result
        self.deliveries: list[bool] = []
        self.bridge: Bridge | None = cast("Bridge", self)
        self.is_draining = False

    async def answer(self, request: Request, trace: Trace) -> Answer:
        del request, trace
        if isinstance(self.result, BaseException):
            raise self.result
        return self.result

    def begin(self, request: Request, trace: Trace, told: Callable[[Answer], None]) -> None:
        async def answer() -> None:
            told(await self.answer(request, trace))

        self.beginning = asyncio.Task(answer(), loop=asyncio.get_running_loop(), eager_start=True)

    def delivered(self, trace: Trace, answer: Answer, *, sent: bool) -> None:
        del trace, answer
        if isinstance(self.result, BaseException):
            raise self.result
        self.deliveries.append(sent)

    def is_callback(self, target: str) -> bool:
        return target == "/callback"


def make_lane(gateway: FakeGateway, **sections: Any) -> Lane:
    return Lane(gateway, Settings(wallet=WALLET, **sections), clock=FakeClock())


def exchange(answer: Answer | None = None) -> Exchange:
    return Exchange(HEAD, Request("POST", True, b"", 1000.0), False, Trace(), answer)  # noqa: FBT003 - as they are


def next_layer(lane: Lane, data: bytes, *, mode: str = "lane:http://127.0.0.1:9", known: bool = True) -> list[type]:
    """The layers that the lane chooses for a connection that begins with `data`."""
    client = tflow.tclient_conn()
    client.proxy_mode = LaneMode.parse(mode)
    client.tls = False
    stack = context.Context(client, Options())
    ReverseProxy(stack)
    nextlayer = NextLayer(stack)
    if data:
        nextlayer.events.append(events.DataReceived(client, data))
    with lane.carries(client.id, Talk().place) if known else nullcontext():
        lane.next_layer(nextlayer)
    return [type(layer) for layer in stack.layers[1:]]


@pytest.mark.parametrize(
    ("data", "mode", "layers"),
    [
        (b"P", "lane:http://127.0.0.1:9", [LaneLayer]),
        (b"\x16", "lane:http://127.0.0.1:9", [ListenerTlsLayer, LaneLayer]),
        (b"P", "lane:https://127.0.0.1:9", [ServerTLSLayer, LaneLayer]),
        (b"\x16\x03\x01", "lane:https://127.0.0.1:9", [ServerTLSLayer, ListenerTlsLayer, LaneLayer]),
        (b"", "lane:http://127.0.0.1:9", []),
    ],
)
def test_the_first_byte_says_what_a_connection_is(data: bytes, mode: str, layers: list[type]) -> None:
    assert layers == next_layer(make_lane(FakeGateway()), data, mode=mode)


def test_a_connection_that_is_not_ours_is_left_alone() -> None:
    assert next_layer(make_lane(FakeGateway()), b"P", known=False) == []


async def test_the_gateway_answers() -> None:
    asked = exchange()
    await make_lane(FakeGateway(answers.WRONG_TOKEN)).answer(asked)

    assert asked.answer is answers.WRONG_TOKEN


@pytest.mark.parametrize("error", [RuntimeError("broken"), asyncio.CancelledError()])
async def test_what_goes_wrong_is_an_unknown_outcome(error: BaseException) -> None:
    gateway, asked = FakeGateway(error), exchange()
    await make_lane(gateway).answer(asked)

    assert asked.answer is answers.UNKNOWN
    assert gateway.log.faults == ([error] if isinstance(error, RuntimeError) else [])


async def test_who_does_not_wait_is_called() -> None:
    asked, called = exchange(), asyncio.Event()
    make_lane(FakeGateway(answers.WRONG_TOKEN)).begin(asked, called.set)

    assert called.is_set()
    assert asked.answer is answers.WRONG_TOKEN


async def test_who_does_not_wait_is_called_whatever_goes_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    def begin(*_: object) -> None:
        raise RuntimeError("broken")

    gateway, asked, called = FakeGateway(), exchange(), asyncio.Event()
    monkeypatch.setattr(gateway, "begin", begin)
    make_lane(gateway).begin(asked, called.set)

    assert called.is_set()
    assert asked.answer is answers.UNKNOWN
    assert [str(fault) for fault in gateway.log.faults] == ["broken"]


async def test_before_there_is_a_gateway_there_is_no_answer() -> None:
    gateway, asked = FakeGateway(), exchange()
    gateway.bridge = None
    lane = make_lane(gateway)
    called = asyncio.Event()
    await lane.answer(asked)
    lane.begin(asked, called.set)
    lane.delivered(asked, sent=True)
    lane.failed(RuntimeError())

    assert called.is_set()
    assert asked.answer is None
    assert [lane.is_callback(target) for target in ("/callback?x", "/other")] == [True, False]


def test_an_answer_that_was_not_delivered_is_told() -> None:
    gateway = FakeGateway()
    lane = make_lane(gateway)
    lane.delivered(exchange(answers.UNKNOWN), sent=True)
    lane.delivered(exchange(answers.UNKNOWN), sent=False)

    assert gateway.deliveries == [True, False]
    assert gateway.log.lines == [("answer not delivered", {"result": 99, "http_status": 500, "ms": 0.0})]


def test_a_fault_after_an_answer_is_told_and_changes_nothing() -> None:
    gateway = FakeGateway(RuntimeError("broken"))
    make_lane(gateway).delivered(exchange(answers.UNKNOWN), sent=True)

    assert gateway.log.faults == [gateway.result]


async def test_times_are_kept_and_refusals_told_together() -> None:
    gateway = FakeGateway()
    lane = make_lane(gateway)
    for _ in range(3):
        lane.refused(Refused(400, "noise"))
    expired: list[str] = []
    place = CarriedPlace(
        "192.0.2.1", 1.0, cut=lambda: expired.append("one"), tell=lambda: expired.append("told"), is_closing=bool
    )
    with lane.carries("id", place):
        lane.running()
        lane.done()
    assert not len(lane.places)

    assert expired == ["one"]
    assert gateway.log.lines == [("clients turned away", {"reasons": {"noise": 3}})]
    assert lane.refusals["noise"] == 3


@pytest.mark.parametrize(
    ("http_status", "reason"),
    [
        (400, "malformed"),
        (403, "peer"),
        (431, "malformed"),
        (505, "malformed"),
        (408, "too_slow"),
        (429, "too_many"),
        (503, "too_many"),
    ],
)
async def test_who_is_turned_away_is_counted(http_status: int, reason: str) -> None:
    gateway = FakeGateway()
    make_lane(gateway).refused(Refused(http_status, "in a test"))

    assert sum_of([gateway.counts.part], names.REFUSED, reason=reason) == 1


def test_wrong_tokens_count_for_the_client_behind_a_proxy() -> None:
    callback = Callback(trusted_proxies=(ip_network("10.0.0.0/8"),))
    lane = make_lane(FakeGateway(), callback=callback, limits=Limits(wrong_tokens_per_second=1))

    assert lane.forgives("10.0.0.1", [b"192.0.2.1"])
    assert not lane.forgives("10.0.0.1", [b"192.0.2.1"])
    assert lane.forgives("10.0.0.1", [b"192.0.2.2"])
    # Who cannot be told counts as the proxy itself.
    assert lane.forgives("10.0.0.1", [])
    assert not lane.forgives("10.0.0.1", [b"nonsense"])


def test_a_proxy_that_is_trusted_may_have_any_number_of_connections() -> None:
    callback = Callback(trusted_proxies=(ip_network("10.0.0.0/8"),))
    lane = make_lane(FakeGateway(), callback=callback, limits=Limits(connections_per_address=1))
    cut: list[str] = []
    for address in ("10.0.0.1", "10.0.0.1", "10.0.0.1", "192.0.2.1", "192.0.2.1"):
        place = CarriedPlace(address, 0.0, cut=partial(cut.append, address), tell=lambda: None, is_closing=bool)
        lane.gate.enter(place)

    assert cut == ["192.0.2.1"]


async def test_the_sweep_goes_on_whatever_a_connection_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lane_module, "SWEEP_SECONDS", 0.001)
    gateway = FakeGateway()
    lane = make_lane(gateway)
    expired: list[str] = []

    def fail() -> None:
        expired.append("faulty")
        raise RuntimeError("a fault of one connection")

    def cut_fails() -> None:
        expired.append("cut")
        raise OSError("gone")

    faulty = CarriedPlace("192.0.2.1", 0.0, cut=cut_fails, tell=fail, is_closing=bool)
    faulty.is_read = True
    lane.places.add(faulty)
    lane.places.add(CarriedPlace("192.0.2.2", 0.0, cut=partial(expired.append, "other"), tell=fail, is_closing=bool))
    lane.running()
    await until(lambda: len(expired) == 3)
    lane.places.add(CarriedPlace("192.0.2.3", 0.0, cut=partial(expired.append, "later"), tell=fail, is_closing=bool))
    await until(lambda: len(expired) == 4)
    lane.done()

    assert expired == ["faulty", "cut", "other", "later"]


async def test_the_sweep_goes_on_where_telling_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lane_module, "SWEEP_SECONDS", 0.001)
    lane = make_lane(FakeGateway())
    tells: list[int] = []

    def fail() -> None:
        tells.append(1)
        lane._tell_at = 0.0
        raise RuntimeError("the log fails")

    monkeypatch.setattr(lane, "_tell", fail)
    lane.running()
    await until(lambda: len(tells) > 2)
    lane.done()


def test_a_sweep_that_stands_still_is_seen() -> None:
    lane = make_lane(FakeGateway())
    clock = lane.clock
    assert isinstance(clock, FakeClock)
    assert lane.is_sweeping
    clock.tick(lane_module.STILL_SECONDS)

    assert not lane.is_sweeping


def test_failed_handshakes_are_counted_and_told_of_by_their_cause() -> None:
    gateway = FakeGateway()
    lane = make_lane(gateway)
    for _ in range(1000):
        lane.handshake_failed("TLS: no ClientHello")

    assert lane.refusals == {"TLS: no ClientHello": 1000}
    assert sum_of([gateway.counts.part], names.REFUSED, reason="tls") == 1000
    assert gateway.log.lines == []


def test_whose_proxy_headers_are_believed() -> None:
    lane = make_lane(FakeGateway(), callback=Callback(trusted_proxies=(ip_network("10.0.0.0/8"),)))

    assert (lane.is_proxy("10.1.2.3"), lane.is_proxy("192.0.2.1"), lane.has_proxy_headers) == (True, False, False)

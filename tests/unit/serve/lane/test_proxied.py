"""A connection behind a load balancer, until its PROXY header has come."""

import asyncio
from ipaddress import ip_network

from tests.support.clock import FakeClock
from tests.unit.serve.lane.test_lane import FakeGateway, make_lane
from tests.unit.serve.lane.test_plain_connection import POST, FakeTransport

from walletbridge.serve.lane.plain_connection import PlainConnection
from walletbridge.serve.lane.proxied import ProxiedConnection
from walletbridge.settings import Callback, Limits

HEADER = b"PROXY TCP4 192.0.2.1 198.51.100.7 56224 443\r\n"
LOCAL = b"\r\n\r\n\x00\r\nQUIT\n\x20\x00\x00\x00"


class Scene:
    """A connection from a balancer, without a socket."""

    def __init__(self, peer: tuple[str, int] | None = ("10.0.0.9", 1), **limits: int) -> None:
        callback = Callback(trusted_proxies=(ip_network("10.0.0.0/8"),), proxy_protocol=True)
        self.gateway = FakeGateway()
        self.lane = make_lane(self.gateway, callback=callback, limits=Limits(**limits))
        self.transport = FakeTransport(peer)
        self.connection = ProxiedConnection(self.lane, lambda address: PlainConnection(self.lane, _carry, address))
        self.connection.connection_made(self.transport)

    @property
    def inside(self) -> tuple[int, int]:
        return self.lane.gate.connections, len(self.lane.places)


async def _carry(*_: object) -> None:
    raise AssertionError("not in these tests")


def test_a_connection_is_the_clients_once_the_header_has_come() -> None:
    scene = Scene()
    assert scene.inside == (1, 1)
    scene.connection.data_received(HEADER[:20])
    scene.connection.data_received(HEADER[20:])

    plain = scene.transport.protocol
    assert isinstance(plain, PlainConnection)
    assert plain.address == "192.0.2.1"
    assert scene.inside == (1, 1)
    assert scene.transport.told == []
    plain.connection_lost(None)
    assert scene.inside == (0, 0)


def test_what_comes_with_the_header_is_the_clients() -> None:
    scene = Scene()
    scene.connection.data_received(HEADER + b"noise\n")

    assert scene.transport.told[0] == "HTTP/1.1 400 Bad Request"


def test_a_balancer_may_speak_for_itself() -> None:
    scene = Scene()
    scene.connection.data_received(LOCAL)

    assert isinstance(scene.transport.protocol, PlainConnection)
    assert scene.transport.protocol.address == "10.0.0.9"


def test_connections_are_counted_for_the_client() -> None:
    scene = Scene(connections_per_address=1)
    scene.connection.data_received(HEADER + POST[:20])
    transport = FakeTransport(("10.0.0.9", 2))
    second = ProxiedConnection(scene.lane, lambda address: PlainConnection(scene.lane, _carry, address))
    second.connection_made(transport)
    second.data_received(HEADER + POST)

    # The client's older connection, which has brought no token, gives way to its new one.
    assert scene.transport.told == ["abort"]
    scene.connection.connection_lost(None)


def test_nobody_but_a_proxy_of_ours_is_let_in() -> None:
    scene = Scene(("192.0.2.66", 1))
    scene.connection.data_received(HEADER + POST)
    scene.connection.connection_lost(None)

    assert scene.transport.told == ["abort"]
    assert scene.inside == (0, 0)
    assert scene.lane.refusals == {"no PROXY header is taken from this address": 1}


def test_places_are_bounded_also_for_a_proxy() -> None:
    scene = Scene(connections=1)
    scene.lane.gate.prove(scene.connection)
    transport = FakeTransport(("10.0.0.9", 2))
    ProxiedConnection(scene.lane, lambda _: asyncio.Protocol()).connection_made(transport)

    assert transport.told == ["abort"]
    assert scene.inside == (1, 1)


def test_who_has_gone_before_it_was_here_is_not_let_in() -> None:
    scene = Scene(None)
    scene.connection.connection_lost(None)

    assert scene.transport.told == ["abort"]
    assert scene.inside == (0, 0)


def test_a_connection_without_a_header_ends_without_an_answer() -> None:
    scene = Scene()
    scene.connection.data_received(POST)

    assert scene.transport.told == ["abort"]
    assert scene.inside == (0, 0)
    assert scene.lane.refusals == {"expected a PROXY header": 1}
    scene.connection.data_received(POST)
    scene.connection.connection_lost(None)
    assert scene.inside == (0, 0)


def test_a_header_that_does_not_come_in_time_ends_its_connection() -> None:
    scene = Scene()
    scene.connection.data_received(HEADER[:-1])
    clock = scene.lane.clock
    assert isinstance(clock, FakeClock)
    clock.tick(scene.lane.limits.header_seconds)
    scene.lane.places.sweep(clock())
    scene.connection.expire()

    assert scene.transport.told == ["abort"]
    assert scene.inside == (0, 0)
    assert scene.lane.refusals == {"the PROXY header did not come in time": 1}


def test_a_client_that_leaves_within_its_header_leaves_nothing() -> None:
    scene = Scene()
    scene.connection.data_received(HEADER[:-1])
    scene.connection.connection_lost(None)

    assert scene.transport.told == ["close"]
    assert scene.inside == (0, 0)

"""What a request for another path may take while mitmproxy carries it, and that the lane goes on behind it."""

from mitmproxy.connection import ConnectionState
from mitmproxy.http import Response
from mitmproxy.proxy import commands, events
from mitmproxy.proxy.layers.http._hooks import HttpRequestHeadersHook
from tests.unit.serve.lane.fakes import request
from tests.unit.serve.lane.layers import OTHER, House, begun, hooks_in, names, sent, started

from walletbridge.serve.lane.signals import Expired


def head_hooks(found: list[commands.Command]) -> list[HttpRequestHeadersHook]:
    return [command for command in found if isinstance(command, HttpRequestHeadersHook)]


def turned_away(house: House, found: list[commands.Command], status: bytes) -> bool:
    """Whether the client is told why, and left after a moment."""
    half = [command for command in found if isinstance(command, commands.CloseTcpConnection) and command.half_close]
    assert sent(found).startswith(b"HTTP/1.1 %b " % status)
    assert house.receive(b"more") == []
    [last] = house.tell(Expired())
    return bool(half) and isinstance(last, commands.CloseConnection)


def test_a_head_elsewhere_is_bounded() -> None:
    house = started(header_bytes=1024)
    assert turned_away(house, house.receive(OTHER + b"X: " + b"x" * 2000), b"431")


def test_a_head_elsewhere_must_come_in_time() -> None:
    house = started(header_seconds=10)
    house.receive(OTHER)
    assert house.talk.seconds_left == 10
    house.talk.lane.clock.tick(5)
    house.receive(b"X: 1\r\n")
    assert house.talk.seconds_left == 5
    assert turned_away(house, house.tell(Expired()), b"408")


def test_a_body_elsewhere_must_go_on() -> None:
    house = started(body_seconds=10)
    begun(house, OTHER + b"Content-Length: 100\r\n\r\n")
    house.talk.lane.clock.tick(9)
    house.receive(b"x")
    assert house.talk.seconds_left == 10
    assert turned_away(house, house.tell(Expired()), b"408")


def test_a_body_that_the_upstream_does_not_take_has_the_time_of_an_idle_connection() -> None:
    house = started(body_seconds=10, idle_seconds=120)
    begun(house, OTHER + b"Content-Length: 100\r\n\r\n")
    house.talk.place.is_held = True
    house.talk.lane.clock.tick(10)

    assert house.tell(Expired()) == []
    assert house.talk.seconds_left == 110


def test_a_request_whose_answer_is_waited_for_goes_on_unless_its_client_does_not_take_it() -> None:
    cut = []
    house = started(idle_seconds=120)
    house.talk.place._cut = lambda: cut.append(1)
    begun(house, OTHER + b"\r\n")
    assert house.talk.seconds_left == 120
    house.talk.lane.clock.tick(120)
    assert house.tell(Expired()) == []
    assert house.talk.seconds_left == 120
    assert not cut

    house.talk.place.is_stuck = lambda: True
    house.tell(Expired())
    assert cut


def test_what_is_sent_far_ahead_elsewhere_is_not_read() -> None:
    house = started(header_bytes=1024, body_bytes=1000)
    begun(house, OTHER + b"\r\n")
    house.receive(b"x" * 1500)
    assert house.talk.place.has_room()
    house.receive(b"x" * 1500)
    assert not house.talk.place.has_room()


def test_a_body_for_an_upstream_that_is_not_there_yet_is_not_read() -> None:
    house = started()
    [hook] = head_hooks(house.receive(OTHER + b"Transfer-Encoding: chunked\r\n\r\n"))
    hook.flow.request.stream = True
    assert any(isinstance(command, commands.OpenConnection) for command in house.tell(events.HookCompleted(hook)))
    assert house.talk.place.has_room()
    house.receive(b"3\r\nabc\r\n")
    assert not house.talk.place.has_room()


def test_requests_for_other_paths_are_counted_until_they_are_answered() -> None:
    house = started(upstream_requests=1)
    found = house.receive(OTHER + b"\r\n")
    assert house.talk.lane.elsewhere == 1
    [hook] = head_hooks(found)
    hook.flow.response = Response.make(404)
    found = house.tell(events.HookCompleted(hook))
    while hooks := hooks_in(found):
        found = house.tell(events.HookCompleted(hooks[0]))
    assert sent(found).startswith(b"HTTP/1.1 404 ")
    assert house.talk.lane.elsewhere == 0

    house.talk.lane.elsewhere = 1
    assert turned_away(house, house.receive(OTHER + b"\r\n"), b"503")


def test_what_comes_behind_an_answered_request_is_the_lanes_again() -> None:
    house = started(header_seconds=10, idle_seconds=120)
    found = house.receive(OTHER + b"\r\n" + request())
    [hook] = head_hooks(found)
    hook.flow.response = Response.make(404)
    found = house.tell(events.HookCompleted(hook))
    while (hooks := [c for c in found if isinstance(c, commands.StartHook)]) and names(found) != [
        "walletbridge_callback"
    ]:
        found = house.tell(events.HookCompleted(hooks[0]))

    assert names(found) == ["walletbridge_callback"]


def test_an_upstream_that_sends_a_head_without_end_is_left() -> None:
    """The client is told, and nothing of it is shown."""
    house = started(header_bytes=1024)
    house.context.server.state = ConnectionState.OPEN
    begun(house, OTHER + b"\r\n")
    house.tell(events.DataReceived(house.context.server, b"HTTP/1.1 200 OK\r\nX: secret"))
    found = house.tell(events.DataReceived(house.context.server, b"secret" * 1000))
    while hooks := hooks_in(found):
        assert hooks[0].name == "error"
        found = [*found[:-1], *house.tell(events.HookCompleted(hooks[0]))]

    assert b"HTTP/1.1 502 " in sent(found)
    assert b"secret" not in sent(found)

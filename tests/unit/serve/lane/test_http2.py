"""The times of an HTTP/2 connection and what waits on it, without sockets and with a clock of the test's own."""

from typing import Any

import h2.connection
import h2.events
import pytest
from h2.errors import ErrorCodes
from mitmproxy.proxy import commands, events
from tests.unit.serve.lane.fakes import TOKEN
from tests.unit.serve.lane.layers import House, hooks_in, sent

from walletbridge.protocol.answers import UNKNOWN
from walletbridge.serve.lane.signals import Expired, WalletbridgeCallbackHook

HEAD = [(":method", "POST"), (":scheme", "https"), (":path", "/callback"), (":authority", "gateway")]
RIGHT = ("callback-token", TOKEN.decode())


class Http2House(House):
    """A connection whose client has chosen HTTP/2."""

    def __init__(self, **limits: Any) -> None:
        super().__init__(**limits)
        self.client.alpn = b"h2"
        self.cut = 0
        self.talk.place._cut = self._cut
        self.peer = h2.connection.H2Connection()
        self.peer.initiate_connection()
        self.seen: list[h2.events.Event] = []
        self.hear(self.tell(events.Start()))

    def _cut(self) -> None:
        self.cut += 1

    def hear(self, found: list[commands.Command]) -> list[commands.Command]:
        if data := sent(found):
            self.seen += self.peer.receive_data(data)
        return found

    def flush(self) -> list[commands.Command]:
        return self.hear(self.receive(self.peer.data_to_send()))

    def ask(self, *fields: tuple[str, str], ends: bool = False) -> list[commands.Command]:
        stream = self.peer.get_next_available_stream_id()
        self.peer.send_headers(stream, [*HEAD, *fields], end_stream=ends)
        return self.flush()

    def expire(self, seconds: float) -> list[commands.Command]:
        """Nothing is to happen before; then time is up."""
        assert self.talk.seconds_left == seconds
        self.talk.lane.clock.tick(seconds)
        return self.hear(self.tell(Expired()))

    def statuses(self) -> list[bytes]:
        return [
            dict(event.headers or ())[b":status"]
            for event in self.seen
            if isinstance(event, h2.events.ResponseReceived)
        ]

    @property
    def goodbye(self) -> int | None:
        codes = [event.error_code for event in self.seen if isinstance(event, h2.events.ConnectionTerminated)]
        return int(codes[0] or 0) if codes else None


def answered(house: Http2House, found: list[commands.Command]) -> None:
    [hook] = hooks_in(found)
    assert isinstance(hook, WalletbridgeCallbackHook)
    hook.exchange.answer = UNKNOWN
    house.hear(house.tell(events.HookCompleted(hook)))


def test_who_says_nothing_has_the_time_of_a_head() -> None:
    house = Http2House(header_seconds=10)
    house.expire(10)

    assert house.goodbye == ErrorCodes.ENHANCE_YOUR_CALM
    assert house.talk.lane.refusals == {408: 1}
    house.expire(2)
    assert house.cut == 1


def test_who_has_greeted_and_asks_nothing_is_left() -> None:
    house = Http2House(header_seconds=10, idle_seconds=120)
    house.flush()
    house.expire(10)
    assert house.goodbye == ErrorCodes.NO_ERROR


def test_a_connection_without_requests_is_idle() -> None:
    house = Http2House(idle_seconds=120)
    house.flush()
    answered(house, house.ask(RIGHT, ends=True))
    assert house.statuses() == [b"500"]
    assert house.talk.lane.deliveries == [True]
    house.expire(120)
    assert house.goodbye == ErrorCodes.NO_ERROR


def test_a_body_must_come_in_time() -> None:
    house = Http2House(body_seconds=10)
    house.ask(RIGHT)
    house.expire(10)

    assert house.statuses() == [b"408"]
    assert house.goodbye is None


def test_a_frame_must_come_in_time() -> None:
    house = Http2House(header_seconds=10)
    answered(house, house.ask(RIGHT, ends=True))
    house.receive(b"\0")
    house.expire(10)
    assert house.goodbye == ErrorCodes.ENHANCE_YOUR_CALM


def test_too_many_wrong_tokens_are_held_and_then_told() -> None:
    house = Http2House()
    house.talk.lane.forgiven = 0
    house.ask(("callback-token", "wrong"))
    assert not house.talk.place.has_room()
    assert house.ask(RIGHT, ends=True) == []
    house.expire(1)

    assert house.statuses() == [b"429"]
    assert house.goodbye == ErrorCodes.ENHANCE_YOUR_CALM
    assert house.talk.lane.refusals[429] == 2


def test_a_callback_that_was_given_up_is_accounted_for() -> None:
    house = Http2House()
    found = house.ask(RIGHT, ends=True)
    house.peer.reset_stream(1)
    house.flush()
    answered(house, found)
    assert house.talk.lane.deliveries == [False]


def test_an_answer_behind_the_end_is_accounted_for() -> None:
    house = Http2House()
    found = house.ask(RIGHT, ends=True)
    house.tell(events.ConnectionClosed(house.client))
    answered(house, found)
    assert house.talk.lane.deliveries == [False]


def test_a_gateway_that_ends_says_so_once_all_is_answered() -> None:
    house = Http2House()
    found = house.ask(RIGHT, ends=True)
    house.talk.lane.is_draining = True
    answered(house, found)
    assert house.statuses() == [b"500"]
    assert house.goodbye == ErrorCodes.NO_ERROR


def test_a_fault_of_ours_ends_the_connection() -> None:
    house = Http2House()
    house.ask(("callback-token", "broken"), ends=True)

    assert house.cut == 1
    assert [type(fault).__name__ for fault in house.talk.lane.faults] == ["Broken"]


def test_a_client_that_takes_nothing_is_cut_off() -> None:
    house = Http2House(idle_seconds=120)
    house.talk.place.is_stuck = lambda: True
    found = house.ask(RIGHT, ends=True)
    house.expire(120)
    assert house.cut == 1
    assert found


def test_requests_for_other_paths_are_counted_until_they_have_ended() -> None:
    house = Http2House(upstream_requests=1)
    other = dict(HEAD) | {":path": "/legacy"}
    house.peer.send_headers(1, list(other.items()))
    house.flush()
    assert house.talk.lane.elsewhere == 1
    house.peer.send_headers(3, list(other.items()))
    house.flush()
    assert house.statuses() == [b"503"]
    house.peer.reset_stream(1)
    house.flush()
    assert house.talk.lane.elsewhere == 0


@pytest.mark.parametrize("ends", [True, False])
def test_a_wrong_token_is_answered_at_the_head(*, ends: bool) -> None:
    house = Http2House()
    [hook] = hooks_in(house.ask(("callback-token", "wrong"), ends=ends))
    assert isinstance(hook, WalletbridgeCallbackHook)
    assert not hook.exchange.request.has_token
    assert hook.exchange.request.body == b""

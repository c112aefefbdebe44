"""What follows of what a client says: answers in order, limits, times, and an end after whatever goes wrong."""

import pytest
from tests.unit.serve.lane.fakes import Broken, Talk, request

from walletbridge.gateway.gateway import Request
from walletbridge.protocol import answers
from walletbridge.protocol.answers import Answer
from walletbridge.protocol.outcomes import Result
from walletbridge.serve.lane.conversation import HELD_SECONDS, LINGER_SECONDS
from walletbridge.serve.lane.deadlines import NEVER

FINE = Answer(200, Result.OK, b'{"result":0}')


def status(data: bytes) -> int:
    return int(data.split(b" ", 2)[1])


def answer(talk: Talk, with_: Answer | None = FINE) -> bytes:
    """Has the last request answered; what goes out."""
    talk.wire.asked[-1].answer = with_
    talk.conversation.answered()
    return talk.wire.take()


def test_a_callback_is_asked_and_answered() -> None:
    talk = Talk()
    talk.conversation.received(request(b"the body"))
    [exchange] = talk.wire.asked

    assert exchange.request == Request("POST", has_token=True, body=b"the body", received_at=talk.lane.clock())
    assert talk.place.expires_at == NEVER
    assert answer(talk).endswith(b"\r\n\r\n" + FINE.body)
    assert talk.lane.deliveries == [True]
    assert talk.wire.closed == []


def test_pipelined_callbacks_are_asked_one_after_the_other() -> None:
    talk = Talk()
    talk.conversation.received(request(b"one") + request(b"two") + request(b"three")[:-1])

    assert [exchange.request.body for exchange in talk.wire.asked] == [b"one"]
    answer(talk)
    assert [exchange.request.body for exchange in talk.wire.asked] == [b"one", b"two"]
    answer(talk)
    talk.conversation.received(b"e")
    assert [exchange.request.body for exchange in talk.wire.asked] == [b"one", b"two", b"three"]


def test_what_is_sent_far_ahead_of_its_answer_is_not_read() -> None:
    talk = Talk(body_bytes=1000, header_bytes=1024)
    assert talk.conversation.has_room()
    talk.conversation.received(request())
    talk.conversation.received(b"x" * 2000)
    assert talk.conversation.has_room()
    talk.conversation.received(b"x" * 2000)
    assert not talk.conversation.has_room()


# Tokens and sizes


def test_a_wrong_token_is_answered_at_the_head() -> None:
    """The connection goes on behind the body, which nobody looks at."""
    talk = Talk()
    wrong = request(b"not looked at", token=b"wrong")
    talk.conversation.received(wrong[:-5])
    [exchange] = talk.wire.asked

    assert exchange.request[:3] == ("POST", False, b"")
    assert b"\r\nConnection: close" not in answer(talk, answers.WRONG_TOKEN)
    talk.conversation.received(wrong[-5:] + request(b"right"))
    assert talk.wire.asked[-1].request[:3] == ("POST", True, b"right")


@pytest.mark.parametrize(
    "head",
    [
        request(b"x" * 9000, token=b"wrong")[:-9000],
        request(fields=b"Expect: 100-continue\r\n", token=b"wrong")[:-4],
        request(token=b"wrong").replace(b"Content-Length: 4", b"Transfer-Encoding: chunked"),
        request(b"x" * 9000)[:-9000],
    ],
    ids=["a large body", "a body that may come or not", "chunks", "too large with the right token"],
)
def test_the_connection_ends_with_an_early_answer_if_the_body_is_not_cheap(head: bytes) -> None:
    talk = Talk(body_bytes=1000)
    talk.conversation.received(head)

    assert b"\r\nConnection: close\r\n" in answer(talk)
    assert talk.wire.closed == ["half"]
    talk.conversation.received(request() * 3)
    assert len(talk.wire.asked) == 1


def test_a_body_that_is_too_large_is_told_to_the_gateway_as_none() -> None:
    talk = Talk(body_bytes=1000)
    talk.conversation.received(request(b"x" * 1001))
    assert talk.wire.asked[-1].request[:3] == ("POST", True, None)
    answer(talk)
    talk.conversation.received(request(b"in chunks").replace(b"Content-Length: 9", b"Transfer-Encoding: chunked")[:-9])
    talk.conversation.received(b"3e9\r\n")
    assert talk.wire.asked[-1].request[:3] == ("POST", True, None)


def test_too_many_wrong_tokens_are_refused_in_a_while_and_a_right_one_never() -> None:
    talk = Talk()
    talk.lane.forgiven = 0
    talk.conversation.received(request())
    answer(talk)
    talk.conversation.received(request(token=b"wrong"))
    talk.conversation.received(request())

    assert talk.wire.take() == b""
    assert talk.seconds_left == HELD_SECONDS
    assert talk.lane.refusals == {429: 1}
    talk.conversation.expired()
    assert status(talk.wire.take()) == 429
    assert talk.wire.closed == ["half"]
    assert len(talk.wire.asked) == 1


def test_who_leaves_while_he_waits_for_his_refusal_is_forgotten() -> None:
    talk = Talk()
    talk.lane.forgiven = 0
    talk.conversation.received(request(token=b"wrong"))
    talk.conversation.left()

    assert talk.wire.closed == ["whole"]
    assert talk.seconds_left == NEVER
    assert talk.wire.take() == b""


# Connections


@pytest.mark.parametrize(
    ("data", "closes"),
    [
        (request(), False),
        (request(fields=b"Connection: close\r\n"), True),
        (request(version=b"1.0"), True),
        (request(version=b"1.0", fields=b"Connection: keep-alive\r\n"), False),
    ],
)
def test_a_connection_is_kept_if_the_client_wants_it(data: bytes, *, closes: bool) -> None:
    talk = Talk()
    talk.conversation.received(data)

    assert closes == (b"\r\nConnection: close\r\n" in answer(talk))
    assert talk.wire.closed == (["half"] if closes else [])


def test_every_answer_is_the_last_while_draining() -> None:
    talk = Talk()
    talk.conversation.received(request() + request())
    talk.lane.is_draining = True

    assert b"\r\nConnection: close\r\n" in answer(talk)
    assert len(talk.wire.asked) == 1


def test_a_head_request_gets_no_body() -> None:
    talk = Talk()
    talk.conversation.received(request(b"", method=b"HEAD"))

    assert answer(talk).endswith(b"content-length: 0\r\n\r\n")


def test_who_asks_to_continue_may_once() -> None:
    talk = Talk()
    data = request(b"body", b"Expect: 100-continue\r\n")
    talk.conversation.received(data[:-4])
    assert talk.wire.take() == b"HTTP/1.1 100 Continue\r\n\r\n"
    talk.conversation.received(b"bo")
    talk.conversation.received(b"dy")
    assert talk.wire.take() == b""
    assert talk.wire.asked[-1].request.body == b"body"


def test_who_does_not_wait_need_not_be_told_to_continue() -> None:
    talk = Talk()
    talk.conversation.received(request(b"body", b"Expect: 100-continue\r\n"))

    assert status(answer(talk)) == 200


def test_what_is_no_callback_is_handed_over_with_all_that_came() -> None:
    talk = Talk()
    other = b"GET /legacy HTTP/1.1\r\nHost: x\r\n\r\nand more"
    talk.conversation.received(request() + other)
    assert talk.wire.rest is None
    answer(talk)
    assert other == talk.wire.rest


def test_a_client_that_left_is_told_nothing_more() -> None:
    talk = Talk()
    talk.conversation.received(request())
    talk.conversation.left()

    assert answer(talk) == b""
    assert (talk.lane.deliveries, talk.wire.closed) == ([False], ["whole"])


def test_an_answer_that_cannot_go_out_is_not_delivered() -> None:
    talk = Talk()
    talk.conversation.received(request())
    talk.wire.is_closing = True

    assert answer(talk) == b""
    assert talk.lane.deliveries == [False]


# Times


@pytest.mark.parametrize(
    ("pieces", "seconds"),
    [
        ([b"POST"], 10),
        ([request()[:-1]], 20),
        ([request()[:-2], b"d"], 20),
        ([request() + b"POST"], 10),
        ([request()], 30),
        ([request(token=b"wrong")[:-1]], 20),
    ],
    ids=["a head", "a body", "more of a body", "the next head", "the next request", "a body to read over"],
)
def test_the_client_has_so_long_for(pieces: list[bytes], seconds: float) -> None:
    talk = Talk(header_seconds=10, body_seconds=20, idle_seconds=30)
    for piece in pieces:
        talk.conversation.received(piece)
        if talk.wire.asked and not talk.lane.deliveries:
            answer(talk)

    assert seconds == talk.seconds_left


def test_slow_bytes_win_no_time() -> None:
    talk = Talk(header_seconds=10, body_seconds=20)
    for byte in request()[:-4]:
        talk.conversation.received(bytes([byte]))
        talk.lane.clock.tick(0.01)
    talk.lane.clock.tick(5)
    talk.conversation.received(b"b")

    assert talk.seconds_left < 15.01


@pytest.mark.parametrize("data", [b"P", request()[:-1]])
def test_who_is_too_late_is_told(data: bytes) -> None:
    talk = Talk()
    talk.conversation.received(data)
    talk.conversation.expired()

    assert status(talk.wire.take()) == 408
    assert talk.wire.closed == ["half"]
    assert talk.seconds_left == LINGER_SECONDS


@pytest.mark.parametrize("data", [b"", request(), request(token=b"wrong")[:-1]])
def test_who_owes_no_request_is_just_left(data: bytes) -> None:
    talk = Talk()
    if data:
        talk.conversation.received(data)
        answer(talk)
    talk.conversation.expired()

    assert (talk.wire.take(), talk.wire.closed) == (b"", ["whole"])


def test_who_waits_for_an_answer_does_not_expire() -> None:
    talk = Talk()
    talk.conversation.received(request())
    talk.conversation.expired()

    assert talk.wire.closed == []


def test_who_does_not_close_after_the_last_answer_is_closed() -> None:
    talk = Talk()
    talk.conversation.received(b"noise\n")
    assert status(talk.wire.take()) == 400
    talk.conversation.received(request())
    talk.conversation.expired()

    assert (talk.wire.closed, talk.wire.asked) == (["half", "whole"], [])


# Faults


def test_an_answer_that_is_missing_is_unknown() -> None:
    talk = Talk()
    talk.conversation.received(request())

    assert answer(talk, None).endswith(answers.UNKNOWN.body)


def test_before_there_is_a_gateway_a_callback_is_asked_all_the_same() -> None:
    """Whoever is asked answers it as unknown."""
    talk = Talk()
    talk.lane.bridge = None
    talk.conversation.received(request(token=b"any"))

    assert status(answer(talk, None)) == 500


@pytest.mark.parametrize(
    "data", [request(token=b"broken"), request().replace(b"/callback", b"/callback?broken")], ids=["token", "target"]
)
def test_a_fault_is_an_unknown_outcome_and_the_end(data: bytes) -> None:
    talk = Talk()
    talk.conversation.received(data)
    sent = talk.wire.take()

    assert sent.endswith(answers.UNKNOWN.body)
    assert status(sent) == 500
    assert talk.wire.closed == ["half"]
    assert [type(error) for error in talk.lane.faults] == [Broken]
    assert talk.wire.rest is None

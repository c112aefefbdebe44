"""What an answer says, and what the provider makes of it."""

import pytest
from tests.money.faults.beliefs import Answer, Belief, Transaction, contradiction, read_answer


@pytest.mark.parametrize(
    ("command", "content", "answer"),
    [
        ("bet", b'{"result":0,"status":"OK","data":{"balance":90.5}}', Answer(0)),
        ("win", b'{"result":41,"status":"ERROR","data":{"balance":100}}', Answer(41)),
        ("cancel", b'{"result":42,"status":"ERROR","data":{"balance":100}}', Answer(42)),
        ("bet", b'{"result":99,"status":"ERROR","data":{"balance":0}}', Answer(99)),
        ("win", b'{"result":21,"status":"ERROR"}', Answer(21)),
        ("status", b'{"result":0,"status":"OK","data":{"trans_id":1,"trans_status":"OK"}}', Answer(0, "OK")),
        (
            "status",
            b'{"result":0,"status":"OK","data":{"trans_id":1,"trans_status":"CANCELED"}}',
            Answer(0, "CANCELED"),
        ),
    ],
)
def test_definite_answers(command: str, content: bytes, answer: Answer) -> None:
    assert read_answer(command, 200, content, 0.0) == answer


@pytest.mark.parametrize(
    ("command", "status", "content"),
    [
        ("bet", 502, b"<html>"),
        ("bet", 405, b'{"result":99,"status":"ERROR"}'),
        ("bet", 200, b""),
        ("bet", 200, b"[]"),
        ("bet", 200, b'{"result":"0","status":"OK","data":{"balance":1}}'),
        ("bet", 200, b'{"result":true,"status":"OK","data":{"balance":1}}'),
        ("bet", 200, b'{"result":7,"status":"ERROR","data":{"balance":1}}'),
        ("bet", 200, b'{"result":0,"status":"ERROR","data":{"balance":1}}'),
        ("bet", 200, b'{"result":0,"status":"OK","data":{"balance":"1"}}'),
        ("bet", 200, b'{"result":0,"status":"OK"}'),
        ("status", 200, b'{"result":0,"status":"OK","data":{"trans_id":1,"trans_status":"CANCELLED"}}'),
        # No answer to this command, with the checks that it has.
        ("bet", 200, b'{"result":42,"status":"ERROR","data":{"balance":1}}'),
        ("win", 200, b'{"result":31,"status":"ERROR","data":{"balance":1}}'),
        ("cancel", 200, b'{"result":41,"status":"ERROR","data":{"balance":1}}'),
        ("cancel", 200, b'{"result":31,"status":"ERROR","data":{"balance":1}}'),
        ("status", 200, b'{"result":99,"status":"ERROR","data":{"balance":1}}'),
    ],
)
def test_what_is_no_answer_of_the_protocol_is_wrong(command: str, status: int, content: bytes) -> None:
    answer = read_answer(command, status, content, 0.0)

    assert answer.result is None
    assert str(status) in answer.wrong


def test_500_is_heard_and_says_nothing() -> None:
    answer = read_answer("bet", 500, b'{"result":99,"status":"ERROR"}', 0.1)

    assert answer == Answer(failure="500", seconds=0.1)
    assert answer.is_heard
    assert not Answer(failure="late").is_heard


@pytest.mark.parametrize(
    ("belief", "command", "answer", "is_wrong"),
    [
        (Belief.APPLIED, "bet", Answer(41), False),
        (Belief.APPLIED, "bet", Answer(0), True),
        (Belief.APPLIED, "win", Answer(99), True),
        (Belief.CANCELLED, "bet", Answer(99), False),
        (Belief.CANCELLED, "bet", Answer(0), True),
        (Belief.APPLIED, "bet", Answer(failure="500"), False),
        (Belief.APPLIED, "status", Answer(0, "OK"), False),
        (Belief.APPLIED, "status", Answer(0, "CANCELED"), True),
        (Belief.APPLIED, "status", Answer(42), True),
        (Belief.CANCELLED, "status", Answer(0, "CANCELED"), False),
        (Belief.CANCELLED, "status", Answer(42), False),
        (Belief.CANCELLED, "status", Answer(0, "OK"), True),
        (Belief.CANCEL_GIVEN_UP, "status", Answer(0, "OK"), False),
        # Its stake would be taken though it was refused.
        (Belief.REFUSED, "status", Answer(0, "OK"), True),
        (Belief.REFUSED, "status", Answer(42), False),
    ],
)
def test_later_answers_must_fit_what_was_said_before(
    belief: Belief, command: str, answer: Answer, *, is_wrong: bool
) -> None:
    transaction = Transaction(1, "test1234", "bet", 100, "r", belief)

    assert bool(contradiction(transaction, command, answer)) is is_wrong


def test_a_win_that_was_refused_may_be_made_by_its_double() -> None:
    win = Transaction(1, "test1234", "win", 100, "r", Belief.REFUSED)

    assert not contradiction(win, "status", Answer(0, "OK"))

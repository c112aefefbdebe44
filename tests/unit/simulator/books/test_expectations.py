"""The answers that the protocol allows, given how things stand."""

import pytest

from walletbridge.protocol.callbacks import Command
from walletbridge.simulator.books.expectations import State, expectations
from walletbridge.simulator.wire.calls import Call

ABSENT, APPLIED, CANCELLED, BARRED = State
START = 100


def answers(command: Command, delta: int, state: State) -> list[tuple[int, State, int]]:
    """Each allowed answer's result, what it makes of the transaction, and the balance after it."""
    call = Call(command=command, account="test1234", trans_id=1, amount=abs(delta))
    return [(int(one.result), one.state, one.balance) for one in expectations(call, delta, state, START)]


@pytest.mark.parametrize(
    ("delta", "state", "allowed"),
    [
        (-30, ABSENT, [(0, APPLIED, 70), (99, ABSENT, 100)]),
        (-100, ABSENT, [(0, APPLIED, 0), (99, ABSENT, 100)]),  # the whole balance is covered
        (-101, ABSENT, [(31, ABSENT, 100)]),  # one more is not, and 99 will not do
        (0, ABSENT, [(0, APPLIED, 100), (99, ABSENT, 100)]),
        (-30, APPLIED, [(41, APPLIED, 100)]),
        (-101, APPLIED, [(41, APPLIED, 100)]),  # 41 before 31
        (-30, CANCELLED, [(41, CANCELLED, 100), (99, CANCELLED, 100)]),
        (-30, BARRED, [(99, BARRED, 100), (41, BARRED, 100)]),  # a bet never lands after its cancel
        (-101, BARRED, [(99, BARRED, 100), (41, BARRED, 100), (31, BARRED, 100)]),
    ],
)
def test_a_bet(delta: int, state: State, allowed: list[tuple[int, State, int]]) -> None:
    assert answers(Command.BET, delta, state) == allowed


@pytest.mark.parametrize(
    ("delta", "state", "allowed"),
    [
        (30, ABSENT, [(0, APPLIED, 130), (99, ABSENT, 100)]),
        (0, ABSENT, [(0, APPLIED, 100), (99, ABSENT, 100)]),
        (30, APPLIED, [(41, APPLIED, 100)]),
        (30, CANCELLED, [(41, CANCELLED, 100), (99, CANCELLED, 100)]),
    ],
)
def test_a_win(delta: int, state: State, allowed: list[tuple[int, State, int]]) -> None:
    assert answers(Command.WIN, delta, state) == allowed


@pytest.mark.parametrize(
    ("delta", "state", "allowed"),
    [
        (-30, APPLIED, [(0, CANCELLED, 130), (99, APPLIED, 100)]),  # a bet's stake comes back
        (30, APPLIED, [(0, CANCELLED, 70), (99, APPLIED, 100)]),  # a win is taken back
        (-30, CANCELLED, [(0, CANCELLED, 100), (99, CANCELLED, 100)]),
        (-30, ABSENT, [(42, BARRED, 100)]),
        (-30, BARRED, [(42, BARRED, 100), (0, BARRED, 100)]),
    ],
)
def test_a_cancel(delta: int, state: State, allowed: list[tuple[int, State, int]]) -> None:
    assert answers(Command.CANCEL, delta, state) == allowed


@pytest.mark.parametrize(
    ("state", "allowed"),
    [
        (ABSENT, ["result 42 with balance 0.000001"]),
        (APPLIED, ['result 0 with trans_status "OK"']),
        (CANCELLED, ['result 0 with trans_status "CANCELED"']),
        (BARRED, ["result 42 with balance 0.000001", 'result 0 with trans_status "CANCELED"']),
    ],
)
def test_a_status(state: State, allowed: list[str]) -> None:
    call = Call(command=Command.STATUS, account="test1234", trans_id=1)

    assert [str(one) for one in expectations(call, -30, state, START)] == allowed


@pytest.mark.parametrize("command", [Command.AUTHENTICATE, Command.BALANCE])
def test_a_read_of_the_balance(command: Command) -> None:
    assert answers(command, 0, ABSENT) == [(0, ABSENT, 100)]

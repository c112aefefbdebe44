"""A line of the provider's book."""

import pytest

from walletbridge.protocol.callbacks import Command
from walletbridge.simulator.books.transactions import Belief, Transaction
from walletbridge.simulator.wire.calls import Call


def transaction(command: Command = Command.WIN, amount: int = 5) -> Transaction:
    return Transaction(Call(command=command, account="test1234", trans_id=1, amount=amount))


@pytest.mark.parametrize(("command", "delta"), [(Command.BET, -5), (Command.WIN, 5)])
def test_what_it_does_to_the_balance(command: Command, delta: int) -> None:
    assert transaction(command).delta == delta


def test_nothing_is_believed_before_an_answer() -> None:
    """Should the run end right now, nobody knows of it."""
    one = transaction()

    assert (one.belief, one.settled, one.is_applied) == (Belief.GIVEN_UP, False, False)


def test_a_belief_is_settled_and_doubted() -> None:
    one = transaction()
    one.settle(Belief.APPLIED)
    assert (one.is_applied, one.settled) == (True, True)

    one.doubt(Belief.CANCELLED)
    assert (one.belief, one.is_applied, one.settled) == (Belief.CANCELLED, False, False)

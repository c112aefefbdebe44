"""A wallet that moves money each time it is asked to: nothing is sent twice, and a person settles what nobody knows."""

from collections import Counter
from typing import Any

import grpc
import pytest
from google.protobuf.message import Message
from tests.examples.house import House
from tests.support.callbacks import make_callback
from tests.support.processes import UNKNOWN

from walletbridge.demo.wallet import Abort

pytestmark = [
    pytest.mark.asyncio(loop_scope="package"),
    pytest.mark.parametrize("shared_house", ["debit-credit-unprotected"], indirect=True),
]

ACCOUNT = "test1234"
MOVES = frozenset({"Debit", "Credit"})


async def play(house: House, command: str, /, **data: Any) -> tuple[int, bytes]:
    return await house.post(make_callback(command, trans_id=1, amount=100, **data))


def made(balance: int) -> tuple[int, bytes]:
    return 200, b'{"result":0,"status":"OK","data":{"balance":%d}}' % balance


def refused(result: int, balance: int) -> tuple[int, bytes]:
    return 200, b'{"result":%d,"status":"ERROR","data":{"balance":%d}}' % (result, balance)


def break_off(method: str, response: Any) -> Message:
    """The wallet has done what it should, and the connection breaks."""
    del method, response
    raise Abort(grpc.StatusCode.UNAVAILABLE)


def moves(house: House) -> Counter[str]:
    """What the wallet was asked to do."""
    return Counter(method for method, _ in house.wallet.script.calls if method in MOVES)


@pytest.fixture
def table(house: House) -> House:
    """The player has 1000 units."""
    house.wallet.ledger.add_player(ACCOUNT, 100_000)
    return house


async def test_a_win_of_which_nobody_heard_is_not_sent_again(table: House) -> None:
    table.wallet.script.say = break_off
    assert await play(table, "win") == UNKNOWN
    table.wallet.script.say = None
    assert [await play(table, "win") for _ in range(3)] == [UNKNOWN] * 3

    assert (moves(table), table.wallet.balance(ACCOUNT)) == ({"Credit": 1}, 110_000)
    assert set(table.unsettled()) == {"1"}


@pytest.mark.parametrize(("decision", "answer"), [("applied", refused(41, 1100)), ("cancelled", refused(99, 1100))])
async def test_a_person_says_what_became_of_a_win(table: House, decision: str, answer: tuple[int, bytes]) -> None:
    """And is believed, right or wrong."""
    table.wallet.script.say = break_off
    assert await play(table, "win") == UNKNOWN
    table.wallet.script.say = None
    table.resolve("1", decision)

    assert table.unsettled() == {}
    assert await play(table, "win") == answer
    assert moves(table) == {"Credit": 1}


async def test_the_cancel_of_a_bet_of_which_nobody_heard_is_for_a_person(table: House) -> None:
    """The stake may not have been taken, so giving it back may give away money."""
    table.wallet.script.say = break_off
    assert await play(table, "bet") == UNKNOWN
    table.wallet.script.say = None
    assert [await play(table, "cancel") for _ in range(2)] == [UNKNOWN] * 2

    assert moves(table) == {"Debit": 1}
    assert set(table.unsettled()) == {"1"}
    assert await play(table, "status") == UNKNOWN


async def test_a_cancel_of_which_nobody_heard_is_not_sent_again(table: House) -> None:
    assert await play(table, "bet") == made(900)
    table.wallet.script.say = break_off
    assert await play(table, "cancel") == UNKNOWN
    table.wallet.script.say = None
    assert [await play(table, "cancel") for _ in range(3)] == [UNKNOWN] * 3

    assert (moves(table), table.wallet.balance(ACCOUNT)) == ({"Debit": 1, "Credit": 1}, 100_000)
    assert set(table.unsettled()) == {"1"}


async def test_a_person_says_that_a_cancel_was_made(table: House) -> None:
    assert await play(table, "bet") == made(900)
    table.wallet.script.say = break_off
    assert await play(table, "cancel") == UNKNOWN
    table.wallet.script.say = None
    table.resolve("1", "cancelled")

    assert await play(table, "cancel") == made(1000)
    assert (await play(table, "status"))[1].endswith(b'"CANCELED"}}')
    assert moves(table) == {"Debit": 1, "Credit": 1}


async def test_a_bet_that_was_refused_is_not_sent_again(table: House) -> None:
    """RULES 6: a refusal is an answer, and its sender goes by it."""
    table.wallet.ledger.add_player(ACCOUNT, 9_999)
    assert await play(table, "bet") == (200, b'{"result":31,"status":"ERROR","data":{"balance":99.99}}')
    table.wallet.ledger.add_player(ACCOUNT, 10_000)

    assert await play(table, "bet") == (200, b'{"result":31,"status":"ERROR","data":{"balance":100}}')
    assert moves(table) == {"Debit": 1}

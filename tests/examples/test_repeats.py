"""What comes twice, late, or under a number that is taken moves money once, whatever the wallet promises."""

from typing import Any

import pytest
from tests.examples.house import House
from tests.support.callbacks import make_callback

pytestmark = pytest.mark.asyncio(loop_scope="package")

ACCOUNT = "test1234"
OTHER = "other123"


async def play(house: House, command: str, /, **data: Any) -> tuple[int, bytes]:
    return await house.post(make_callback(command, **data))


def made(balance: int) -> tuple[int, bytes]:
    return 200, b'{"result":0,"status":"OK","data":{"balance":%d}}' % balance


def refused(result: int, balance: int) -> tuple[int, bytes]:
    return 200, b'{"result":%d,"status":"ERROR","data":{"balance":%d}}' % (result, balance)


def status(state: str) -> tuple[int, bytes]:
    return 200, b'{"result":0,"status":"OK","data":{"trans_id":1,"trans_status":"%s"}}' % state.encode()


@pytest.fixture
def table(house: House) -> House:
    """Both players have 1000 units."""
    for account in (ACCOUNT, OTHER):
        house.wallet.ledger.add_player(account, 100_000)
    return house


@pytest.mark.parametrize(("kind", "after"), [("bet", 900), ("win", 1100)])
async def test_a_repeat_moves_nothing_and_has_the_balance_of_now(table: House, kind: str, after: int) -> None:
    assert await play(table, kind, trans_id=1, amount=100) == made(after)
    assert await play(table, "win", trans_id=2, amount=50) == made(after + 50)

    assert await play(table, kind, trans_id=1, amount=100) == refused(41, after + 50)
    assert await play(table, "status", trans_id=1) == status("OK")
    assert table.wallet.balance(ACCOUNT) == 100 * (after + 50)


@pytest.mark.parametrize(("kind", "after"), [("bet", 900), ("win", 1100)])
async def test_a_second_cancel_moves_nothing_and_has_the_balance_of_now(table: House, kind: str, after: int) -> None:
    assert await play(table, kind, trans_id=1, amount=100) == made(after)
    assert await play(table, "cancel", trans_id=1) == made(1000)
    assert await play(table, "win", trans_id=2, amount=50) == made(1050)

    assert await play(table, "cancel", trans_id=1) == made(1050)
    assert await play(table, "status", trans_id=1) == status("CANCELED")
    assert table.wallet.balance(ACCOUNT) == 105_000


@pytest.mark.parametrize("kind", ["bet", "win"])
async def test_what_was_cancelled_is_not_made_again(table: House, kind: str) -> None:
    await play(table, kind, trans_id=1, amount=100)
    await play(table, "cancel", trans_id=1)

    assert await play(table, kind, trans_id=1, amount=100) in {refused(41, 1000), refused(99, 1000)}
    assert table.wallet.balance(ACCOUNT) == 100_000


@pytest.mark.parametrize("kind", ["bet", "win"])
async def test_what_comes_after_its_cancel_is_not_made(table: House, kind: str) -> None:
    assert await play(table, "cancel", trans_id=1) == refused(42, 1000)

    assert await play(table, kind, trans_id=1, amount=100) == refused(99, 1000)
    assert await play(table, "status", trans_id=1) == refused(42, 1000)
    assert table.wallet.balance(ACCOUNT) == 100_000


async def test_a_bet_that_was_refused_is_refused_again_also_once_the_balance_would_cover_it(table: House) -> None:
    """RULES 6: a provider never repeats a bet, so this is its double on the wire, and its sender has heard 31."""
    assert await play(table, "bet", trans_id=1, amount=1001) == refused(31, 1000)
    assert await play(table, "win", trans_id=2, amount=1) == made(1001)

    assert await play(table, "bet", trans_id=1, amount=1001) == refused(31, 1001)
    assert await play(table, "bet", trans_id=3, amount=1001) == made(0)


@pytest.mark.parametrize(
    ("kind", "changed"),
    [("bet", {"amount": 99}), ("win", {"amount": 100}), ("bet", {"amount": 100, "account": OTHER})],
    ids=["amount", "kind", "account"],
)
async def test_a_number_stands_for_one_movement(table: House, kind: str, changed: dict[str, Any]) -> None:
    assert await play(table, "bet", trans_id=1, amount=100) == made(900)
    balance = 1000 if "account" in changed else 900

    assert await play(table, kind, trans_id=1, **changed) == refused(41, balance)
    assert (table.wallet.balance(ACCOUNT), table.wallet.balance(OTHER)) == (90_000, 100_000)


async def test_the_cancel_of_another_player_s_bet_moves_nothing(table: House) -> None:
    assert await play(table, "bet", trans_id=1, amount=100) == made(900)

    assert await play(table, "cancel", trans_id=1, account=OTHER) == refused(42, 1000)
    assert (table.wallet.balance(ACCOUNT), table.wallet.balance(OTHER)) == (90_000, 100_000)


@pytest.mark.parametrize("command", ["authenticate", "balance", "bet", "win", "cancel", "status"])
async def test_nobody_is_known_to_no_wallet(table: House, command: str) -> None:
    assert await play(table, command, account="nobody") == (200, b'{"result":21,"status":"ERROR"}')


@pytest.mark.parametrize("command", ["balance", "bet", "win", "cancel"])
async def test_a_player_who_may_not_play_is_refused(table: House, command: str) -> None:
    table.wallet.ledger.add_player("inactive1", 100_000, active=False)

    assert await play(table, command, account="inactive1") == (200, b'{"result":22,"status":"ERROR"}')


async def test_the_door_is_open_to_a_player_who_may_not_play(table: House) -> None:
    """Check 22 is not among those of `authenticate`."""
    table.wallet.ledger.add_player("inactive1", 100_000, active=False)

    assert await play(table, "authenticate", account="inactive1") == (
        200,
        b'{"result":0,"status":"OK","data":{"account":"inactive1","balance":1000}}',
    )

"""Amounts at the edges of what a wallet's own types can say: exact in both directions, or refused and not sent."""

import math
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.message import Message
from tests.examples.house import House, Say, running_house
from tests.support.callbacks import raw_body
from tests.support.processes import UNKNOWN

pytestmark = pytest.mark.asyncio(loop_scope="package")

ACCOUNT = "test1234"
INT64_MAX = 2**63 - 1
WITH_INTEGERS = ["wallet.v1", "status-enum", "error-info", "process-oneof", "proto2-legacy"]
WITH_DOUBLES = ["debit-credit", "debit-credit-unprotected"]
DOUBLE_MINOR_MAX = 10**15 - 1
"""In minor units; up to here every amount has a double of its own."""


def units(minor: int) -> str:
    """As the answer has it: the fewest digits that are exact."""
    text = f"{Decimal(minor).scaleb(-2):f}"
    return text.rstrip("0").rstrip(".")


def answered(balance_minor: int) -> tuple[int, bytes]:
    return 200, b'{"result":0,"status":"OK","data":{"balance":%s}}' % units(balance_minor).encode()


async def move(house: House, kind: str, minor: int, trans_id: int) -> tuple[int, bytes]:
    return await house.post(raw_body(kind, amount=units(minor), trans_id=str(trans_id)))


@pytest.mark.parametrize("minor", [0, 1, 10, 29, 1050, 9029, 12_345_678_901, DOUBLE_MINOR_MAX])
async def test_what_is_moved_is_what_was_asked_for(house: House, minor: int) -> None:
    house.wallet.ledger.add_player(ACCOUNT, minor)

    assert await move(house, "bet", minor, 1) == answered(0)
    assert await move(house, "win", minor, 2) == answered(minor)
    entries, wrong = house.wallet.entries()
    assert ({entry.amount for entry in entries.values()}, wrong) == ({minor}, [])


@pytest.mark.parametrize("shared_house", WITH_INTEGERS, indirect=True)
@pytest.mark.parametrize("minor", [2**53 + 1, INT64_MAX - 1, INT64_MAX])
async def test_what_no_double_can_say_is_moved_exactly_where_no_double_is_used(house: House, minor: int) -> None:
    house.wallet.ledger.add_player(ACCOUNT, minor)

    assert await move(house, "bet", minor, 1) == answered(0)
    assert await move(house, "win", minor, 2) == answered(minor)
    assert house.wallet.balance(ACCOUNT) == minor


@pytest.mark.parametrize("shared_house", WITH_DOUBLES, indirect=True)
@pytest.mark.parametrize("minor", [DOUBLE_MINOR_MAX + 1, 2**53, 2**53 + 1, INT64_MAX])
@pytest.mark.parametrize("kind", ["bet", "win"])
async def test_what_no_double_can_say_is_not_sent(house: House, kind: str, minor: int) -> None:
    house.wallet.ledger.add_player(ACCOUNT, 1000)

    assert await move(house, kind, minor, 1) == UNKNOWN
    assert [method for method, _ in house.wallet.script.calls if method != "GetBalance"] == []
    assert house.wallet.balance(ACCOUNT) == 1000


async def balance_of(house: House, say: Say) -> tuple[int, bytes]:
    """The answer to `balance` for a wallet that says so."""
    house.wallet.ledger.add_player(ACCOUNT, 1000)
    house.wallet.script.silent_on, house.wallet.script.say = frozenset({"FindPlayer"}), say
    return await house.post(raw_body("balance"))


def with_balance(**fields: Any) -> Say:
    """The response with this instead of its balance."""

    def say(method: str, response: Any) -> Message:
        del method
        for name in fields:
            response.ClearField(name)
        response.MergeFrom(type(response)(**fields))
        return response  # type: ignore[no-any-return]

    return say


@pytest.mark.parametrize("shared_house", ["status-enum"], indirect=True)
@pytest.mark.parametrize(
    ("text", "minor"),
    [
        ("10.50000000", 1050),
        ("10", 1000),
        ("10.5", 1050),
        ("0.00", 0),
        ("-0.00", 0),
        ("-3.01", -301),
        ("92233720368547758.07", INT64_MAX),
        ("10.00000001", None),
        ("10.005", None),
        ("92233720368547758.08", None),
        ("", None),
        ("NaN", None),
        ("Infinity", None),
        ("10,5", None),
        ("ten", None),
    ],
)
async def test_a_decimal_string_is_read_exactly_or_not_at_all(house: House, text: str, minor: int | None) -> None:
    expected = UNKNOWN if minor is None else answered(minor)

    assert await balance_of(house, with_balance(balance=text)) == expected


async def test_eight_decimals_are_exact_where_the_currency_has_them(tmp_path: Path) -> None:
    async with running_house("status-enum", tmp_path, wallet={"currency_decimals": 8}) as house:
        house.wallet.ledger.add_player(ACCOUNT, 1000)
        house.wallet.script.say = with_balance(balance="92233720368.54775807")
        answer = await house.post(raw_body("win", amount="0.12345678"))

        assert answer == (200, b'{"result":0,"status":"OK","data":{"balance":92233720368.54775807}}')
        [(method, request)] = house.wallet.script.calls
        assert (method, request.amount) == ("Deposit", "0.12345678")


@pytest.mark.parametrize("shared_house", ["error-info"], indirect=True)
@pytest.mark.parametrize(
    ("whole", "nanos", "minor"),
    [
        (1, 10_000_000, 101),
        (0, 990_000_000, 99),
        (-1, -10_000_000, -101),
        (92233720368547758, 70_000_000, INT64_MAX),
        (1, 5_000_000, None),
        (1, 1, None),
        (1, -10_000_000, None),
        (-1, 10_000_000, None),
        (1, 1_000_000_000, None),
        (92233720368547758, 80_000_000, None),
        (INT64_MAX, 0, None),
    ],
)
async def test_money_with_nanos_is_read_exactly_or_not_at_all(
    house: House, whole: int, nanos: int, minor: int | None
) -> None:
    money = {"currency_code": "EUR", "units": whole, "nanos": nanos}
    expected = UNKNOWN if minor is None else answered(minor)

    assert await balance_of(house, with_balance(balance=money)) == expected


@pytest.mark.parametrize("shared_house", ["process-oneof"], indirect=True)
@pytest.mark.parametrize(
    ("cents", "minor"), [(0, 0), (2**53 + 1, 2**53 + 1), (INT64_MAX, INT64_MAX), (2**63, None), (2**64 - 1, None)]
)
async def test_a_uint64_is_read_exactly_or_not_at_all(house: House, cents: int, minor: int | None) -> None:
    expected = UNKNOWN if minor is None else answered(minor)

    assert await balance_of(house, with_balance(done={"balance": cents})) == expected


@pytest.mark.parametrize("shared_house", WITH_DOUBLES, indirect=True)
@pytest.mark.parametrize(
    ("double", "minor"),
    [
        (0.1, 10),
        (0.3, 30),
        (10.5, 1050),
        (-0.0, 0),
        (-3.01, -301),
        (9_999_999_999_999.99, DOUBLE_MINOR_MAX),
        (0.1 + 0.2, None),
        (10.005, None),
        (math.nextafter(0.3, 1), None),
        (2**53 / 100, None),
        (10.0**13, None),
        (math.inf, None),
        (math.nan, None),
    ],
)
async def test_a_double_is_read_exactly_or_not_at_all(house: House, double: float, minor: int | None) -> None:
    expected = UNKNOWN if minor is None else answered(minor)

    assert await balance_of(house, with_balance(balance=double)) == expected

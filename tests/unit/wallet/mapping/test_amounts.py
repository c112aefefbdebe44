"""Amounts in the forms of wallets: exact in both directions, or refused."""

import math
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from walletbridge.protocol.errors import NotSayable
from walletbridge.wallet.mapping import amounts

INT64_MAX = 2**63 - 1
ANY = st.integers(-INT64_MAX - 1, INT64_MAX)
POSITIVE = st.integers(0, INT64_MAX)
DECIMALS = st.integers(0, 8)


@given(ANY, DECIMALS)
def test_a_decimal_string_is_exact_in_both_directions(minor: int, decimals: int) -> None:
    text = amounts.to_decimal(minor, decimals)

    assert Decimal(text) * 10**decimals == minor
    assert amounts.from_decimal(text, decimals) == minor


@given(POSITIVE, DECIMALS)
def test_units_and_nanos_are_exact_in_both_directions(minor: int, decimals: int) -> None:
    units, nanos = amounts.to_units(minor, decimals), amounts.to_nanos(minor, decimals)

    assert (units * 10**9 + nanos) * 10**decimals == minor * 10**9
    assert amounts.from_units_and_nanos(units, nanos, decimals) == minor
    assert amounts.from_units_and_nanos(-units, -nanos, decimals) == -minor


@given(st.integers(-(10**15) + 1, 10**15 - 1), DECIMALS)
def test_a_double_is_exact_in_both_directions_where_each_amount_has_one_of_its_own(minor: int, decimals: int) -> None:
    double = amounts.to_double(minor, decimals)

    assert amounts.from_double(double, decimals) == minor
    assert amounts.from_double_rounded(double, decimals) == minor


@pytest.mark.parametrize("minor", [10**15, 2**53, -(10**15), INT64_MAX])
@pytest.mark.parametrize("decimals", [0, 2, 8])
def test_beyond_that_a_double_is_refused(minor: int, decimals: int) -> None:
    """At 2**53 cents neighbours share a double: nobody could say which amount it was."""
    with pytest.raises(NotSayable, match="a double does not hold exactly"):
        amounts.to_double(minor, decimals)
    assert amounts.from_double(minor / 10**decimals, decimals) is None
    assert amounts.from_double_rounded(minor / 10**decimals, decimals) is None


def test_why_doubles_end_there() -> None:
    assert any(minor / 100 == (minor + 1) / 100 for minor in range(2**53, 2**53 + 100))


@pytest.mark.parametrize(
    ("value", "exact", "rounded"),
    [
        (10.1, 1010, 1010),
        (-0.0, 0, 0),
        (0.1 + 0.2, None, 30),
        (1.005, None, 100),
        (0.125, None, 12),
        (math.nan, None, None),
        (math.inf, None, None),
        (-math.inf, None, None),
        (1e300, None, None),
        (5e-324, None, 0),
    ],
)
def test_a_double_that_is_no_amount_s_is_not_taken_for_one(
    value: float, exact: int | None, rounded: int | None
) -> None:
    assert amounts.from_double(value, 2) == exact
    assert amounts.from_double_rounded(value, 2) == rounded


@pytest.mark.parametrize(
    ("text", "decimals", "minor"),
    [
        ("10", 2, 1000),
        ("10.5", 2, 1050),
        ("10.50000000", 2, 1050),
        ("-0.01", 2, -1),
        ("-0", 2, 0),
        ("0.00000001", 8, 1),
        ("12345678.12345678", 8, 1234567812345678),
        ("92233720368547758.07", 2, INT64_MAX),
        ("-92233720368547758.08", 2, -INT64_MAX - 1),
        ("92233720368547758.08", 2, None),
        ("0.001", 2, None),
        ("10.00000001", 2, None),
        ("1.5", 0, None),
        ("1e3", 2, None),
        (".5", 2, None),
        ("5.", 2, None),
        ("+5", 2, None),
        (" 5", 2, None),
        ("1,000.00", 2, None),
        ("٣", 2, None),
        ("", 2, None),
        ("NaN", 2, None),
        ("1" * 65, 2, None),
    ],
)
def test_a_decimal_string_counts_by_value_and_is_never_rounded(text: str, decimals: int, minor: int | None) -> None:
    assert amounts.from_decimal(text, decimals) == minor


@pytest.mark.parametrize(
    ("units", "nanos", "decimals", "minor"),
    [
        (1, 500_000_000, 2, 150),
        (-1, -500_000_000, 2, -150),
        (0, -10_000_000, 2, -1),
        (5, 0, 0, 5),
        (1, 500_000_000, 0, None),
        (1, 1, 2, None),
        (1, -1, 2, None),
        (-1, 1, 2, None),
        (0, 1_000_000_000, 2, None),
        (2**63 - 1, 0, 2, None),
        (92233720368547758, 70_000_000, 2, INT64_MAX),
        (92233720368547758, 80_000_000, 2, None),
    ],
)
def test_units_and_nanos_are_read_as_one_amount_or_not_at_all(
    units: int, nanos: int, decimals: int, minor: int | None
) -> None:
    assert amounts.from_units_and_nanos(units, nanos, decimals) == minor


@pytest.mark.parametrize(
    ("value", "minor"),
    [(0, 0), (INT64_MAX, INT64_MAX), (-INT64_MAX - 1, -INT64_MAX - 1), (2**63, None), (2**64 - 1, None)],
)
def test_minor_units_beyond_int64_are_refused(value: int, minor: int | None) -> None:
    assert amounts.from_integer(value) == minor
    assert amounts.from_digits(str(value)) == minor


@pytest.mark.parametrize("text", ["", "1.0", "+1", " 1", "1e2", "0x1", "1_000", "1" * 20])
def test_minor_units_as_text_are_digits(text: str) -> None:
    assert amounts.from_digits(text) is None

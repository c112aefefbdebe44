"""JSON numbers to minor units and back, exactly."""

import json
from decimal import Decimal

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from walletbridge.protocol.money import INT64_MAX, NotAnAmount, format_minor, parse_amount

INT64_MIN = -(2**63)
DECIMALS = range(9)

NEGATIVE = "must not be negative"
NOT_PLAIN = "expected a number, or a string that holds a plain decimal number"
TOO_FINE = "has more than the currency's 2 decimals"
TOO_LARGE = "is too large: its minor units exceed 64 bits"

int64s = st.integers(INT64_MIN, INT64_MAX)
amounts = st.integers(0, INT64_MAX)
decimals_of_currencies = st.sampled_from(DECIMALS)


@pytest.mark.parametrize(
    ("number", "minor"),
    [
        # Whole numbers.
        (0, 0),
        (1, 100),
        (1000, 100_000),
        # Fractions, as fine as the currency.
        (Decimal("0.01"), 1),
        (Decimal("10.5"), 1050),
        (Decimal("10.50"), 1050),
        # Precision goes by value.
        (Decimal("1.500"), 150),
        (Decimal("1.50000000000000000000000000000000000000000"), 150),
        (Decimal("1e3"), 100_000),
        (Decimal("1E+3"), 100_000),
        (Decimal("1000e-3"), 100),
        (Decimal("1e-2"), 1),
        # Zero has no sign and no exponent.
        (-0, 0),
        (Decimal("-0.0"), 0),
        (Decimal("0e999999"), 0),
        (Decimal("0e-999999"), 0),
        (Decimal("0.000"), 0),
        # Strings that hold a plain decimal number.
        ("10.50", 1050),
        ("1000", 100_000),
        ("0", 0),
        ("-0", 0),
        ("-0.00", 0),
        ("007", 700),
        ("1.500", 150),
        # The last that int64 holds, and with zeros that change nothing.
        (Decimal("92233720368547758.07"), INT64_MAX),
        ("92233720368547758.07", INT64_MAX),
        (Decimal("92233720368547758.0700"), INT64_MAX),
        ("000000000092233720368547758.07", INT64_MAX),
        (92233720368547758, INT64_MAX - 7),
    ],
)
def test_an_amount_becomes_minor_units(number: int | Decimal | str, minor: int) -> None:
    assert parse_amount(number, 2) == minor


@pytest.mark.parametrize(
    ("number", "problem"),
    [
        # Negative, of any size.
        (-1, NEGATIVE),
        (Decimal("-0.01"), NEGATIVE),
        (Decimal("-0.001"), NEGATIVE),
        (Decimal("-1e999999999"), NEGATIVE),
        ("-1", NEGATIVE),
        (-(10**40), NEGATIVE),
        # Finer than the currency, by value.
        (Decimal("0.001"), TOO_FINE),
        (Decimal("10.505"), TOO_FINE),
        (Decimal("1e-3"), TOO_FINE),
        (Decimal("1e-999999999"), TOO_FINE),
        ("1.005", TOO_FINE),
        # Just beyond int64, and far beyond.
        (Decimal("92233720368547758.08"), TOO_LARGE),
        ("92233720368547758.08", TOO_LARGE),
        (92233720368547759, TOO_LARGE),
        (Decimal("99999999999999999.99"), TOO_LARGE),
        (2**63, TOO_LARGE),
        (10**40, TOO_LARGE),
        (Decimal("1e17"), TOO_LARGE),
        (Decimal("1e999999999"), TOO_LARGE),
        ("9" * 5000, TOO_LARGE),
        # No number at all.
        (Decimal("NaN"), "expected a finite number"),
        (Decimal("Infinity"), "expected a finite number"),
        # Strings that hold something else than a plain decimal number.
        ("", NOT_PLAIN),
        (" ", NOT_PLAIN),
        (" 1", NOT_PLAIN),
        ("1 ", NOT_PLAIN),
        ("1\n", NOT_PLAIN),
        ("+1", NOT_PLAIN),
        ("--1", NOT_PLAIN),
        ("-", NOT_PLAIN),
        (".5", NOT_PLAIN),
        ("5.", NOT_PLAIN),
        (".", NOT_PLAIN),
        ("1e3", NOT_PLAIN),
        ("1,000", NOT_PLAIN),
        ("1_000", NOT_PLAIN),
        ("1.0.0", NOT_PLAIN),
        ("0x10", NOT_PLAIN),
        ("NaN", NOT_PLAIN),
        ("Infinity", NOT_PLAIN),
        ("١٢", NOT_PLAIN),
        ("\ud800", NOT_PLAIN),
    ],
)
def test_what_is_no_amount_is_refused_with_the_reason(number: int | Decimal | str, problem: str) -> None:
    with pytest.raises(NotAnAmount) as caught:
        parse_amount(number, 2)

    assert str(caught.value) == problem


@pytest.mark.parametrize(
    ("decimals", "last", "first_beyond"),
    [
        (0, "9223372036854775807", "9223372036854775808"),
        (1, "922337203685477580.7", "922337203685477580.8"),
        (2, "92233720368547758.07", "92233720368547758.08"),
        (3, "9223372036854775.807", "9223372036854775.808"),
        (4, "922337203685477.5807", "922337203685477.5808"),
        (5, "92233720368547.75807", "92233720368547.75808"),
        (6, "9223372036854.775807", "9223372036854.775808"),
        (7, "922337203685.4775807", "922337203685.4775808"),
        (8, "92233720368.54775807", "92233720368.54775808"),
    ],
)
def test_the_edge_of_int64_is_exact_in_every_currency(decimals: int, last: str, first_beyond: str) -> None:
    assert parse_amount(last, decimals) == INT64_MAX
    assert parse_amount(Decimal(last), decimals) == INT64_MAX
    assert format_minor(INT64_MAX, decimals) == last
    with pytest.raises(NotAnAmount, match="exceed 64 bits"):
        parse_amount(first_beyond, decimals)
    with pytest.raises(NotAnAmount, match="exceed 64 bits"):
        parse_amount(Decimal(first_beyond), decimals)
    with pytest.raises(NotAnAmount, match=f"more than the currency's {decimals} decimals"):
        parse_amount(Decimal(1).scaleb(-decimals - 1), decimals)


@pytest.mark.parametrize("decimals", DECIMALS)
def test_the_edge_of_int64_is_exact_for_whole_numbers(decimals: int) -> None:
    whole = INT64_MAX // 10**decimals

    assert parse_amount(whole, decimals) == whole * 10**decimals
    with pytest.raises(NotAnAmount, match="exceed 64 bits"):
        parse_amount(whole + 1, decimals)
    with pytest.raises(NotAnAmount, match=NEGATIVE):
        parse_amount(-1, decimals)


@pytest.mark.parametrize(
    ("minor", "decimals", "text"),
    [
        # Whole: no fraction.
        (0, 0, "0"),
        (0, 2, "0"),
        (100, 0, "100"),
        (10_000, 2, "100"),
        (10**8, 8, "1"),
        # Else the fewest digits that are exact.
        (9050, 2, "90.5"),
        (22_064, 2, "220.64"),
        (1, 2, "0.01"),
        (10, 2, "0.1"),
        (1, 8, "0.00000001"),
        (120_000_000, 8, "1.2"),
        # Below zero, as after a win that was taken back.
        (-1, 0, "-1"),
        (-1, 2, "-0.01"),
        (-150, 2, "-1.5"),
        (-10_000, 2, "-100"),
        # int64's edges.
        (INT64_MAX, 2, "92233720368547758.07"),
        (INT64_MIN, 2, "-92233720368547758.08"),
        (INT64_MIN, 0, "-9223372036854775808"),
        (INT64_MIN, 8, "-92233720368.54775808"),
    ],
)
def test_minor_units_are_written_as_the_shortest_exact_number(minor: int, decimals: int, text: str) -> None:
    assert format_minor(minor, decimals) == text


@settings(deadline=None)
@given(minor=int64s, decimals=decimals_of_currencies)
@example(minor=INT64_MIN, decimals=8)
@example(minor=INT64_MAX, decimals=8)
def test_a_written_balance_reads_back_as_exactly_itself(minor: int, decimals: int) -> None:
    text = format_minor(minor, decimals)

    # Exact: int64 has 19 digits, and the default context keeps 28.
    assert json.loads(text, parse_float=Decimal) == Decimal(minor).scaleb(-decimals)
    whole, _, fraction = text.removeprefix("-").partition(".")
    assert "e" not in text.lower()
    assert whole == "0" or not whole.startswith("0")
    assert "." not in text or (fraction and not fraction.endswith("0"))


@settings(deadline=None)
@given(minor=amounts, decimals=decimals_of_currencies)
@example(minor=INT64_MAX, decimals=0)
@example(minor=INT64_MAX, decimals=8)
def test_an_amount_survives_the_way_there_and_back(minor: int, decimals: int) -> None:
    text = format_minor(minor, decimals)

    assert parse_amount(text, decimals) == minor
    assert parse_amount(json.loads(text, parse_float=Decimal), decimals) == minor


@settings(deadline=None)
@given(minor=amounts, decimals=decimals_of_currencies, zeros=st.integers(0, 400))
def test_an_amount_is_the_same_in_whatever_way_it_is_written(minor: int, decimals: int, zeros: int) -> None:
    """Digits and exponent shift against each other: `1.5`, `1500e-3` and `0.0015e3` are one number."""
    padded = f"{minor}{'0' * zeros}e{-decimals - zeros}"
    shifted = f"0.{'0' * zeros}{minor}e{zeros + len(str(minor)) - decimals}"

    assert parse_amount(Decimal(padded), decimals) == minor
    assert parse_amount(Decimal(shifted), decimals) == minor


@settings(deadline=None)
@given(number=st.integers() | st.decimals() | st.text(), decimals=decimals_of_currencies)
def test_whatever_comes_is_within_int64_or_refused(number: int | Decimal | str, decimals: int) -> None:
    try:
        minor = parse_amount(number, decimals)
    except NotAnAmount:
        return
    assert 0 <= minor <= INT64_MAX
    assert Decimal(number).scaleb(decimals) == minor

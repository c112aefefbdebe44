"""Single fields of a callback: strict where money depends on them, lenient where they only describe."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from walletbridge.protocol import fields
from walletbridge.protocol.errors import BadCallback
from walletbridge.protocol.fields import ABSENT, Field

INT64_MAX = 2**63 - 1
INT64_MIN = -(2**63)
NOT_A_NUMBER = Decimal("NaN")
"""What `strict_json` makes of a number whose exponent no Decimal can hold."""

SURROGATE = "holds half of a surrogate pair, which is no character"


def problem_of(read: Callable[[Field, str], Any], value: Field) -> str:
    with pytest.raises(BadCallback) as caught:
        read(value, "$.here")
    assert caught.value.path == "$.here"
    return caught.value.problem


def amount_of_two_decimals(value: Field, path: str) -> int:
    return fields.amount(value, path, 2)


WRONG_TYPES: list[tuple[Callable[[Field, str], Any], str, dict[str, Field]]] = [
    (fields.required_object, "expected an object", {"a string": "{}", "a number": 1, "an array": [{}]}),
    (fields.account, "expected a string", {"a number": 1234, "an array": ["a"], "an object": {}}),
    (
        fields.trans_id,
        "expected an integer or a string",
        {"a number": Decimal("1.0"), "an array": [1], "an object": {}},
    ),
    (amount_of_two_decimals, "expected a number", {"an array": [1], "an object": {}}),
    (fields.checks, 'expected a string such as "21,22"', {"a number": 21, "an array": [21, 22], "an object": {}}),
]


@pytest.mark.parametrize(
    ("read", "value", "problem"),
    [
        (read, value, f"{expected}, {was}")
        for read, expected, others in WRONG_TYPES
        for was, value in {
            "but it is missing": ABSENT,
            "got null": None,
            "got a boolean": True,
            **{f"got {name}": value for name, value in others.items()},
        }.items()
    ],
)
def test_what_decides_about_money_must_be_there_and_have_its_type(
    read: Callable[[Field, str], Any], value: Field, problem: str
) -> None:
    assert problem_of(read, value) == problem


def test_an_object_is_given_back() -> None:
    assert fields.required_object({"a": 1}, "$") == {"a": 1}


@pytest.mark.parametrize("account", ["t", "test1234", "a" * 128, "é" * 128, "\U0001f3b0" * 128, " ", "1", "O'Neil\0"])
def test_an_account_is_1_to_128_characters(account: str) -> None:
    assert fields.account(account, "$.here") == account


@pytest.mark.parametrize(
    ("account", "problem"),
    [
        ("", "expected 1 to 128 characters"),
        ("a" * 129, "expected 1 to 128 characters"),
        ("\ud800", SURROGATE),
        ("test\udfff", SURROGATE),
    ],
)
def test_another_account_is_refused(account: str, problem: str) -> None:
    assert problem_of(fields.account, account) == problem


@pytest.mark.parametrize(
    "trans_id",
    [
        # Integers, also beyond 64 bits: they are keys, not quantities.
        1676358190,
        0,
        -1,
        INT64_MAX,
        INT64_MAX + 1,
        10**64 - 1,
        -(10**63) + 1,
        # Strings.
        "1",
        "01",
        "1676358190",
        "a" * 64,
        "é" * 64,
        "3f8a-\0 '",
    ],
)
def test_a_trans_id_is_given_back_as_it_came(trans_id: int | str) -> None:
    value = fields.trans_id(trans_id, "$.here")

    assert (type(value), value) == (type(trans_id), trans_id)


@pytest.mark.parametrize(
    ("trans_id", "problem"),
    [
        ("", "expected 1 to 64 characters"),
        ("a" * 65, "expected 1 to 64 characters"),
        ("\udc00", SURROGATE),
        # Written out, these have 65 characters.
        (10**64, "expected at most 64 characters"),
        (-(10**63), "expected at most 64 characters"),
        (10**100, "expected at most 64 characters"),
        # By value an integer, but what would be echoed is something else.
        (Decimal("1e3"), "expected an integer or a string, got a number"),
        (NOT_A_NUMBER, "expected an integer or a string, got a number"),
    ],
)
def test_another_trans_id_is_refused(trans_id: Field, problem: str) -> None:
    assert problem_of(fields.trans_id, trans_id) == problem


@pytest.mark.parametrize(
    ("value", "minor"),
    [(10, 1000), (Decimal("10.5"), 1050), ("10.50", 1050), ("-0", 0), (Decimal("-0.0"), 0), (Decimal("0e999999"), 0)],
)
def test_an_amount_is_given_in_minor_units(value: Field, minor: int) -> None:
    assert amount_of_two_decimals(value, "$.here") == minor


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (-1, "must not be negative"),
        (Decimal("0.001"), "has more than the currency's 2 decimals"),
        (2**63, "is too large: its minor units exceed 64 bits"),
        ("1e3", "expected a number, or a string that holds a plain decimal number"),
        (NOT_A_NUMBER, "expected a finite number"),
    ],
)
def test_another_amount_is_refused(value: Field, problem: str) -> None:
    assert problem_of(amount_of_two_decimals, value) == problem


@pytest.mark.parametrize(
    ("text", "checks"),
    [
        ("21", (21,)),
        ("21,22,41,31", (21, 22, 41, 31)),
        # The order is the provider's, and so are repeats and numbers that nobody has documented.
        ("31,41,22,21", (31, 41, 22, 21)),
        ("21,21", (21, 21)),
        ("1,99,2147483647", (1, 99, 2**31 - 1)),
        ("0000000021", (21,)),
        # Blanks around the items do not matter.
        (" 21 , 22\t,\r\n41 ", (21, 22, 41)),
        # As many as may be.
        (",".join(["21"] * 32), (21,) * 32),
    ],
)
def test_checks_are_numbers_in_the_order_given(text: str, checks: tuple[int, ...]) -> None:
    assert fields.checks(text, "$.here") == checks


@pytest.mark.parametrize(
    "text",
    [
        # Empty, or with an empty item.
        "",
        " ",
        ",",
        "21,",
        ",21",
        "21,,22",
        "21, ,22",
        # No positive number of 31 bits.
        "0",
        "-21",
        "+21",
        "21.0",
        "2e1",
        "2147483648",
        "9999999999",
        "00000000021",
        # Not separated by commas, not ASCII.
        "21 22",
        "21;22",
        "[21,22]",
        "PLAYER_EXISTS",
        "21\u00a0",
        "٢١",
        "21\ud800",
        "21\0",
    ],
)
def test_other_checks_are_refused(text: str) -> None:
    assert (
        problem_of(fields.checks, text) == 'expected the numbers of checks, separated by commas, such as "21,22,41,31"'
    )


@pytest.mark.parametrize("count", [33, 30_000])
def test_too_many_checks_are_refused(count: int) -> None:
    assert problem_of(fields.checks, ",".join(["21"] * count)) == "expected at most 32 checks"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        # Unset.
        (ABSENT, ""),
        (None, ""),
        ("", ""),
        # As it came; of any length.
        ("818395446", "818395446"),
        ("The Dog House Megaways", "The Dog House Megaways"),
        ("犬の家 \U0001f3b0\0", "犬の家 \U0001f3b0\0"),
        ("x" * 10_000, "x" * 10_000),
        # A number loses nothing as text.
        (818395446, "818395446"),
        (-1, "-1"),
        (2**64, "18446744073709551616"),
        (Decimal("1.50"), "1.50"),
    ],
)
def test_a_descriptive_text_is_taken_as_it_can_be(value: Field, text: str) -> None:
    assert fields.optional_text(value, "$.here") == text


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (True, "expected a string, got a boolean"),
        ([], "expected a string, got an array"),
        ({}, "expected a string, got an object"),
        (NOT_A_NUMBER, "expected a string, got a number"),
        ("half \ud83c", SURROGATE),
    ],
)
def test_another_descriptive_text_is_refused(value: Field, problem: str) -> None:
    assert problem_of(fields.optional_text, value) == problem


@pytest.mark.parametrize(
    ("value", "number"),
    [
        # Unset.
        (ABSENT, 0),
        (None, 0),
        # An integer, whatever its type.
        (1, 1),
        (-1, -1),
        ("1", 1),
        ("-1", -1),
        ("-0", 0),
        ("007", 7),
        (Decimal("1.0"), 1),
        (Decimal("1e3"), 1000),
        (Decimal("-0.0"), 0),
        (Decimal("0e999999"), 0),
        (Decimal("1." + "0" * 1000), 1),
        # The last that int64 holds.
        (INT64_MAX, INT64_MAX),
        (INT64_MIN, INT64_MIN),
        ("9223372036854775807", INT64_MAX),
        ("-9223372036854775808", INT64_MIN),
        (Decimal("9223372036854775807.0"), INT64_MAX),
    ],
)
def test_a_descriptive_integer_is_taken_as_it_can_be(value: Field, number: int) -> None:
    assert fields.optional_int64(value, "$.here") == number


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        # Something would be lost.
        (True, "expected an integer, got a boolean"),
        (Decimal("1.5"), "expected an integer, got a number"),
        (Decimal("1e-999999999"), "expected an integer, got a number"),
        (Decimal("1e999999999"), "expected an integer, got a number"),
        (Decimal("1." + "0" * 1000 + "1"), "expected an integer, got a number"),
        (NOT_A_NUMBER, "expected an integer, got a number"),
        ([1], "expected an integer, got an array"),
        ({}, "expected an integer, got an object"),
        ("", "expected an integer, got a string"),
        (" 1", "expected an integer, got a string"),
        ("+1", "expected an integer, got a string"),
        ("1.0", "expected an integer, got a string"),
        ("1e3", "expected an integer, got a string"),
        ("1_000", "expected an integer, got a string"),
        ("one", "expected an integer, got a string"),
        ("\u0661", "expected an integer, got a string"),
        # Just beyond int64.
        (INT64_MAX + 1, "expected an integer of at most 64 bits"),
        (INT64_MIN - 1, "expected an integer of at most 64 bits"),
        ("9223372036854775808", "expected an integer of at most 64 bits"),
        (Decimal("9223372036854775808.0"), "expected an integer of at most 64 bits"),
        (10**100, "expected an integer of at most 64 bits"),
    ],
)
def test_another_descriptive_integer_is_refused(value: Field, problem: str) -> None:
    assert problem_of(fields.optional_int64, value) == problem


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("1676116606", 1676116606),
        (1676116606, 1676116606),
        (Decimal("1676116606.0"), 1676116606),
        ("0", 0),
        ("-1", -1),
        # The first and the last second that a Timestamp holds.
        (-62_135_596_800, -62_135_596_800),
        (253_402_300_799, 253_402_300_799),
        # Missing or unreadable is unset.
        (ABSENT, None),
        (None, None),
        ("", None),
        ("now", None),
        ("2023-02-11T11:56:46Z", None),
        ("1676116606.5", None),
        (Decimal("1676116606.5"), None),
        (True, None),
        ([1676116606], None),
        ({}, None),
        ("\ud800", None),
        (NOT_A_NUMBER, None),
        (Decimal("1e999999999"), None),
        # Milliseconds, and the first seconds beyond.
        ("1676116606000", None),
        (-62_135_596_801, None),
        (253_402_300_800, None),
        (10**100, None),
    ],
)
def test_a_time_is_read_or_unset(value: Field, seconds: int | None) -> None:
    assert fields.unix_seconds(value) == seconds


json_scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.decimals(allow_infinity=False).filter(lambda d: not d.is_snan())
    | st.text()
)


@settings(deadline=None)
@given(value=json_scalars | st.lists(json_scalars) | st.dictionaries(st.text(), json_scalars))
@pytest.mark.parametrize(
    "read",
    [
        fields.required_object,
        fields.account,
        fields.trans_id,
        amount_of_two_decimals,
        fields.checks,
        fields.optional_text,
        fields.optional_int64,
        lambda value, _: fields.unix_seconds(value),
    ],
)
def test_any_value_is_read_or_a_bad_callback(read: Callable[[Field, str], Any], value: Field) -> None:
    try:
        read(value, "$.here")
    except BadCallback as error:
        problem = error
    else:
        return
    assert problem.path == "$.here"
    # Nothing that came stands in the text: it goes to logs and to the live view.
    assert "\n" not in problem.problem
    assert problem.problem.isascii()

"""Plain values for fields."""

import pytest
from tests.support.mappings import field, place_of

from walletbridge.wallet.mapping.constants import constant, enum_number, literal
from walletbridge.wallet.mapping.yaml_places import Wrong


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("text", "EUR", "EUR"),
        ("text", "7", "7"),
        ("text", "'{{x}}'", "{x}"),
        ("data", "ä", b"\xc3\xa4"),
        ("small", "-2147483648", -(2**31)),
        ("large", "9223372036854775807", 2**63 - 1),
        ("unsigned_large", "18446744073709551615", 2**64 - 1),
        ("zigzag", "-1", -1),
        ("real", "0.5", 0.5),
        ("real", "3", 3),
        ("flag", "true", True),
        ("kind", "KIND_WIN", 2),
    ],
)
def test_a_value_of_the_field_s_type_is_taken(name: str, text: str, value: object) -> None:
    assert constant(place_of(text), field(name)) == value


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("small", "2147483648", "expected a whole number from -2147483648 to 2147483647"),
        ("unsigned_small", "-1", "expected a whole number from 0 to 4294967295"),
        ("large", "x", "expected a whole number"),
        ("large", "1.5", "expected a whole number"),
        ("large", "true", "expected a whole number"),
        ("flag", "1", "expected true or false"),
        ("real", "x", "expected a number, as real is a double"),
        ("kind", "KIND_WINN", "sink.Kind: the value KIND_WINN is not known; did you mean KIND_WIN?"),
        ("inner", "x", "expected keys and values, as inner is a sink.Inner"),
        ("texts", "x", "texts is a repeated string; expected a list"),
        ("text", "[x]", "expected a plain value"),
        ("text", "'{'", "a brace itself is written twice"),
        ("data", "'a}'", "a brace itself is written twice"),
    ],
)
def test_any_other_is_refused(name: str, text: str, problem: str) -> None:
    with pytest.raises(Wrong) as caught:
        constant(place_of(text), field(name))
    assert problem in str(caught.value)


def test_an_item_of_a_list() -> None:
    assert constant(place_of("x"), field("texts"), of_item=True) == "x"
    assert constant(place_of("KIND_BET"), field("kinds"), of_item=True) == 1


def test_names_and_texts() -> None:
    assert enum_number("KIND_BET", field("kind"), place_of("x")) == 1
    assert literal(place_of("'a {{b}}'")) == "a {b}"

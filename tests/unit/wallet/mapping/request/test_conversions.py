"""Conversions from sources to fields: which there are, and what they refuse."""

import pytest
from tests.support.mappings import context_for, field, place_of

from walletbridge.protocol.errors import NotSayable
from walletbridge.wallet.mapping.request.conversions import TEXT, conversion, fitting
from walletbridge.wallet.mapping.request.sources import Kind
from walletbridge.wallet.mapping.templates import Slot
from walletbridge.wallet.mapping.yaml_places import Wrong

NOON = 1_600_000_001_500_000_000


def converted(kind: Kind, name: str, form: str, value: object) -> object:
    place = place_of("x")
    convert = conversion(Slot("it", form), kind, field(name), context_for(), place)
    return value if convert is None else convert(value)


@pytest.mark.parametrize(
    ("kind", "name", "form", "value", "expected"),
    [
        (Kind.TEXT, "text", "", "x", "x"),
        (Kind.TEXT, "data", "", "ä", b"\xc3\xa4"),
        (Kind.TEXT, "large", "", "-12", -12),
        (Kind.TEXT, "unsigned_large", "", "18446744073709551615", 2**64 - 1),
        (Kind.INTEGER, "large", "", -(2**63), -(2**63)),
        (Kind.INTEGER, "unsigned_large", "", 5, 5),
        (Kind.INTEGER, "text", "", 5, "5"),
        (Kind.AMOUNT, "large", "minor", 2**63 - 1, 2**63 - 1),
        (Kind.AMOUNT, "unsigned_large", "minor", 2**63 - 1, 2**63 - 1),
        (Kind.AMOUNT, "small", "minor", 2**31 - 1, 2**31 - 1),
        (Kind.AMOUNT, "unsigned_small", "minor", 2**32 - 1, 2**32 - 1),
        (Kind.AMOUNT, "text", "minor", 1050, "1050"),
        (Kind.AMOUNT, "text", "decimal", 1050, "10.50"),
        (Kind.AMOUNT, "real", "double", 1010, 10.1),
        (Kind.AMOUNT, "large", "units", 1050, 10),
        (Kind.AMOUNT, "small", "nanos", 1050, 500_000_000),
        (Kind.TIME, "at", "", NOON, {"seconds": 1_600_000_001, "nanos": 500_000_000}),
        (Kind.TIME, "large", "seconds", NOON, 1_600_000_001),
        (Kind.TIME, "text", "seconds", NOON, "1600000001"),
        (Kind.TIME, "large", "milliseconds", NOON, 1_600_000_001_500),
        (Kind.TIME, "text", "rfc3339", NOON, "2020-09-13T12:26:41Z"),
        (Kind.CHECKS, "numbers", "", (21, 41), (21, 41)),
        (Kind.CHECKS, "kinds", "", (21, 41), (21, 41)),
        (Kind.CHECKS, "texts", "", (21, 41), ["21", "41"]),
        (Kind.FLAG, "flag", "", True, True),
    ],
)
def test_a_value_gets_into_a_field_that_holds_it(
    kind: Kind, name: str, form: str, value: object, expected: object
) -> None:
    assert converted(kind, name, form, value) == expected


@pytest.mark.parametrize(
    ("kind", "name", "form", "value"),
    [
        (Kind.TEXT, "large", "", "007"),
        (Kind.TEXT, "large", "", "-0"),
        (Kind.TEXT, "large", "", "+7"),
        (Kind.TEXT, "large", "", "7.0"),
        (Kind.TEXT, "large", "", ""),
        (Kind.TEXT, "large", "", "٣"),
        (Kind.TEXT, "large", "", "9223372036854775808"),
        (Kind.TEXT, "unsigned_large", "", "-1"),
        (Kind.INTEGER, "small", "", 2**31),
        (Kind.INTEGER, "unsigned_large", "", -1),
        (Kind.AMOUNT, "small", "minor", 2**31),
        (Kind.AMOUNT, "real", "double", 10**15),
    ],
)
def test_a_value_that_a_field_cannot_hold_exactly_is_not_sent(kind: Kind, name: str, form: str, value: object) -> None:
    with pytest.raises(NotSayable):
        converted(kind, name, form, value)


@pytest.mark.parametrize(
    ("kind", "name", "form", "problem"),
    [
        (Kind.TEXT, "flag", "", "{it} does not fit flag, which is a bool"),
        (Kind.TEXT, "kind", "", "does not fit kind, which is a sink.Kind"),
        (Kind.TEXT, "texts", "", "does not fit texts, which is a repeated string"),
        (Kind.TEXT, "text", "decimal", "the conversion decimal is not known"),
        (Kind.INTEGER, "real", "", "does not fit real, which is a double"),
        (Kind.INTEGER, "kind", "", "does not fit kind"),
        (Kind.INTEGER, "numbers", "", "does not fit numbers"),
        (Kind.AMOUNT, "large", "", "expected the form of the amount: one of {it:minor}, {it:decimal}"),
        (Kind.AMOUNT, "large", "decimal", "{it:decimal} does not fit large, which is a int64"),
        (Kind.AMOUNT, "large", "double", "does not fit large"),
        (Kind.AMOUNT, "short_real", "double", "does not fit short_real, which is a float"),
        (Kind.AMOUNT, "real", "minor", "does not fit real, which is a double"),
        (Kind.AMOUNT, "texts", "decimal", "does not fit texts"),
        (Kind.AMOUNT, "text", "money", "does not fit text"),
        (Kind.AMOUNT, "large", "cents", "the conversion cents is not known"),
        (Kind.TIME, "large", "", "expected one of the conversions seconds, milliseconds, rfc3339"),
        (Kind.TIME, "real", "seconds", "does not fit real"),
        (Kind.TIME, "large", "rfc3339", "does not fit large"),
        (Kind.TIME, "large", "second", "the conversion second is not known; did you mean seconds?"),
        (Kind.CHECKS, "large", "", "does not fit large"),
        (Kind.CHECKS, "inners", "", "does not fit inners"),
        (Kind.FLAG, "text", "", "does not fit text"),
        (Kind.FLAG, "flag", "minor", "the conversion minor is not known"),
    ],
)
def test_what_does_not_fit_or_loses_something_is_refused_beforehand(
    kind: Kind, name: str, form: str, problem: str
) -> None:
    with pytest.raises(Wrong) as caught:
        converted(kind, name, form, None)
    assert problem in str(caught.value)


def test_a_table_says_what_becomes_of_each_value() -> None:
    tables = {"kinds": {"1": place_of("KIND_BET"), "21": place_of("KIND_WIN")}}
    context = context_for(tables=tables)
    one = conversion(Slot("type", "kinds"), Kind.INTEGER, field("kind"), context, place_of("x"))
    each = conversion(Slot("checks", "kinds"), Kind.CHECKS, field("kinds"), context, place_of("x"))
    assert one is not None
    assert each is not None

    assert one(1) == 1
    assert each((21, 1)) == [2, 1]
    with pytest.raises(NotSayable, match="the table kinds has no line for the callback's value"):
        one(3)


def test_a_text_in_a_field_of_integers_is_told() -> None:
    place = place_of("x")
    conversion(Slot("trans_id", ""), Kind.TEXT, field("large"), context_for(), place)

    assert "is a text; where it is not a plain number that large holds" in str(place.notes.cautions)


def test_integers_fit_by_their_range() -> None:
    assert fitting(Slot("a", ""), field("large"), range(-5, 5), place_of("x")) is None
    assert fitting(Slot("a", ""), TEXT, range(-5, 5), place_of("x")) is str

"""Where a balance stands and in which form."""

from typing import Any

import pytest
from tests.support.mappings import place_of, sink

from walletbridge.wallet.mapping.fields import ABSENT
from walletbridge.wallet.mapping.reply.balances import Balances, compile_balances
from walletbridge.wallet.mapping.yaml_places import Wrong
from walletbridge.wallet.proto.schema import message_class


def balances(text: str) -> Balances:
    return compile_balances(place_of(text), sink(), 2)


def read(text: str, /, **fields: Any) -> object:
    found = balances(text).made
    assert found is not None
    return found(message_class(sink())(**fields))


@pytest.mark.parametrize(
    ("text", "fields", "balance"),
    [
        ("'{large:minor}'", {"large": 2**63 - 1}, 2**63 - 1),
        ("'{large:minor}'", {"large": -(2**63)}, -(2**63)),
        ("'{unsigned_large:minor}'", {"unsigned_large": 2**63 - 1}, 2**63 - 1),
        ("'{unsigned_large:minor}'", {"unsigned_large": 2**63}, None),
        ("'{text:minor}'", {"text": "1050"}, 1050),
        ("'{text:decimal}'", {"text": "10.50000000"}, 1050),
        ("'{text:decimal}'", {"text": "10.50000001"}, None),
        ("'{text:decimal}'", {"text": ""}, None),
        ("'{money:money}'", {"money": {"units": 10, "nanos": 500_000_000}}, 1050),
        ("'{money:money}'", {"money": {"nanos": 1}}, None),
        ("'{money:money}'", {}, ABSENT),
        ("'{inner:money}'", {"inner": {"units": -1}}, -100),
        ("{units: inner.units, nanos: inner.nanos}", {"inner": {"units": 1, "nanos": 10_000_000}}, 101),
        ("{units: inner.units, nanos: inner.nanos}", {}, ABSENT),
        ("{units: large, nanos: inner.nanos}", {"large": 3}, 300),
        ("'{real:double}'", {"real": 10.1}, 1010),
        ("'{real:double}'", {"real": 0.1 + 0.2}, None),
        ("'{real:double}'", {"real": 2**53 / 100}, None),
        ("'{real:double_rounded}'", {"real": 0.1 + 0.2}, 30),
        ("'{inner.cents:minor}'", {"inner": {}}, 0),
        ("'{inner.cents:minor}'", {}, ABSENT),
        ("'{maybe_number:minor}'", {}, ABSENT),
        ("'{amounts.EUR:double}'", {"amounts": {"EUR": 1.5}}, 150),
        ("'{amounts.EUR:double}'", {}, ABSENT),
    ],
)
def test_a_balance_is_read_exactly_or_not_at_all(text: str, fields: dict[str, Any], balance: object) -> None:
    assert read(text, **fields) == balance


def test_made_and_refused_may_differ() -> None:
    found = balances("{made: '{large:minor}', refused: ask}")

    assert found.made is not None
    assert found.refused is None
    assert balances("ask") == Balances()
    parts = balances("{made: {units: inner.units, nanos: inner.nanos}, refused: '{large:minor}'}")
    assert parts.made is not None
    assert parts.made(message_class(sink())(inner={"units": 2})) == 200


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("'{large}'", "{large}: expected the form of the balance: one of {large:minor}"),
        ("'{large:decimal}'", "{large:decimal} does not fit large, which is a int64"),
        ("'{short_real:double}'", "does not fit short_real, which is a float"),
        ("'{real:minor}'", "does not fit real"),
        ("'{text:double}'", "does not fit text"),
        ("'{text:money}'", "money expects a message"),
        ("'{at:money}'", "has no integer field units"),
        ("'{large:cents}'", "the form cents is not known"),
        ("'{lrge:minor}'", "the field lrge is not known; did you mean large?"),
        ("'x{large:minor}'", 'expected "{path:form}" or ask'),
        ("large", 'expected "{path:form}" or ask, got "large"'),
        ("{made: ask}", "lacks refused"),
        ("{made: ask, refused: ask, more: ask}", ""),
        ("{units: large}", "lacks nanos"),
        ("{units: text, nanos: inner.nanos}", "text is a string; expected an integer"),
    ],
)
def test_what_is_no_balance_is_refused(text: str, problem: str) -> None:
    place = place_of(text)
    with place.notes.noting():
        compile_balances(place, sink(), 2)

    assert problem in str(place.notes.mistakes)
    assert place.notes.mistakes != []


@pytest.mark.parametrize(
    ("text", "caution"),
    [
        ("'{text:decimal}'", "text may hold more than 2 decimals"),
        ("'{money:money}'", "nanos finer than 2 decimals"),
        ("'{real:double}'", "0.1 + 0.2"),
        ("'{real:double_rounded}'", "real is rounded to 2 decimals"),
        ("'{unsigned_large:minor}'", "a balance above 9223372036854775807 cannot be answered"),
        ("{units: inner.units, nanos: inner.nanos}", "nanos finer"),
    ],
)
def test_what_may_go_wrong_later_is_told(text: str, caution: str) -> None:
    place = place_of(text)
    compile_balances(place, sink(), 2)

    assert caution in str(place.notes.cautions)


def test_a_path_that_cannot_be_read_raises() -> None:
    with pytest.raises(Wrong):
        balances("7")

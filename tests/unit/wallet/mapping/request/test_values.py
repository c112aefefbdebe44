"""One value of a request: constants, slots and composed texts."""

from typing import Any

import pytest
from tests.support.mappings import callback, context_for, field, old, place_of, sink, undo

from walletbridge.protocol.callbacks import Command
from walletbridge.protocol.errors import NotSayable
from walletbridge.wallet.mapping.fields import ABSENT
from walletbridge.wallet.mapping.request.context import LookupValues
from walletbridge.wallet.mapping.request.sources import Role
from walletbridge.wallet.mapping.request.values import (
    Attribute,
    Computed,
    Constant,
    as_compute,
    composed,
    metadata_plan,
    slot_plan,
    template_at,
    value_plan,
)
from walletbridge.wallet.mapping.templates import Slot
from walletbridge.wallet.mapping.yaml_places import Wrong

BET = callback("bet")
UNSET = callback("bet", round_id=None, provider_id=None, timestamp=None)


def value(text: str, name: str, sample: Any = BET, found: dict[str, Any] | None = None, **more: Any) -> object:
    plan = value_plan(place_of(text), field(name), context_for(**more))
    return as_compute(plan)(sample, found or {})


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        ("EUR", "text", "EUR"),
        ("'{account}'", "text", "test1234"),
        ("'{trans_id}'", "text", "1676358190"),
        ("'{trans_id}'", "large", 1676358190),
        ("'bet:{trans_id}'", "text", "bet:1676358190"),
        ("'{account}/{round_id}'", "data", b"test1234/818395446"),
        ("'{amount:decimal} EUR'", "text", "1000.00 EUR"),
        ("'{command}'", "text", "bet"),
        ("'{provider_id}'", "text", "1"),
        ("'{settings.currency_decimals}'", "small", 2),
        ("'{now}'", "at", {"seconds": 1_700_000_000, "nanos": 123_456_789}),
        ("'{now:milliseconds}'", "large", 1_700_000_000_123),
        ("'{requested_at:seconds}'", "large", 1_600_000_001),
        ("'{checks}'", "numbers", (21, 22, 41, 31)),
    ],
)
def test_a_value_is_made_from_the_callback(text: str, name: str, expected: object) -> None:
    assert value(text, name) == expected


def test_what_is_as_it_is_costs_no_computing() -> None:
    assert value_plan(place_of("'{account}'"), field("text"), context_for()) == Attribute("account")
    assert value_plan(place_of("EUR"), field("text"), context_for()) == Constant("EUR")


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        ("'{round_id}'", "maybe", ABSENT),
        ("'{round_id}'", "text", ""),
        ("'{provider_id}'", "maybe_number", ABSENT),
        ("'{requested_at}'", "at", ABSENT),
        ("'{requested_at:seconds}'", "large", ABSENT),
        ("'r:{round_id}'", "text", "r:"),
        ("'{requested_at:rfc3339}!'", "text", "!"),
    ],
)
def test_what_is_unset_stays_unset_where_the_field_can_tell(text: str, name: str, expected: object) -> None:
    assert value(text, name, UNSET) == expected


def test_a_required_field_is_always_set() -> None:
    fields = old("Request").fields_by_name

    assert as_compute(value_plan(place_of("'{round_id}'"), fields["key"], context_for()))(UNSET, {}) == ""
    with pytest.raises(Wrong, match=r"sent is required, and the provider's time may be unset; expected \{now\}"):
        value_plan(place_of("'{requested_at:seconds}'"), fields["sent"], context_for())


def test_an_undo_knows_what_it_undoes() -> None:
    sample = undo(Command.WIN, 250)

    assert value("'{undone}'", "text", sample, role=Role.UNDO) == "win"
    assert value("'{amount:decimal}'", "text", sample, role=Role.CANCEL) == "2.50"


def test_the_environment_is_read_once() -> None:
    assert value_plan(place_of("'{env.KEY}'"), field("text"), context_for(environ={"KEY": "k"})) == Constant("k")
    with pytest.raises(Wrong, match="the environment variable KEY is not set"):
        value_plan(place_of("'{env.KEY}'"), field("text"), context_for())
    with pytest.raises(Wrong, match="is no number") as caught:
        value_plan(place_of("'{env.KEY}'"), field("large"), context_for(environ={"KEY": "sesame"}))
    assert "sesame" not in str(caught.value)


def test_a_secret_in_a_request_is_told_and_in_metadata_is_not() -> None:
    request, metadata = place_of("'{env.KEY}'"), place_of("'{env.KEY}'")
    value_plan(request, field("text"), context_for(environ={"KEY": "k"}))
    metadata_plan(metadata, context_for(environ={"KEY": "k"}))

    assert "what is secret belongs into metadata" in str(request.notes.cautions)
    assert metadata.notes.cautions == []


@pytest.mark.parametrize(
    ("path", "name", "found", "expected"),
    [
        ("large", "large", 7, 7),
        ("large", "text", 7, "7"),
        ("text", "text", "x", "x"),
        ("text", "large", "12", 12),
        ("kind", "kind", 2, 2),
        ("data", "data", b"x", b"x"),
        ("inner.units", "unsigned_large", 7, 7),
    ],
)
def test_what_a_look_up_found_goes_into_fields_of_its_type(
    path: str, name: str, found: object, expected: object
) -> None:
    lookup = LookupValues("player", sink())

    assert value(f"'{{player.{path}}}'", name, found={path: found}, lookup=lookup) == expected
    assert list(lookup.wanted) == [path]


@pytest.mark.parametrize(
    ("path", "name", "problem"),
    [
        ("real", "text", "is a double and does not fit text, which is a string"),
        ("inner", "inner", "does not fit inner"),
        ("kind", "large", "is a sink.Kind and does not fit large"),
        ("flag", "text", "is a bool"),
        ("id", "text", "the field id is not known"),
        ("text:decimal", "text", "the conversion decimal is not known"),
    ],
)
def test_what_a_look_up_found_does_not_fit_anywhere_else(path: str, name: str, problem: str) -> None:
    with pytest.raises(Wrong) as caught:
        value(f"'{{player.{path}}}'", name, lookup=LookupValues("player", sink()))
    assert problem in str(caught.value)


@pytest.mark.parametrize(("found", "name"), [(ABSENT, "large"), (-1, "unsigned_large"), (2**31, "small")])
def test_what_a_look_up_did_not_bring_or_no_field_holds_is_not_sent(found: object, name: str) -> None:
    with pytest.raises(NotSayable):
        value("'{player.large}'", name, found={"large": found}, lookup=LookupValues("player", sink()))


@pytest.mark.parametrize(
    ("text", "name", "role", "problem"),
    [
        ("'{acount}'", "text", Role.BET, "the source acount is not known; did you mean account?"),
        ("'{player.id}'", "text", Role.BET, "the source"),
        ("'{amount:decimal}'", "text", Role.STATUS, "amount is not known in a status"),
        ("'{trans_id}'", "text", Role.LOOKUP, "trans_id is not known in a look-up"),
        ("'{undone}'", "text", Role.BET, "undone is not known in a bet"),
        ("'x{trans_id}'", "large", Role.BET, "a composed text does not fit large, which is a int64"),
        ("'{account'", "text", Role.BET, "a brace itself is written twice"),
    ],
)
def test_a_source_that_is_not_there_is_refused(text: str, name: str, role: Role, problem: str) -> None:
    with pytest.raises(Wrong) as caught:
        value(text, name, role=role)
    assert problem in str(caught.value)


def test_what_is_used_is_remembered() -> None:
    context = context_for()
    value_plan(place_of("'bet:{trans_id}'"), field("text"), context)
    value_plan(place_of("'{amount:units}'"), field("large"), context)

    assert context.used == {"trans_id", "amount", "amount:units"}
    assert context.keys == {"bet:{trans_id}"}


@pytest.mark.parametrize("text", ["ä", "a\nb", " a", "a ", "\0"])
def test_a_text_that_metadata_cannot_hold_is_not_sent(text: str) -> None:
    compute = metadata_plan(place_of("'{trans_id}'"), context_for())

    assert compute(BET, {}) == "1676358190"
    with pytest.raises(NotSayable, match="would hold a character that metadata cannot"):
        compute(callback("bet", trans_id=text), {})


def test_metadata_may_be_a_number_in_the_file() -> None:
    assert metadata_plan(place_of("17"), context_for())(BET, {}) == "17"


def test_pieces() -> None:
    template = template_at(place_of("'a{account}'"))
    assert template is not None
    assert composed(template, context_for(), place_of("x"))(BET, {}) == "atest1234"
    assert template_at(place_of("7")) is None
    assert isinstance(slot_plan(Slot("account", ""), field("data"), context_for(), place_of("x")), Computed)

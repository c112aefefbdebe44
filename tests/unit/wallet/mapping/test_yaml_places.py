"""Places of a mapping file: what stands there, and how a mistake is told."""

from collections.abc import Callable
from typing import Any

import pytest
from tests.support.mappings import place_of

from walletbridge.wallet.mapping.yaml_places import Place, Wrong, unknown_name


def wrong(ask: Callable[[], object]) -> str:
    with pytest.raises(Wrong) as caught:
        ask()
    return str(caught.value)


def test_each_key_has_its_place() -> None:
    place = place_of("a: 1\nb:\n  c: x\n")
    inner = place.entries()["b"].entries()["c"]

    assert (inner.line, inner.path, inner.text()) == (3, "here.b.c", "x")


def test_a_key_that_stands_twice_is_noted_and_the_first_one_counts() -> None:
    place = place_of("a: 1\na: 2\n")

    assert place.entries()["a"].text() == "1"
    assert [str(mistake) for mistake in place.notes.mistakes] == ["2: here.a: stands twice, first in line 1"]


def test_unknown_keys_are_noted_with_the_nearest_and_missing_ones_raised() -> None:
    place = place_of("metod: x\nrequest: {}\n")

    assert wrong(lambda: place.keys(["method", "request"], required=["method"])) == "1: here: lacks method"
    assert [str(mistake) for mistake in place.notes.mistakes] == [
        "1: here.metod: unknown key; did you mean here.method?"
    ]


@pytest.mark.parametrize(
    ("text", "ask", "problem"),
    [
        ("1", lambda place: place.entries(), "expected keys and values, got 1"),
        ("a: 1", lambda place: place.items(), "expected a list, got keys and values"),
        ("[1]", lambda place: place.scalar(), "expected a plain value, got a list"),
        ("[1]", lambda place: place.text(), "expected a plain value, got a list"),
        ("~", lambda place: place.text(), "expected a plain value, got nothing"),
        ("yes", lambda place: place.boolean(), 'expected true or false, got "yes"'),
        ("7", lambda place: place.whole(1, 5), "expected a whole number from 1 to 5, got 7"),
        ("true", lambda place: place.whole(0, 5), "expected a whole number from 0 to 5, got true"),
        ("2.0", lambda place: place.whole(0, 5), "expected a whole number from 0 to 5, got 2.0"),
        ("rd", lambda place: place.choice(["red", "blue"]), "rd is not known; did you mean red?"),
    ],
)
def test_what_else_stands_there_is_told(text: str, ask: Callable[[Place], Any], problem: str) -> None:
    place = place_of(text)

    assert wrong(lambda: ask(place)) == f"1: here: {problem}"


@pytest.mark.parametrize(("text", "value"), [("1", 1), ("x", "x"), ("true", True), ("1.5", 1.5), ("'1'", "1")])
def test_a_plain_value_has_its_type(text: str, value: object) -> None:
    assert place_of(text).scalar() == value


def test_a_text_is_as_it_is_written() -> None:
    assert [place_of(text).text() for text in ("007", "yes", "1.50")] == ["007", "yes", "1.50"]


def test_one_or_several() -> None:
    assert [item.path for item in place_of("[a, b]").items_or_one()] == ["here[0]", "here[1]"]
    assert [item.path for item in place_of("a").items_or_one()] == ["here"]
    assert (place_of("[a]").is_list, place_of("a: b").is_mapping) == (True, True)
    assert place_of("3").whole(1, 5) == 3
    assert place_of("true").boolean()
    assert place_of("red").choice(["red"]) == "red"


def test_what_is_found_by_two_ways_is_told_once_and_in_order() -> None:
    place = place_of("a: 1\nb: 2\n")
    for name in ("b", "a", "b"):
        with place.notes.noting():
            raise place.entries()[name].wrong(f"no {name}")
    place.caution("mind")
    place.caution("mind")

    assert [str(mistake) for mistake in place.notes.mistakes] == ["1: here.a: no a", "2: here.b: no b"]
    assert [str(caution) for caution in place.notes.cautions] == ["1: here: mind"]


@pytest.mark.parametrize(
    ("name", "names", "problem"),
    [
        ("Debt", ["Debit", "Credit"], "Debt is not known; did you mean Debit?"),
        ("DEBIT", ["debit", "x"], "DEBIT is not known; did you mean debit?"),
        ("zzz", ["a", "b"], "zzz is not known; expected a, b"),
        (
            "zzz",
            [f"n{i}" for i in range(20)],
            "zzz is not known; expected n0, n1, n2, n3, n4, n5, n6, n7, n8, n9, n10, n11, ...",
        ),
        ("zzz", [], "zzz is not known"),
    ],
)
def test_the_nearest_right_name_is_named(name: str, names: list[str], problem: str) -> None:
    assert unknown_name(name, names, "expected") == problem

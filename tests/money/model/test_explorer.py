"""A search that finds nothing must have looked everywhere."""

from collections.abc import Iterator

import pytest
from tests.money.model.explorer import Model, explore


def counting(*, wrong: int | None = None, wrong_at_rest: int | None = None) -> Model[int]:
    """From 0 up to 9, by steps of 1 and 3."""

    def steps(state: int) -> Iterator[tuple[str, int]]:
        yield "one", min(state + 1, 9)
        yield "three", min(state + 3, 9)

    return Model(
        0,
        steps,
        wrong=lambda state: "wrong" if state == wrong else "",
        wrong_at_rest=lambda state: "wrong at rest" if state == wrong_at_rest else "",
    )


def test_all_states_are_visited_once() -> None:
    found = explore(counting(), states_max=10)

    assert (found.states, found.rests, found.wrong, found.trace) == (10, 1, "", ())
    assert str(found) == "nothing wrong (10 states)"


def test_what_is_wrong_is_shown_with_the_shortest_way_to_it() -> None:
    found = explore(counting(wrong=7), states_max=10)

    assert (found.wrong, sorted(found.trace)) == ("wrong", ["one", "three", "three"])
    assert str(found).splitlines()[1:] == [f"  {label}" for label in found.trace]


def test_a_state_is_at_rest_where_every_step_leads_back_to_it() -> None:
    assert explore(counting(wrong_at_rest=9), states_max=10).wrong == "wrong at rest"
    assert explore(counting(wrong_at_rest=8), states_max=10).wrong == ""


def test_a_search_that_would_have_to_be_cut_off_fails() -> None:
    with pytest.raises(OverflowError, match="more than 9 states"):
        explore(counting(), states_max=9)

"""
In every order of steps, with everything that can go wrong twice in a run, money moves at most once, and in the end the
provider and the wallet agree, or a person is told.

`python -m tests.money.model` lets three things go wrong; it takes some minutes.
"""

from dataclasses import replace

import pytest
from tests.money.model.explorer import Model, explore
from tests.money.model.scenarios import scenarios
from tests.money.model.state import State
from tests.money.model.transaction import model

STATES_MAX = 100_000
FAULTS = 2


@pytest.mark.parametrize("name", scenarios(FAULTS))
def test_money_moves_once_and_all_agree_in_the_end(name: str) -> None:
    found = explore(model(scenarios(FAULTS)[name]), states_max=STATES_MAX)

    assert found.wrong == "", str(found)
    assert found.states > 1000
    assert found.rests > 1


@pytest.mark.parametrize("name", scenarios(1))
def test_one_fault_alone_is_settled_without_a_person_unless_nobody_can_know(name: str) -> None:
    reasons = reasons_at_rest(model(scenarios(1)[name]))

    assert reasons <= {"", "it was made, and it is not known whether the provider was told so"}


@pytest.mark.parametrize("name", scenarios(0))
def test_without_a_fault_nobody_is_bothered(name: str) -> None:
    assert reasons_at_rest(model(scenarios(0)[name])) == {""}


def reasons_at_rest(explored: Model[State]) -> set[str]:
    """Why rows are left to a person, in all states in which nothing more can happen."""
    reasons: set[str] = set()

    def note(state: State) -> str:
        reasons.add(state.row.for_human if state.row else "")
        return ""

    explore(replace(explored, wrong_at_rest=note), states_max=STATES_MAX)
    return reasons

"""Thousands of interleavings, and in none is money lost or moved twice, or a bet answered 41 that was written off."""

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test
from tests.money.model import rules_off
from tests.money.model.machine import Machine
from tests.money.model.walk import Walk

EXAMPLES, WALKS, BLOCKS, STEPS = 60, 100, 4, 30


def test_no_way_of_a_search_loses_money() -> None:
    """Few ways, but it shows the shortest that is wrong."""
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            phases=[Phase.generate, Phase.shrink],
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
            derandomize=True,
            database=None,
        ),
    )


@pytest.mark.parametrize("block", range(BLOCKS))
def test_no_walk_at_random_loses_money(block: int) -> None:
    for seed in range(block * WALKS, (block + 1) * WALKS):
        assert Walk(seed).wrong(STEPS) == ""


@pytest.mark.parametrize(
    "switch_off",
    [
        rules_off.conflicts_are_repeats,
        rules_off.a_42_is_believed_at_once,
        rules_off.a_cancel_is_settled_by_a_refusal,
        rules_off.wins_are_left_open,
        rules_off.bets_are_left_open,
        rules_off.calls_are_forgotten,
        rules_off.what_is_refused_is_given_up_in_seconds,
        rules_off.what_is_sent_again_does_not_say_so,
        rules_off.a_restored_journal_is_believed,
    ],
)
def test_the_same_walks_show_that_a_rule_is_off(
    monkeypatch: rules_off.Patch, switch_off: Callable[[rules_off.Patch], None]
) -> None:
    switch_off(monkeypatch)

    assert any(Walk(seed).wrong(STEPS) for seed in range(WALKS * BLOCKS))

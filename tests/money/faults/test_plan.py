"""What a seed draws."""

from random import Random

import pytest
from tests.money.faults.blows import Blow
from tests.money.faults.plan import NetFault, Plan, WalletFault, bared, draw, gateways_for, plan_for
from tests.money.faults.worlds import World


def test_a_seed_always_draws_the_same_plan() -> None:
    assert plan_for(7, callbacks=300, gateways=1) == plan_for(7, callbacks=300, gateways=1)


def test_runs_have_one_gateway_and_two_in_turn() -> None:
    assert [gateways_for(seed) for seed in range(1, 5)] == [2, 1, 2, 1]


def test_over_many_seeds_every_fault_has_its_turn() -> None:
    every = frozenset(World)
    plans = [plan_for(seed, callbacks=300, gateways=2, worlds=every if seed % 2 else None) for seed in range(200)]

    assert {fault for plan in plans for fault in plan.wallet} == set(WalletFault)
    assert {fault for plan in plans for fault in plan.net} == set(NetFault)
    assert {event.blow for plan in plans for event in plan.events} == set(Blow)
    assert {event.gateway for plan in plans for event in plan.events} == {0, 1}
    assert {plan.remembers_cancels for plan in plans} == {True, False}


def test_a_bare_plan_has_nothing_but_its_worlds() -> None:
    plan = bared(plan_for(7, callbacks=300, gateways=1, worlds=frozenset({World.CLOCKS})))

    assert not plan.wallet
    assert not plan.net
    assert [event.blow for event in plan.events] == [Blow.CLOCK_JUMPS]
    assert plan.is_bare


def test_worlds_that_are_asked_for_replace_those_that_are_drawn() -> None:
    plans = [plan_for(seed, callbacks=300, gateways=1, worlds=frozenset({World.REPLICA})) for seed in range(10)]

    assert {plan.worlds for plan in plans} == {frozenset({World.REPLICA})}
    assert all(plan.lag > 0 for plan in plans)


def test_a_disk_is_not_filled_where_the_gateways_are_another_users() -> None:
    plans = [plan_for(seed, callbacks=300, gateways=1, worlds=frozenset({World.PEOPLE})) for seed in range(100)]

    assert Blow.DISK_FULL not in {event.blow for plan in plans for event in plan.events}


@pytest.mark.parametrize("callbacks", [10, 300])
def test_blows_fall_while_there_is_traffic(callbacks: int) -> None:
    calls = [[event.at_call for event in plan_for(seed, callbacks=callbacks, gateways=1).events] for seed in range(100)]

    assert all(0 < at_call <= callbacks for of_plan in calls for at_call in of_plan)
    assert all(of_plan == sorted(of_plan) for of_plan in calls)


def test_a_fault_is_drawn_as_often_as_its_share() -> None:
    random = Random(1)  # noqa: S311 - to be repeated, not to be secret
    drawn = [draw({WalletFault.LATE: 0.1, WalletFault.REFUSE: 0.3}, random) for _ in range(10_000)]

    assert 800 < drawn.count(WalletFault.LATE) < 1200
    assert 2700 < drawn.count(WalletFault.REFUSE) < 3300
    assert set(drawn) == {WalletFault.LATE, WalletFault.REFUSE, None}


def test_nothing_is_drawn_from_nothing() -> None:
    shares: dict[WalletFault, float] = {}

    assert draw(shares, Random()) is None  # noqa: S311 - whatever it says


def test_a_plan_says_what_it_is() -> None:
    plan = Plan(seed=1, remembers_cancels=False, wallet={WalletFault.LATE: 0.05}, net={NetFault.CUT_AFTER: 0.02})

    assert str(plan) == "gateways 1, forgets, late 5%, cut_after 2%"

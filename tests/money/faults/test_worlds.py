"""What the worlds of a seed bring."""

from tests.money.faults.blows import Blow
from tests.money.faults.plan import bared, plan_for
from tests.money.faults.worlds import DRAWN, World, draw_worlds, events_of


def test_a_seed_always_draws_the_same_worlds() -> None:
    assert [draw_worlds(seed, has_example=False) for seed in range(50)] == [
        draw_worlds(seed, has_example=False) for seed in range(50)
    ]


def test_over_many_seeds_every_drawn_world_has_its_turn_and_some_runs_have_none() -> None:
    drawn = [draw_worlds(seed, has_example=False) for seed in range(200)]

    assert {world for worlds in drawn for world in worlds} == set(DRAWN)
    assert frozenset() in drawn
    assert max(map(len, drawn)) == 2


def test_an_example_wallet_has_no_replica() -> None:
    assert not any(World.REPLICA in draw_worlds(seed, has_example=True) for seed in range(200))


def test_each_world_that_is_an_event_happens_once() -> None:
    found = {world: [event.blow for event in events_of({world}, 1, 300, 2)] for world in World}

    assert {world for world, blows in found.items() if not blows} == {World.REPLICA}
    assert all(len(blows) <= 1 for blows in found.values())


def test_the_journals_file_goes_in_every_way() -> None:
    blows = {event.blow for seed in range(50) for event in events_of({World.FILES}, seed, 300, 1)}

    assert blows == {Blow.JOURNAL_REMOVED, Blow.JOURNAL_REPLACED, Blow.WAL_REMOVED, Blow.DISK_FULL_AT_START}


def test_what_happens_in_a_world_leaves_time_for_what_follows() -> None:
    for seed in range(50):
        assert all(event.at_call <= 200 for event in events_of(set(World), seed, 300, 1))


def test_a_worker_that_stands_still_is_one_of_two() -> None:
    plans = [plan_for(seed, callbacks=300, gateways=1, worlds=frozenset({World.FREEZE})) for seed in range(20)]

    blows = [(event.blow, plan.workers) for plan in plans for event in bared(plan).events]
    assert set(blows) == {(Blow.GATEWAY_FROZEN, 0), (Blow.LOCK_FROZEN, 0), (Blow.WORKER_FROZEN, 2)}

"""How many may come in, and how often one may be wrong."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.clock import FakeClock

from walletbridge.serve.lane import gate as gate_module
from walletbridge.serve.lane.deadlines import NEVER, Place
from walletbridge.serve.lane.gate import Gate, owner_of
from walletbridge.serve.lane.refusals import Refused
from walletbridge.settings import Limits

HERE, THERE = "192.0.2.1", "192.0.2.2"


class FakePlace(Place):
    """A connection of which a test sees whether it was closed."""

    def __init__(self, address: str = HERE, *, gives_way: bool = True) -> None:
        super().__init__(address, NEVER)
        self.is_cut = False
        self._gives_way = gives_way

    def may_give_way(self) -> bool:
        return self._gives_way

    def expire(self) -> None:
        raise NotImplementedError

    def cut(self) -> None:
        self.is_cut = True


def make_gate(**limits: int) -> Gate:
    return Gate(Limits(**limits), clock=FakeClock())


def entered(gate: Gate, *addresses: str) -> list[FakePlace]:
    places = [FakePlace(address) for address in addresses]
    for place in places:
        gate.enter(place)
    return places


def test_the_oldest_connection_of_an_address_gives_way_to_a_new_one() -> None:
    gate = make_gate(connections_per_address=2)
    places = entered(gate, HERE, THERE, HERE, HERE)

    assert [place.is_cut for place in places] == [True, False, False, False]
    assert gate.gave_way == 1
    gate.leave(places[0])
    assert gate.connections == 3


def test_the_oldest_connection_of_all_gives_way_when_all_places_are_taken() -> None:
    gate = make_gate(connections=2)
    places = entered(gate, HERE, THERE, "192.0.2.3")

    assert [place.is_cut for place in places] == [True, False, False]


def test_a_connection_that_has_brought_a_right_token_never_gives_way_and_counts_for_no_address() -> None:
    gate = make_gate(connections_per_address=1, connections=4)
    proven = []
    for _ in range(3):
        proven += entered(gate, HERE)
        gate.prove(proven[-1])
    [stranger] = entered(gate, HERE)
    [newer] = entered(gate, HERE)

    assert [place.is_cut for place in (*proven, stranger, newer)] == [False, False, False, True, False]


def test_when_all_places_are_proven_a_new_connection_is_refused() -> None:
    gate = make_gate(connections=2)
    for place in entered(gate, HERE, THERE):
        gate.prove(place)
    with pytest.raises(Refused) as refused:
        gate.enter(FakePlace())

    assert refused.value.http_status == 503
    assert gate.connections == 2


@pytest.mark.parametrize("limit", ["connections", "connections_per_address"])
def test_connections_at_work_are_closed_last_and_keep_nobody_out(limit: str) -> None:
    """A stranger keeps as many at work as he likes, with bodies for other paths that come slowly."""
    gate = make_gate(**{limit: 200})
    working = [FakePlace(gives_way=False) for _ in range(199)]
    for place in working:
        gate.enter(place)
    silent, newest = entered(gate, HERE, HERE)

    assert [place for place in (*working, silent, newest) if place.is_cut] == [silent]
    gate.enter(FakePlace(gives_way=False))
    assert newest.is_cut
    entered(gate, HERE)
    assert [place for place in working if place.is_cut] == [working[0]]


def test_behind_a_proxy_that_is_trusted_any_number_may_come() -> None:
    gate = Gate(Limits(connections_per_address=1), clock=FakeClock(), is_shared=lambda address: address == HERE)

    assert not any(place.is_cut for place in entered(gate, *[HERE] * 5))


def test_a_connection_that_is_known_by_another_place_keeps_its_own() -> None:
    gate = make_gate(connections_per_address=1)
    first, following = FakePlace(), FakePlace()
    gate.enter(first)
    gate.follow(first, following)
    entered(gate, HERE)

    assert (first.is_cut, following.is_cut) == (False, True)
    gate.leave(following)
    assert gate.connections == 1


def test_what_was_proven_stays_so_when_another_place_follows() -> None:
    gate = make_gate(connections_per_address=1)
    first, following = FakePlace(), FakePlace()
    gate.enter(first)
    gate.prove(first)
    gate.follow(first, following)
    entered(gate, HERE, HERE)

    assert following.is_proven
    assert not following.is_cut


@given(st.lists(st.tuples(st.integers(0, 5), st.sampled_from([HERE, THERE, "192.0.2.3"])), max_size=200))
def test_whatever_comes_and_goes_the_counts_are_right_and_bounded(steps: list[tuple[int, str]]) -> None:
    gate = make_gate(connections=6, connections_per_address=3)
    here: list[FakePlace] = []
    for kind, address in steps:
        gone = [place for place in here if place.is_cut]
        for place in gone:
            gate.leave(place)
        here = [place for place in here if not place.is_cut]
        if kind <= 2:
            place = FakePlace(address)
            with suppress(Refused):
                gate.enter(place)
                here.append(place)
        elif here and kind == 3:
            gate.prove(here[len(address) % len(here)])
        elif here and kind == 4:
            gate.leave(here.pop(0))
        elif here:
            following = FakePlace(here[-1].address)
            gate.follow(here[-1], following)
            here[-1] = following
        assert gate.connections == len(here)
        assert len(here) <= 6 + 1
    for place in here:
        gate.leave(place)

    assert (gate.connections, gate._unproven, gate._of) == (0, {}, {})


def test_wrong_tokens_are_forgiven_some_times_a_second() -> None:
    clock = FakeClock()
    gate = Gate(Limits(wrong_tokens_per_second=2), clock=clock)

    assert [gate.forgives(HERE) for _ in range(3)] == [True, True, False]
    assert gate.forgives(THERE)
    clock.tick(1)
    assert gate.forgives(HERE)


def test_a_crowd_of_addresses_takes_no_memory_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate_module, "ADDRESSES_MAX", 10)
    gate = make_gate()

    assert sum(gate.forgives(f"192.0.2.{number}") for number in range(50)) == 10


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::2", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("fe80::1%eth0", "fe80::2%eth1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("not:an address", "not:an address", True),
    ],
)
def test_one_owner_has_many_addresses_of_ipv6(one: str, other: str, *, same: bool) -> None:
    assert same == (owner_of(one) == owner_of(other))


def test_who_may_bring_no_callback_stays_out() -> None:
    limits = Limits()
    gate = Gate(limits, clock=FakeClock(), is_outside=lambda address: address == "203.0.113.1", lets_outside_in=False)
    gate.enter(FakePlace("192.0.2.1"))
    with pytest.raises(Refused) as refused:
        gate.enter(FakePlace("203.0.113.1"))

    assert refused.value.http_status == 403
    assert gate.connections == 1


def test_who_comes_for_the_upstream_has_few_places() -> None:
    """So strangers never take those of the provider."""
    gate = Gate(Limits(outside_connections=2), clock=FakeClock(), is_outside=lambda address: address != "192.0.2.1")
    first, _ = entered(gate, "203.0.113.0", "203.0.113.1")
    with pytest.raises(Refused) as refused:
        gate.enter(FakePlace("203.0.113.9"))
    assert refused.value.http_status == 503
    gate.enter(FakePlace("192.0.2.1"))
    gate.leave(first)
    gate.enter(FakePlace("203.0.113.9"))

"""How many may come in, and how often one may be wrong."""

import pytest
from tests.helpers.clock import FakeClock

from walletbridge.serve.lane import gate as gate_module
from walletbridge.serve.lane.gate import Gate, owner_of
from walletbridge.serve.lane.refusals import Refused
from walletbridge.settings import Limits

HERE, THERE = "192.0.2.1", "192.0.2.2"


def make_gate(**limits: int) -> Gate:
    return Gate(Limits(**limits), clock=FakeClock())


def status_of(gate: Gate, address: str) -> int:
    with pytest.raises(Refused) as refused:
        gate.enter(address)
    return refused.value.http_status


def test_connections_are_limited_for_each_address() -> None:
    gate = make_gate(connections_per_address=2)
    gate.enter(HERE)
    gate.enter(HERE)

    assert status_of(gate, HERE) == 429
    gate.enter(THERE)
    gate.leave(HERE)
    gate.enter(HERE)
    assert gate.connections == 3


def test_connections_are_limited_in_all() -> None:
    gate = make_gate(connections=2)
    gate.enter(HERE)
    gate.enter(THERE)

    assert status_of(gate, "192.0.2.3") == 503
    gate.leave(HERE)
    gate.enter("192.0.2.3")


def test_who_has_gone_is_forgotten() -> None:
    gate = make_gate()
    gate.enter(HERE)
    gate.leave(HERE)

    assert gate.connections == 0
    assert gate._connections == {}


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
    gate.enter("192.0.2.1")
    with pytest.raises(Refused) as refused:
        gate.enter("203.0.113.1")

    assert refused.value.http_status == 403
    assert gate.connections == 1


def test_who_comes_for_the_upstream_has_few_places() -> None:
    """So strangers never take those of the provider."""
    gate = Gate(Limits(outside_connections=2), clock=FakeClock(), is_outside=lambda address: address != "192.0.2.1")
    for number in range(2):
        gate.enter(f"203.0.113.{number}")
    with pytest.raises(Refused) as refused:
        gate.enter("203.0.113.9")
    assert refused.value.http_status == 503
    gate.enter("192.0.2.1")
    gate.leave("203.0.113.0")
    gate.enter("203.0.113.9")

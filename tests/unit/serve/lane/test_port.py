"""What a conversation stands between, as those that are there have it."""

from collections.abc import Iterator
from inspect import isfunction, signature
from typing import Any

import pytest
from tests.unit.serve.lane.fakes import FakeLane, FakeWire

from walletbridge.serve.lane import lane, port
from walletbridge.serve.lane.layer import LaneLayer
from walletbridge.serve.lane.plain_connection import PlainConnection


def methods(protocol: type) -> Iterator[tuple[str, Any]]:
    return ((name, each) for name, each in vars(protocol).items() if isfunction(each) and not name.startswith("_"))


@pytest.mark.parametrize("wire", [PlainConnection, LaneLayer, FakeWire])
def test_a_wire_is_used_as_the_port_says(wire: type[port.Wire]) -> None:
    for name, method in methods(port.Wire):
        assert signature(getattr(wire, name)) == signature(method), name


@pytest.mark.parametrize("lane", [lane.Lane, FakeLane])
def test_a_lane_is_asked_as_the_port_says(lane: type[port.Lane]) -> None:
    for name, method in methods(port.Lane):
        assert signature(getattr(lane, name)) == signature(method), name

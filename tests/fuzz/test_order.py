"""Inputs that are orders of events."""

import pytest
from tests.fuzz.order import events_of, order_seeds, run_order
from tests.unit.serve.lane.events import EVENTS, PIECES


def test_two_bytes_are_an_event() -> None:
    events = events_of(bytes([0, 1, len(EVENTS), len(PIECES) + 2, 3]))

    assert events == [(EVENTS[0], 1), (EVENTS[0], 2)]


@pytest.mark.parametrize("data", order_seeds())
async def test_an_order_keeps_the_rules(data: bytes) -> None:
    assert len(await run_order(data)) == len(data) // 2

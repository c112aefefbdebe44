"""
What is fuzzed beside bytes: the order in which things happen to connections of the lane. An input is a course of
events, two bytes each; see `tests.unit.serve.lane.events` for the events and for what must hold after any of them.
"""

import asyncio
from random import Random

from tests.unit.serve.lane.events import EVENTS, PIECES, Course, Event

SEEDS = 40


def order_seeds() -> list[bytes]:
    """Orders to begin with."""
    return [Random(number).randbytes(60) for number in range(SEEDS)]  # noqa: S311 - no secret


def events_of(data: bytes) -> list[Event]:
    """The events that an input stands for."""
    pairs = zip(data[0::2], data[1::2], strict=False)
    return [Event(EVENTS[name % len(EVENTS)], number % len(PIECES)) for name, number in pairs]


async def run_order(data: bytes) -> list[Event]:
    """
    The events of an input. Raises AssertionError, or whatever was raised, where a rule is broken.

    It waits for nothing; but a connection that goes to mitmproxy becomes a stream, which asks for a running loop.
    """
    drawn = events_of(data)
    Course.of_conversation().run(drawn)
    Course.of_connection().run(drawn)
    return drawn


def check_order(data: bytes) -> list[Event]:
    """The same, for who has no loop."""
    return asyncio.run(run_order(data))

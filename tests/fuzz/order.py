"""
What is fuzzed beside bytes: the order in which things happen to connections of the lane. An input is a course of
events, two bytes each; see `tests.serve.lane.events` for the events and for what must hold after any of them.
"""

import asyncio
from random import Random

from tests.serve.lane.events import EVENTS, PIECES, Course, Event

SEEDS = 40


def order_seeds() -> list[bytes]:
    """Orders to begin with."""
    return [Random(number).randbytes(60) for number in range(SEEDS)]  # noqa: S311 - no secret


def events_of(data: bytes) -> list[Event]:
    """The events that an input stands for."""
    pairs = zip(data[0::2], data[1::2], strict=False)
    return [Event(EVENTS[name % len(EVENTS)], number % len(PIECES)) for name, number in pairs]


def check_order(data: bytes) -> list[Event]:
    """The events of an input. Raises AssertionError, or whatever was raised, where a rule is broken."""
    drawn = events_of(data)
    Course.of_conversation().run(drawn)
    # A connection that goes to mitmproxy becomes a stream, which asks for a loop. Nothing runs in it.
    with asyncio.Runner() as runner:
        asyncio.set_event_loop(runner.get_loop())
        Course.of_connection().run(drawn)
        asyncio.set_event_loop(None)
    return drawn

"""
Whatever comes, in whatever order: bytes, answers, timers, the end of either side, and writes that fail. Nothing is
raised, nothing is sent or asked after the end, every connection ends, and nobody's place is kept.

The events and their rules stand in `events`; the fuzzer draws the same ones. The tests are coroutines because a
connection that goes to mitmproxy becomes a stream, which asks for a loop.
"""

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.serve.lane.events import EVENTS, NAMED, PIECES, Course, Event

events = st.lists(
    st.tuples(st.sampled_from(EVENTS), st.integers(0, len(PIECES) - 1)).map(lambda drawn: Event(*drawn)), max_size=60
)


@settings(max_examples=400)
@given(events)
async def test_a_conversation_takes_any_order(drawn: list[Event]) -> None:
    Course.of_conversation().run(drawn)


@settings(max_examples=400)
@given(events)
async def test_a_connection_takes_any_order(drawn: list[Event]) -> None:
    Course.of_connection().run(drawn)


async def test_the_end_of_a_refused_connection_is_no_fault() -> None:
    """What once ended the sweep for all: the time of a connection that was turned away in the middle of a request."""
    for pieces in (["wrong"] * 150 + ["half body"], ["right", "endless body"], ["bad chunk size"]):
        drawn = [Event("received", PIECES.index(piece)) for piece in (NAMED[name] for name in pieces)]
        Course.of_connection().run([*drawn, Event("tick", 5), Event("tick", 5), Event("tick", 5)])

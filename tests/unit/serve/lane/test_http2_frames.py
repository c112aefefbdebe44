"""Frames are counted as they come, however they are split; what is in vain ends somewhere."""

import pytest
from hyperframe.frame import (
    ContinuationFrame,
    DataFrame,
    Frame,
    HeadersFrame,
    PingFrame,
    RstStreamFrame,
    SettingsFrame,
    WindowUpdateFrame,
)
from tests.support.clock import FakeClock

from walletbridge.serve.lane.http2_frames import Flood, Frames

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
WHOLE = HeadersFrame(1, b"x" * 10, flags=["END_HEADERS"])


class Counted:
    """Frames with a clock."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.frames = Frames(head_bytes=100, resets=2, idle=3, clock=self.clock)
        self.frames.receive(PREFACE)

    def receive(self, *frames: Frame) -> None:
        self.frames.receive(b"".join(frame.serialize() for frame in frames))


def test_frames_are_found_however_they_are_split() -> None:
    data = PREFACE + b"".join(
        frame.serialize()
        for frame in (SettingsFrame(0), WHOLE, DataFrame(1, b"abc"), DataFrame(1, b"", flags=["END_STREAM"]))
    )
    for size in (1, 2, 7, 9, 10, len(data)):
        frames = Frames(head_bytes=100, resets=2, idle=3, clock=FakeClock())
        for at in range(0, len(data), size):
            assert frames.is_between == (frames.whole == 5) or at < len(data)
            frames.receive(data[at : at + size])
        assert frames.is_between
        # The preface counts as one.
        assert (frames.whole, frames.data) == (5, 2)


@pytest.mark.parametrize(
    "frame",
    [
        SettingsFrame(0),
        PingFrame(0, b"12345678"),
        DataFrame(1),
        DataFrame(1, b"x" * 31),
        WindowUpdateFrame(0, window_increment=1),
        ContinuationFrame(1, flags=["END_HEADERS"]),
    ],
)
def test_what_brings_nothing_is_bounded_in_each_second(frame: Frame) -> None:
    counted = Counted()
    for _ in range(3):
        counted.receive(frame, frame, frame)
        counted.clock.tick(1)
    with pytest.raises(Flood):
        counted.receive(*[frame] * 4)


def test_bodies_and_heads_are_not_counted() -> None:
    frames: list[Frame] = [WHOLE, DataFrame(1, b"x" * 32), DataFrame(1, flags=["END_STREAM"])]
    Counted().receive(*frames * 100)


def test_resets_are_bounded_in_each_second() -> None:
    counted = Counted()
    for _ in range(3):
        counted.receive(RstStreamFrame(1), RstStreamFrame(3))
        counted.clock.tick(1)
    counted.receive(RstStreamFrame(1), RstStreamFrame(3))
    with pytest.raises(Flood, match="too many resets"):
        counted.receive(RstStreamFrame(5))


def test_who_is_sent_much_may_often_say_that_it_takes_more() -> None:
    counted = Counted()
    counted.frames.sent(4096 * 50)
    counted.receive(*[WindowUpdateFrame(0, window_increment=1)] * 53)
    assert counted.frames.window_updates == 53
    with pytest.raises(Flood):
        counted.receive(WindowUpdateFrame(0, window_increment=1))


def test_a_head_is_bounded_over_all_its_frames() -> None:
    counted = Counted()
    counted.receive(HeadersFrame(1, b"x" * 60), ContinuationFrame(1, b"x" * 40))
    assert counted.frames.is_in_head
    with pytest.raises(Flood, match="the head is too large"):
        counted.receive(ContinuationFrame(1, b"x"))
    Counted().receive(*[HeadersFrame(1, b"x" * 100, flags=["END_HEADERS"])] * 10)


def test_a_head_is_under_way_until_its_last_frame() -> None:
    counted = Counted()
    counted.receive(HeadersFrame(1, b"x"))
    assert counted.frames.is_in_head
    counted.receive(ContinuationFrame(1, b"x", flags=["END_HEADERS"]))
    assert not counted.frames.is_in_head


def test_frames_for_streams_that_are_closed_are_in_vain() -> None:
    counted = Counted()
    counted.frames.bring_nothing(3)
    counted.frames.bring_nothing(0)
    with pytest.raises(Flood):
        counted.frames.bring_nothing()

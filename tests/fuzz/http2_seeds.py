"""What the first inputs of HTTP/2 are made of: right requests, and every flood."""

from collections.abc import Iterable

import hpack
from hyperframe.frame import (
    ContinuationFrame,
    DataFrame,
    Frame,
    GoAwayFrame,
    HeadersFrame,
    PingFrame,
    PriorityFrame,
    RstStreamFrame,
    SettingsFrame,
    WindowUpdateFrame,
)
from tests.unit.serve.lane.fakes import TOKEN

PSEUDO = [(":method", "POST"), (":scheme", "https"), (":authority", "gateway")]
PIECE_BYTES_MAX = 256


def http2_seeds() -> list[bytes]:
    """The same ones every time."""
    right, wrong, other = head("/callback", TOKEN.decode()), head("/callback", "wrong"), head("/legacy", "")
    ended = ["END_HEADERS", "END_STREAM"]
    conversations: tuple[list[Frame], ...] = (
        [HeadersFrame(1, right, flags=ended)],
        [HeadersFrame(1, right, flags=["END_HEADERS"]), DataFrame(1, b"body", flags=["END_STREAM"])],
        [HeadersFrame(1, right, flags=["END_HEADERS"]), DataFrame(1, b"x" * 1100)],
        [
            HeadersFrame(1, right, flags=["END_HEADERS"]),
            DataFrame(1, b"x"),
            HeadersFrame(1, trailer(), flags=ended),
        ],
        [HeadersFrame(number, wrong, flags=ended) for number in range(1, 21, 2)],
        [HeadersFrame(1, other, flags=["END_HEADERS"]), DataFrame(1, b"x"), RstStreamFrame(1)],
        [HeadersFrame(number, other, flags=ended) for number in range(1, 21, 2)],
        [HeadersFrame(1, right[:5]), ContinuationFrame(1, right[5:], flags=["END_HEADERS"])],
        [PingFrame(0, b"12345678"), SettingsFrame(0, {4: 0}), WindowUpdateFrame(0, window_increment=1)],
        [PriorityFrame(1, depends_on=3), GoAwayFrame(0), HeadersFrame(1, right, flags=ended)],
        [frame for number in range(1, 61, 2) for frame in (HeadersFrame(number, right), RstStreamFrame(number))],
        [HeadersFrame(1, head("/a b", ""), flags=ended), HeadersFrame(3, right, flags=ended)],
    )
    return [pieces(frames) for frames in conversations]


def head(path: str, token: str) -> bytes:
    """Compressed without a table, so that each stands for itself."""
    fields = [*PSEUDO, (":path", path), *([("callback-token", token)] if token else [])]
    return hpack.Encoder().encode(fields)


def trailer() -> bytes:
    return hpack.Encoder().encode([("x-trailer", "y")])


def pieces(frames: Iterable[Frame]) -> bytes:
    """As `check_http2` reads them."""
    data = b"".join(frame.serialize() for frame in frames)
    cut = [data[at : at + PIECE_BYTES_MAX] for at in range(0, len(data), PIECE_BYTES_MAX)]
    return b"".join(bytes([len(piece) - 1, 1]) + piece for piece in cut)

"""
Counts the frames of an HTTP/2 connection, and limits frames that cost more than they bring before the h2 library sees
them. RFC 9113 sections 4 to 6 and 10.5.

Sans-IO. Reads only the head of each frame.
"""

from collections.abc import Callable

_PREFACE = len(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
_HEAD_BYTES = 9
_DATA, _HEADERS, _RESET, _WINDOW_UPDATE, _CONTINUATION = 0, 1, 3, 8, 9
_END_STREAM, _END_HEADERS = 1, 4
_SMALL_DATA = 32
"""A DATA frame with fewer bytes brings nothing: it costs as much as one of 16 KiB."""
_SENT_FOR_A_WINDOW_UPDATE = 4096
"""A client may send one WINDOW_UPDATE for this many bytes that were sent to it."""


class Flood(Exception):
    """Raised if a client sends more than a well-behaved one does. The connection is closed."""


class Frames:
    """Counts for one connection."""

    def __init__(self, *, head_bytes: int, resets: int, idle: int, clock: Callable[[], float]) -> None:
        """
        `head_bytes`: of one compressed head. `resets`, `idle`: reset streams, and frames that bring nothing, in one
        second.
        """
        self._clock = clock
        self._head_bytes_max, self._resets_max, self._idle_max = head_bytes, resets, idle
        self._skip = _PREFACE
        """Bytes missing from the preface or the frame."""
        self._head = b""
        self._block = 0
        self._second = 0
        self._resets = self._idle = self._sent = 0
        self.is_in_head = False
        """Whether a request's head has begun and has not ended."""
        self.whole = 0
        """Complete frames, and the preface."""
        self.data = 0
        """DATA frames for which h2 has made no event yet."""
        self.window_updates = 0

    @property
    def is_between(self) -> bool:
        """Whether no frame is incomplete."""
        return not self._skip and not self._head

    def receive(self, data: bytes) -> None:
        """Takes bytes from the client. Raises Flood."""
        at = 0
        while at < len(data):
            if self._skip:
                skipped = min(self._skip, len(data) - at)
                self._skip -= skipped
                at += skipped
                self.whole += not self._skip
                continue
            piece = data[at : at + _HEAD_BYTES - len(self._head)]
            self._head += piece
            at += len(piece)
            if len(self._head) == _HEAD_BYTES:
                head, self._head = self._head, b""
                self._skip = int.from_bytes(head[:3])
                self._count(head[3], head[4], self._skip)
                self.whole += not self._skip

    def sent(self, count: int) -> None:
        """Counts bytes sent to the client."""
        self._sent += count

    def bring_nothing(self, count: int = 1) -> None:
        """Counts frames that bring nothing. Raises Flood."""
        self._now()
        self._idle += count
        if self._idle > self._idle_max:
            raise Flood("too many frames that bring nothing")

    def _count(self, kind: int, flags: int, length: int) -> None:
        if kind == _DATA:
            self.data += 1
            if length < _SMALL_DATA and not flags & _END_STREAM:
                self.bring_nothing()
        elif kind in {_HEADERS, _CONTINUATION}:
            self._block = length + (self._block if kind == _CONTINUATION else 0)
            self.is_in_head = not flags & _END_HEADERS
            if self._block > self._head_bytes_max:
                raise Flood("the head is too large")
            if kind == _CONTINUATION:
                self.bring_nothing()
        elif kind == _RESET:
            self._now()
            self._resets += 1
            if self._resets > self._resets_max:
                raise Flood("too many resets")
        elif kind == _WINDOW_UPDATE and self._sent >= _SENT_FOR_A_WINDOW_UPDATE:
            self._sent -= _SENT_FOR_A_WINDOW_UPDATE
            self.window_updates += 1
        else:
            self.window_updates += kind == _WINDOW_UPDATE
            self.bring_nothing()

    def _now(self) -> None:
        second = int(self._clock())
        if second != self._second:
            self._second = second
            self._resets = self._idle = 0

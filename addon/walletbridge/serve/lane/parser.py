"""
Parses the bytes of one connection: callbacks come out whole, other requests stay unread.

Sans-IO: takes bytes with their arrival time and returns one event per call, so pipelined requests wait here until the
requests before them are answered.
"""

import re
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from msgspec import Struct

from walletbridge.serve.lane.heads import FIELDS_TO_END, LONE_LF, REQUEST_LINE, Head, Message, read_head
from walletbridge.serve.lane.refusals import Refused

_HEAD_END = b"\r\n\r\n"
_CRLF = b"\r\n"
CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,8})(?:[ \t]{0,9};[\t\x20-\x7e]{0,200})?\r\n")
CHUNK_LINE_BYTES_MAX = 256
_LINE_TOO_LARGE = "the first line is too large"


class Bounds(NamedTuple):
    """The limits of one request."""

    header_bytes: int
    """Bytes of a head, including its first line."""
    header_count: int
    body_bytes: int


class Body(Struct, frozen=True):
    """The body of the request whose Head was returned before."""

    content: bytes | None
    """None if it exceeds the limit; then its rest is unread."""


class Elsewhere:
    """The next request is not a callback; the parser reads no further. See `Parser.rest`."""


class _Again:
    """A step is done, and the next may begin."""


ELSEWHERE = Elsewhere()
_AGAIN = _Again()
type Event = Head | Body | Elsewhere
type _Step = Event | _Again | None


class Parser:
    """Reads one connection."""

    def __init__(self, is_callback: Callable[[str], bool], bounds: Bounds) -> None:
        """`is_callback` returns whether a request target names the callback path."""
        self._is_callback = is_callback
        self._bounds = bounds
        self._message: Message | None = None
        """The message with a chunked body, as httptools reads it."""
        self._pieces: list[bytes] = []
        """The received pieces of a body of known length."""
        self._data = b""
        self._at = 0
        """`_data` is consumed up to this index."""
        self._searched = 0
        """`_data` holds no end of a head before this index."""
        self._arrived = 0.0
        """Arrival time of the first byte of `_data`."""
        self._later: deque[tuple[int, float]] = deque()
        """Start index in `_data` and arrival time of each later piece."""
        self._next: Callable[[Parser], _Step] = Parser._head
        """The next step. Not a bound method, which would make a reference cycle."""
        self._left = 0
        """Bytes missing from the body or the chunk."""
        self._size = 0
        """Bytes of the chunked body so far."""
        self._is_skipping = False
        self._may_be_blank = True
        self.received_at = 0.0
        """Arrival time of the first byte of the last Head."""
        self.is_in_body = False
        """Whether a head has been read and its body has not ended."""

    @property
    def is_between(self) -> bool:
        """Whether no byte of the next request has arrived."""
        return not self.is_in_body and self._at == len(self._data)

    @property
    def waiting_bytes(self) -> int:
        """Received bytes that are not consumed."""
        return len(self._data) - self._at

    def rest(self) -> bytes:
        """Returns the received bytes that are not consumed."""
        return self._data[self._at :]

    def receive(self, data: bytes, now: float) -> None:
        """Takes bytes from the connection, which arrived at `now`."""
        if self._at == len(self._data):
            self._data = data
            self._at = self._searched = 0
            self._arrived = now
            if self._later:
                self._later.clear()
        else:
            if self._at:
                self._forget(self._at)
            self._later.append((len(self._data), now))
            self._data += data

    def next_event(self) -> Event | None:
        """The next event, or None if more bytes are needed. Raises Refused; then nothing more can be read."""
        while True:
            event = self._next(self)
            if not isinstance(event, _Again):
                return event

    def skip_body(self) -> None:
        """Discards the body of the last Head, whose length must be known: it makes no event."""
        self._is_skipping = True

    def _head(self) -> Event | None:
        if self._may_be_blank and self._data.startswith(_CRLF, self._at):
            # RFC 9112 section 2.2: some clients send an empty line after a body.
            self._may_be_blank = False
            self._at = self._searched = self._at + len(_CRLF)
        data, start = self._data, self._at
        line = REQUEST_LINE.match(data, start)
        if line is None:
            self._expect_line()
            return None
        if line.end() - start > self._bounds.header_bytes:
            # For any path, and however the line is split into pieces.
            raise Refused(431, _LINE_TOO_LARGE)
        target = line[2].decode("latin-1")
        if not self._is_callback(target):
            return ELSEWHERE
        end = data.find(_HEAD_END, max(line.end() - len(_CRLF), self._searched - len(_HEAD_END)))
        if end < 0:
            self._searched = len(data)
            if len(data) - start > self._bounds.header_bytes:
                raise Refused(431, "the head is too large")
            if LONE_LF.search(data, start):
                raise Refused(400, "a line that ends without CR")
            return None
        return self._whole_head(end + len(_HEAD_END))

    def _expect_line(self) -> None:
        """Raises Refused for a line that is not a request line, and for one that is too large."""
        data, start = self._data, self._at
        if data.find(b"\n", start) >= 0:
            raise Refused(400, "not a request")
        if len(data) - start > self._bounds.header_bytes:
            raise Refused(431, _LINE_TOO_LARGE)

    def _whole_head(self, end: int) -> Head:
        start, bounds = self._at, self._bounds
        if end - start > bounds.header_bytes:
            raise Refused(431, "the head is too large")
        data = self._data[start:end]
        head = read_head(data, bounds.header_count)
        self.received_at = self._arrived_at(start)
        self._at = self._searched = end
        self._is_skipping, self._may_be_blank, self.is_in_body = False, True, True
        if head.length is None:
            self._next, self._size, self._message = Parser._chunk_size, 0, Message(data)
        else:
            self._next, self._left = Parser._body, head.length
        return head

    def _forget(self, count: int) -> None:
        """Drops the first `count` bytes, which are consumed."""
        self._arrived = self._arrived_at(count)
        self._later = deque((begin - count, at) for begin, at in self._later)
        self._data = self._data[count:]
        self._searched -= count
        self._at = 0

    def _arrived_at(self, place: int) -> float:
        """Arrival time of the byte at `place`."""
        while self._later and self._later[0][0] <= place:
            _, self._arrived = self._later.popleft()
        return self._arrived

    def _body(self) -> _Step:
        if self._left:
            piece = self._data[self._at : self._at + self._left]
            self._at += len(piece)
            self._left -= len(piece)
            if not self._is_skipping:
                self._pieces.append(piece)
            if self._left:
                return None
        pieces, self._pieces = self._pieces, []
        return self._message_end(pieces)

    def _chunk_size(self) -> _Step:
        line = CHUNK_SIZE.match(self._data, self._at)
        if line is None:
            if self._data.find(b"\n", self._at) >= 0 or self.waiting_bytes > CHUNK_LINE_BYTES_MAX:
                raise Refused(400, "not the size of a chunk")
            return None
        size = int(line[1], 16)
        self._size += size
        if self._size > self._bounds.body_bytes:
            return Body(None)
        self._consume(line.end())
        self._left = size
        self._next = Parser._chunk if size else Parser._trailers
        return _AGAIN

    def _chunk(self) -> _Step:
        """Reads the rest of a chunk and the line end after it."""
        if self._left:
            place = min(self._at + self._left, len(self._data))
            self._left -= place - self._at
            self._consume(place)
        if self._left or self.waiting_bytes < len(_CRLF):
            return None
        if not self._data.startswith(_CRLF, self._at):
            raise Refused(400, "a chunk that does not end with its size")
        self._consume(self._at + len(_CRLF))
        self._next = Parser._chunk_size
        return _AGAIN

    def _trailers(self) -> _Step:
        if self._data.startswith(_CRLF, self._at):
            end = self._at + len(_CRLF)
        else:
            end = self._data.find(_HEAD_END, self._at) + len(_HEAD_END)
            is_whole = end >= len(_HEAD_END)
            if (end - self._at if is_whole else self.waiting_bytes) > self._bounds.header_bytes:
                raise Refused(431, "the trailers are too large")
            if not is_whole:
                if LONE_LF.search(self._data, self._at):
                    raise Refused(400, "a line that ends without CR")
                return None
            if not FIELDS_TO_END.fullmatch(self._data, self._at, end):
                raise Refused(400, "not a trailer field")
        message = self._consume(end)
        self._message = None
        return self._message_end(message.body)

    def _consume(self, place: int) -> Message:
        """Passes the bytes up to `place` to httptools, which must agree with this parser. Raises Refused."""
        if self._message is None:
            raise RuntimeError("chunks without a head")
        self._message.feed(self._data[self._at : place])
        self._at = place
        return self._message

    def _message_end(self, pieces: list[bytes]) -> _Step:
        self._next, self.is_in_body = Parser._head, False
        self._searched = self._at
        if self._is_skipping:
            return _AGAIN
        return Body(pieces[0] if len(pieces) == 1 else b"".join(pieces))

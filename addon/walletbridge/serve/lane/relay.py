"""
Reads a request for another path on its way from the client to mitmproxy, by the lane's own rules: a request that two
parsers could read differently never reaches the upstream, and its end is known. The lane reads the bytes after it.

Sans-IO: takes bytes and returns bytes for mitmproxy. Keeps nothing of a body.
"""

import re
from collections.abc import Callable

from walletbridge.serve.lane.heads import FIELDS_TO_END, LONE_LF, REQUEST_LINE, Head, path_of, read_head
from walletbridge.serve.lane.parser import CHUNK_LINE_BYTES_MAX, CHUNK_SIZE, Bounds
from walletbridge.serve.lane.refusals import Refused

_HEAD_END = b"\r\n\r\n"
_CRLF = b"\r\n"
_LAST_CHUNK = b"0\r\n\r\n"
type _Step = Callable[[Relay], bytes | None]
_FRAMING = re.compile(rb"\r\n(?:content-length|transfer-encoding|expect):[^\r]*", re.IGNORECASE)


class Relay:
    """Reads one request, from its first byte."""

    def __init__(self, bounds: Bounds, *, drops_body: bool) -> None:
        """`drops_body`: mitmproxy gets the request without its body, as there is no upstream."""
        self._bounds = bounds
        self._drops_body = drops_body
        self._data = b""
        self._at = 0
        """`_data` is consumed up to this index; 0 between two calls of `receive`."""
        self._pieces: list[bytes] = []
        """Pieces of the chunked body in this call of `receive`."""
        self._next: _Step = Relay._read_head
        self._left = 0
        """Bytes missing from the body or the chunk."""
        self.head: Head | None = None
        """None until it has arrived."""
        self.is_done = False
        """Whether the whole request has arrived."""

    def receive(self, data: bytes) -> bytes:
        """
        Takes bytes from the client; returns the bytes for mitmproxy. After Refused, it must not be called again.

        Joins the chunks into one: each costs mitmproxy some tenths of a millisecond, even one of a single byte.
        """
        self._data += data
        found: list[bytes] = []
        while not self.is_done and (piece := self._next(self)) is not None:
            found.append(piece)
        found.append(self._one_chunk())
        self._data, self._at = self._data[self._at :], 0
        return b"".join(found)

    def rest(self) -> bytes:
        """The bytes that arrived after the request."""
        return self._data

    def _read_head(self) -> bytes | None:
        data, bounds = self._data, self._bounds
        line = REQUEST_LINE.match(data)
        if line is None and b"\n" in data:
            raise Refused(400, "not a request")
        end = data.find(_HEAD_END) + len(_HEAD_END)
        is_whole = end >= len(_HEAD_END)
        if (end if is_whole else len(data)) > bounds.header_bytes:
            raise Refused(431, "the head is too large")
        if not is_whole or line is None:
            if LONE_LF.search(data):
                raise Refused(400, "a line that ends without CR")
            return None
        head = read_head(data[:end], bounds.header_count)
        if head.method.upper() == "CONNECT":
            raise Refused(405, "no tunnels here")
        self._at, self.head = end, head
        if head.length is None:
            self._next = Relay._chunk_size
        else:
            self._next, self._left, self.is_done = Relay._body, head.length, head.length == 0
        # In origin form, even if the client used absolute form. RFC 9112 section 3.2.1.
        target = path_of(line[2].decode("latin-1")).encode("latin-1")
        rest = data[line.end(2) : end]
        return line[1] + b" " + target + (_FRAMING.sub(b"", rest) if self._drops_body else rest)

    def _body(self) -> bytes | None:
        piece = self._taken()
        self.is_done = not self._left
        return self._kept(piece) if piece else None

    def _chunk_size(self) -> bytes | None:
        line = CHUNK_SIZE.match(self._data, self._at)
        if line is None:
            if self._data.find(b"\n", self._at) >= 0 or len(self._data) - self._at > CHUNK_LINE_BYTES_MAX:
                raise Refused(400, "not the size of a chunk")
            return None
        self._at, self._left = line.end(), int(line[1], 16)
        self._next = Relay._chunk if self._left else Relay._trailers
        return b""

    def _chunk(self) -> bytes | None:
        """Reads a chunk. Extensions of its size are dropped."""
        if self._left:
            self._pieces.append(self._taken())
            if self._left:
                return None
        if len(self._data) - self._at < len(_CRLF):
            return None
        if not self._data.startswith(_CRLF, self._at):
            raise Refused(400, "a chunk that does not end with its size")
        self._at, self._next = self._at + len(_CRLF), Relay._chunk_size
        return b""

    def _taken(self) -> bytes:
        """The received part of the missing bytes."""
        piece = self._data[self._at : self._at + self._left]
        self._at += len(piece)
        self._left -= len(piece)
        return piece

    def _one_chunk(self) -> bytes:
        content, self._pieces = b"".join(self._pieces), []
        return self._kept(b"%x\r\n%b\r\n" % (len(content), content)) if content else b""

    def _trailers(self) -> bytes | None:
        """Drops the trailers. RFC 9110 section 6.5.1: a sender cannot rely on them, and mitmproxy cannot send them."""
        if self._data.startswith(_CRLF, self._at):
            end = self._at + len(_CRLF)
        else:
            end = self._data.find(_HEAD_END, self._at) + len(_HEAD_END)
            is_whole = end >= len(_HEAD_END)
            if (end if is_whole else len(self._data)) - self._at > self._bounds.header_bytes:
                raise Refused(431, "the trailers are too large")
            if not is_whole:
                if LONE_LF.search(self._data, self._at):
                    raise Refused(400, "a line that ends without CR")
                return None
            if not FIELDS_TO_END.fullmatch(self._data, self._at, end):
                raise Refused(400, "not a trailer field")
        self._at, self.is_done = end, True
        return self._one_chunk() + self._kept(_LAST_CHUNK)

    def _kept(self, data: bytes) -> bytes:
        return b"" if self._drops_body else data

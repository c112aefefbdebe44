"""
Reads the head of a request in the only possible way, or refuses it. RFC 9112 sections 2 to 6.

httptools splits the fields. It accepts heads that two parsers could read differently (request smuggling); this module
refuses them: one strict pattern checks the field lines, and a few rules check the framing of the body.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

import httptools

from walletbridge.protocol.answers import is_encoded
from walletbridge.serve.lane.refusals import Refused

_TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_FIELD_LINES = rb"(?:" + _TOKEN + rb":[\t\x20-\x7e\x80-\xff]*\r\n)*"

REQUEST_LINE = re.compile(rb"(" + _TOKEN + rb") ([\x21-\x7e\x80-\xff]+) HTTP/([0-9])\.([0-9])\r\n")
FIELDS_TO_END = re.compile(_FIELD_LINES + rb"\r\n")
"""A head after its first line, or the trailers of a body: no lone CR or LF, no folded line."""
LONE_LF = re.compile(rb"(?<!\r)\n")
_ABSOLUTE = re.compile(r"https?://([^/?#@]+)(/.*)?", re.IGNORECASE | re.DOTALL)
"""A target in absolute form, as clients send it to a proxy. RFC 9112 section 3.2.2."""

_DIGITS = re.compile(rb"[0-9]{1,18}")
_COMMA = re.compile(rb"[ \t]*,[ \t]*")
_UPGRADE = re.compile(rb"\r\nupgrade:", re.IGNORECASE)


REMEMBERED_BYTES_MAX = 2048


@dataclass(frozen=True, slots=True)
class Head:
    """A request without its body."""

    method: str
    tokens: tuple[bytes, ...]
    """The values of all `Callback-Token` fields."""
    forwarded: tuple[bytes, ...]
    """The values of all `X-Forwarded-For` fields."""
    length: int | None
    """The announced bytes of the body; None if it is chunked, or over HTTP/2 not announced."""
    keep_alive: bool
    says_keep_alive: bool
    """Whether an HTTP/1.0 client asked for keep-alive: the response must confirm it."""
    expects_continue: bool
    is_encoded: bool = False
    """Whether the head declares a compressed body."""


class Message:
    """A request as httptools reads it."""

    def __init__(self, head: bytes) -> None:
        """
        Raises Refused if httptools rejects the head.

        httptools knows only some methods, and CONNECT changes what follows. The framing of a body does not depend on
        the method, so httptools always sees POST. It never sees Upgrade, which walletbridge ignores, as it may.
        """
        self.named: dict[bytes, list[bytes]] = {}
        """The fields in `_DECIDING`, by lower-case name."""
        self.body: list[bytes] = []
        """The received pieces of the body."""
        self._parser = httptools.HttpRequestParser(self)
        as_post = b"POST" + head[head.index(b" ") :]
        self.feed(_UPGRADE.sub(b"\r\nx-upgrade:", as_post))

    def feed(self, data: bytes) -> None:
        """Takes bytes of the message, none after its end. Raises Refused."""
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            raise Refused(400, "not a request") from None

    def on_header(self, name: bytes, value: bytes) -> None:
        """Called by httptools for each field in order, also in trailers."""
        key = name.lower()
        if key in _DECIDING:
            # httptools keeps the blanks after a value.
            self.named.setdefault(key, []).append(value.strip(b" \t"))

    def on_body(self, data: bytes) -> None:
        """Called by httptools for each piece of the body, without framing."""
        self.body.append(data)


_HOST, _LENGTH, _CODING = b"host", b"content-length", b"transfer-encoding"
_TOKEN_FIELD, _EXPECT, _CONNECTION = b"callback-token", b"expect", b"connection"
_FORWARDED, _ENCODING = b"x-forwarded-for", b"content-encoding"
_DECIDING = frozenset({_HOST, _LENGTH, _CODING, _TOKEN_FIELD, _EXPECT, _CONNECTION, _FORWARDED, _ENCODING})
_NOTHING: list[bytes] = []
_VERSIONS = {(b"1", b"1"): False, (b"1", b"0"): True}
"""The accepted versions, and whether each is HTTP/1.0."""


def read_head(head: bytes, fields_max: int) -> Head:
    """
    Reads a head from its request line to the empty line at its end. Raises Refused.

    Caches heads of up to REMEMBERED_BYTES_MAX bytes: a provider's heads differ in little but their lengths.
    """
    return _remembered(head, fields_max) if len(head) <= REMEMBERED_BYTES_MAX else _read_head(head, fields_max)


def _read_head(head: bytes, fields_max: int) -> Head:
    line = REQUEST_LINE.match(head)
    if line is None:
        raise Refused(400, "not a request")
    is_http_1_0 = _VERSIONS.get((line[3], line[4]))
    if is_http_1_0 is None:
        raise Refused(505, "expected HTTP/1.1")
    if head.count(b"\r\n", line.end()) - 1 > fields_max:
        raise Refused(431, "too many header fields")
    if not FIELDS_TO_END.fullmatch(head, line.end()):
        raise Refused(400, "not a header field")
    named = Message(head).named
    hosts = len(named.get(_HOST, _NOTHING))
    if hosts > 1 or (not hosts and not is_http_1_0):
        raise Refused(400, "expected one Host")
    _expect_target(line[1], line[2].decode("latin-1"), named.get(_HOST, _NOTHING))
    options = {option.lower() for value in named.get(_CONNECTION, _NOTHING) for option in _COMMA.split(value)}
    says_keep_alive = is_http_1_0 and b"keep-alive" in options and b"close" not in options
    return Head(
        method=line[1].decode("ascii"),
        tokens=tuple(named.get(_TOKEN_FIELD, _NOTHING)),
        forwarded=tuple(named.get(_FORWARDED, _NOTHING)),
        length=_length(named, is_http_1_0=is_http_1_0),
        keep_alive=says_keep_alive or not (is_http_1_0 or b"close" in options),
        says_keep_alive=says_keep_alive,
        expects_continue=not is_http_1_0 and [v.lower() for v in named.get(_EXPECT, _NOTHING)] == [b"100-continue"],
        is_encoded=is_encoded(named.get(_ENCODING, _NOTHING)),
    )


_remembered = lru_cache(256)(_read_head)


def path_of(target: str) -> str:
    """Path and query of a target in origin or absolute form; any other target unchanged."""
    if target.startswith("/"):
        return target
    absolute = _ABSOLUTE.fullmatch(target)
    return target if absolute is None else absolute[2] or "/"


def _expect_target(method: bytes, target: str, hosts: list[bytes]) -> None:
    """Refuses a target that parsers could read differently, and two different hosts."""
    absolute = None if target.startswith("/") else _ABSOLUTE.fullmatch(target)
    if absolute is not None and hosts and absolute[1].lower() != hosts[0].decode("latin-1").lower():
        raise Refused(400, "expected one host")
    is_path = target.startswith("/") or absolute is not None or (target == "*" and method == b"OPTIONS")
    if not is_path or "#" in target:
        raise Refused(400, "expected a path")


def _length(named: dict[bytes, list[bytes]], *, is_http_1_0: bool) -> int | None:
    """The length of the body, or None for chunks. Refuses two framings, even if they agree."""
    lengths, codings = named.get(_LENGTH, _NOTHING), named.get(_CODING, _NOTHING)
    if codings:
        if lengths or len(codings) > 1 or is_http_1_0 or codings[0].lower() != b"chunked":
            raise Refused(400, "expected a Content-Length or the one coding chunked")
        return None
    if not lengths:
        return 0
    if len(lengths) > 1 or not _DIGITS.fullmatch(lengths[0]):
        raise Refused(400, "expected one Content-Length in digits")
    return int(lengths[0])

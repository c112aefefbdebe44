"""
The head of a request, from its bytes: one way to read it, or none. RFC 9112 sections 2 to 6.

httptools splits the fields. What it lets through though two parsers may read it differently (request smuggling) is
refused here: what stands between the fields by one strict pattern, what frames the body by its few rules.
"""

import re
from dataclasses import dataclass

import httptools

from walletbridge.serve.lane.refusals import Refused

_TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_FIELD_LINES = rb"(?:" + _TOKEN + rb":[\t\x20-\x7e\x80-\xff]*\r\n)*"

REQUEST_LINE = re.compile(rb"(" + _TOKEN + rb") ([\x21-\x7e\x80-\xff]+) HTTP/([0-9])\.([0-9])\r\n")
FIELDS_TO_END = re.compile(_FIELD_LINES + rb"\r\n")
"""The rest of a head after its first line, or the trailers of a body: neither a lone CR or LF nor a folded line."""
LONE_LF = re.compile(rb"(?<!\r)\n")

_DIGITS = re.compile(rb"[0-9]{1,18}")
_COMMA = re.compile(rb"[ \t]*,[ \t]*")
_UPGRADE = re.compile(rb"\r\nupgrade:", re.IGNORECASE)


@dataclass(slots=True)
class Head:
    """A request on the callback path, of which the body is still to come."""

    method: str
    received_at: float
    """When its first byte came, in seconds on the caller's clock."""
    tokens: list[bytes]
    """The values of all `Callback-Token` fields."""
    length: int | None
    """Of the body, in bytes, as announced; None where it comes in chunks."""
    keep_alive: bool
    says_keep_alive: bool = False
    """An HTTP/1.0 client that asked for it has to be told that it got it."""
    expects_continue: bool = False
    is_too_large: bool = False
    """The announced body is over the limit."""


class FieldCollector:
    """
    What httptools calls back. Of the fields it keeps those that decide something; PROTOCOL: Transport.
    """

    def __init__(self) -> None:
        self.content: list[bytes] = []
        """The body so far, in pieces."""
        self.begin()

    def begin(self) -> None:
        """Forgets the message before."""
        self.named: dict[bytes, list[bytes]] = {}

    def on_header(self, name: bytes, value: bytes) -> None:
        """Each field, in order; those of trailers as well."""
        key = name.lower()
        if key in _DECIDING:
            self.named.setdefault(key, []).append(value)

    def on_body(self, data: bytes) -> None:
        """Each piece of the body, without its framing."""
        self.content.append(data)


_HOST, _LENGTH, _CODING = b"host", b"content-length", b"transfer-encoding"
_TOKEN_FIELD, _EXPECT, _CONNECTION = b"callback-token", b"expect", b"connection"
_DECIDING = frozenset({_HOST, _LENGTH, _CODING, _TOKEN_FIELD, _EXPECT, _CONNECTION})
_NOTHING: list[bytes] = []


def new_parser(collector: FieldCollector) -> httptools.HttpRequestParser:
    """A parser of one connection, as strict as it comes."""
    return httptools.HttpRequestParser(collector)


def feed_head(
    parser: httptools.HttpRequestParser, collector: FieldCollector, method: bytes, head: bytes
) -> httptools.HttpRequestParser:
    """
    Lets httptools split a head into `collector`. Returns the parser to go on with. Raises Refused.

    It knows some methods only, of which CONNECT changes what follows. To the framing of a body the method does not
    matter, so it always sees a POST; and never an Upgrade, which we do not do and may pass over.
    """
    if method != b"POST":
        head = b"POST" + head[len(method) :]
    collector.begin()
    try:
        parser.feed_data(head)
    except httptools.HttpParserUpgrade:
        collector.begin()
        parser = new_parser(collector)
        return feed_head(parser, collector, b"POST", _UPGRADE.sub(b"\r\nx-upgrade:", head))
    except httptools.HttpParserError:
        raise Refused(400, "not a request") from None
    return parser


def read_head(method: bytes, collector: FieldCollector, *, is_http_1_0: bool, received_at: float) -> Head:
    """What the fields say of the body and of the connection. Raises Refused."""
    named = collector.named
    hosts = len(named.get(_HOST, _NOTHING))
    if hosts > 1 or (not hosts and not is_http_1_0):
        raise Refused(400, "expected one Host")
    length = _length(named, is_http_1_0=is_http_1_0)
    head = Head(method.decode("ascii"), received_at, named.get(_TOKEN_FIELD, _NOTHING), length, not is_http_1_0)
    if _CONNECTION in named:
        options = {option.lower() for value in named[_CONNECTION] for option in _COMMA.split(value)}
        if b"close" in options:
            head.keep_alive = False
        elif is_http_1_0 and b"keep-alive" in options:
            head.keep_alive = head.says_keep_alive = True
    if _EXPECT in named and not is_http_1_0:
        head.expects_continue = named[_EXPECT][0].lower() == b"100-continue"
    return head


def _length(named: dict[bytes, list[bytes]], *, is_http_1_0: bool) -> int | None:
    """Two ways to tell where a body ends are one too many, also where they agree."""
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

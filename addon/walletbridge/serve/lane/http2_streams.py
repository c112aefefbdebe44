"""
The requests in progress on one HTTP/2 connection, and the deadline of each.
"""

from dataclasses import dataclass, field

from mitmproxy.proxy.layers.http._http2 import parse_h2_request_headers

from walletbridge.gateway import ambiguity
from walletbridge.protocol.answers import is_encoded
from walletbridge.serve.lane.deadlines import NEVER
from walletbridge.serve.lane.heads import Head
from walletbridge.serve.lane.refusals import Refused

type Fields = list[tuple[bytes, bytes]]


@dataclass(slots=True, eq=False)
class Callback:
    """A callback that is not answered yet."""

    head: Head
    received_at: float
    """Arrival time of its head, on the gateway's clock."""
    until: float
    """The deadline of its body; NEVER once the gateway has it."""
    pieces: list[bytes] = field(default_factory=list)
    size: int = 0
    """Bytes of the received body."""
    has_ended: bool = False
    """Whether the whole request has arrived."""
    is_gone: bool = False
    """Whether the client has reset its stream."""

    @property
    def is_asked(self) -> bool:
        """Whether the gateway has it."""
        return self.until == NEVER


@dataclass(slots=True, eq=False)
class Other:
    """A request for another path."""

    until: float
    """The deadline for more of its body; NEVER once all has arrived."""
    unread: int = 0
    """Bytes of its body that mitmproxy cannot take yet: until then the client may not send more."""
    is_extended: bool = False
    """Whether the upstream has been given more time to take them."""


def read_headers(headers: Fields, count_max: int) -> tuple[bytes, bytes, Fields]:
    """The method, the path and the fields of a request. Raises Refused if parsers could read it differently."""
    try:
        _, _, method, _, authority, path, fields = parse_h2_request_headers(headers)
    except ValueError:
        raise Refused(400, "not a request") from None
    problem = ambiguity.problem(method, path, authority, fields.fields)
    if problem is not None:
        raise Refused(400, problem)
    if len(fields.fields) > count_max:
        raise Refused(431, "too many header fields")
    return method, path, list(fields.fields)


def head_of(method: bytes, fields: Fields) -> Head:
    """The head of a callback. The h2 library checks the framing of its body."""
    lengths = _values(fields, b"content-length")
    return Head(
        method=method.decode("ascii"),
        tokens=_values(fields, b"callback-token"),
        forwarded=_values(fields, b"x-forwarded-for"),
        length=int(lengths[0]) if lengths else None,
        keep_alive=True,
        says_keep_alive=False,
        expects_continue=[value.lower() for value in _values(fields, b"expect")] == [b"100-continue"],
        is_encoded=is_encoded(_values(fields, b"content-encoding")),
    )


def _values(fields: Fields, wanted: bytes) -> tuple[bytes, ...]:
    return tuple(value.strip(b" \t") for name, value in fields if name.lower() == wanted)

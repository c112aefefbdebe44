"""
The requests of one HTTP/2 connection that are under way, and until when each may go on as it is.
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
    """A callback whose answer has not gone out."""

    head: Head
    received_at: float
    """When its head came, on the gateway's clock."""
    until: float
    """When its body must be there; NEVER once it is."""
    pieces: list[bytes] = field(default_factory=list)
    size: int = 0
    """Of the pieces, in bytes."""
    has_ended: bool = False
    """Whether the whole request has come."""
    is_gone: bool = False
    """Whether the client has given it up."""

    @property
    def is_asked(self) -> bool:
        """Whether the gateway has it."""
        return self.until == NEVER


@dataclass(slots=True, eq=False)
class Other:
    """A request for another path."""

    until: float
    """When more of its body must be there; NEVER once all is."""
    unread: int = 0
    """Bytes of its body that mitmproxy cannot take yet, so that the client may not send more."""
    is_extended: bool = False
    """Whether the upstream has had more time to take them."""


def read_headers(headers: Fields, count_max: int) -> tuple[bytes, bytes, Fields]:
    """The method, the path and the fields of a request that all read in one way. Raises Refused."""
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
    """The head of a callback. What frames its body, the h2 library sees to."""
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

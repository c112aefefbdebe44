"""
Reads the PROXY header, in which a load balancer names the client of a connection: versions 1 and 2 of HAProxy's
specification (proxy-protocol.txt). Sans-IO.
"""

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

V2_SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"
V1_BYTES_MAX = 107
"""Version 1, including its line end (section 2.1)."""
V2_BYTES_MAX = 2048
"""Version 2 with its extensions. A balancer's TLS data takes some hundred bytes."""
_V1_START = b"PROXY "
_V1 = re.compile(rb"PROXY (TCP4|TCP6) ([0-9A-Fa-f.:]{2,39}) ([0-9A-Fa-f.:]{2,39}) (\d{1,5}) (\d{1,5})")
_V1_UNKNOWN = b"PROXY UNKNOWN"
_PORT_MAX = 65535
_V2_FIXED = 16
_LOCAL, _PROXY = 0x20, 0x21
_TCP4, _TCP6 = 0x11, 0x21
_ADDRESS_BYTES = {_TCP4: 4, _TCP6: 16}


class BadHeader(Exception):
    """Raised for bytes that are not a PROXY header, or one that is too long. Never contains received bytes."""


@dataclass(frozen=True, slots=True)
class Header:
    """A complete header."""

    address: str | None
    """The client's address; None if the sender connects for itself, as for a health check."""
    length: int
    """Bytes of the header; the client's bytes follow."""


def read_header(data: bytes) -> Header | None:
    """Reads the header at the start of a connection; None if more bytes are needed. Raises BadHeader."""
    if data.startswith(V2_SIGNATURE):
        return _read_v2(data)
    if V2_SIGNATURE.startswith(data) or _V1_START.startswith(data):
        return None
    if data.startswith(_V1_START):
        return _read_v1(data)
    raise BadHeader("expected a PROXY header")


def _read_v1(data: bytes) -> Header | None:
    end = data.find(b"\r\n", 0, V1_BYTES_MAX)
    if end < 0:
        if len(data) >= V1_BYTES_MAX:
            raise BadHeader("the PROXY header is too long")
        return None
    line, length = data[:end], end + 2
    if line == _V1_UNKNOWN or line.startswith(_V1_UNKNOWN + b" "):
        return Header(None, length)
    fields = _V1.fullmatch(line)
    if fields is None or max(int(fields[4]), int(fields[5])) > _PORT_MAX:
        raise BadHeader("the PROXY header is malformed")
    kind = IPv4Address if fields[1] == b"TCP4" else IPv6Address
    try:
        source, _ = kind(fields[2].decode()), kind(fields[3].decode())
    except ValueError:
        raise BadHeader("the PROXY header has no address") from None
    return Header(_text(source), length)


def _read_v2(data: bytes) -> Header | None:
    if len(data) < _V2_FIXED:
        return None
    command, family = data[12], data[13]
    size = int.from_bytes(data[14:16])
    length = _V2_FIXED + size
    if length > V2_BYTES_MAX:
        raise BadHeader("the PROXY header is too long")
    if command not in {_LOCAL, _PROXY}:
        raise BadHeader("the PROXY header is malformed")
    if len(data) < length:
        return None
    if command == _LOCAL:
        return Header(None, length)
    address_bytes = _ADDRESS_BYTES.get(family)
    # Two addresses and two ports. Extensions after them, such as TLS data, are ignored.
    if address_bytes is None or size < 2 * address_bytes + 4:
        raise BadHeader("the PROXY header has no address")
    packed = data[_V2_FIXED : _V2_FIXED + address_bytes]
    return Header(_text(IPv4Address(packed) if family == _TCP4 else IPv6Address(packed)), length)


def _text(address: IPv4Address | IPv6Address) -> str:
    """Shows an IPv4 address that a socket for both families has mapped to IPv6 as IPv4."""
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return str(mapped or address)

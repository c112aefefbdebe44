"""
Finds requests that two HTTP parsers could read differently. No such request may go to an upstream.

For requests parsed by other code. RFC 9110 section 5, RFC 9112 sections 3 to 6, RFC 9113 section 8.2.
"""

import re
from collections.abc import Iterable

_TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(rb"[\t\x20-\x7e\x80-\xff]*")
_PATH = re.compile(rb"/[\x21\x22\x24-\x7e\x80-\xff]*")
_AUTHORITY = re.compile(rb"[!$&'()*+,;=._~0-9A-Za-z\[\]:%-]*")
_DIGITS = re.compile(rb"[0-9]{1,18}")
_HOST, _LENGTH, _CODING = b"host", b"content-length", b"transfer-encoding"
_ASTERISK = (b"OPTIONS", b"*")


def problem(method: bytes, path: bytes, authority: bytes, fields: Iterable[tuple[bytes, bytes]]) -> str | None:
    """
    The problem, in words that quote nothing of the request; None if there is none. `authority` is empty if the request
    has only its Host.
    """
    if not _TOKEN.fullmatch(method):
        return "not a method"
    if not _PATH.fullmatch(path) and (method, path) != _ASTERISK:
        return "expected a path"
    return "not a host" if not _AUTHORITY.fullmatch(authority) else _problem_of(authority, fields)


def _problem_of(authority: bytes, fields: Iterable[tuple[bytes, bytes]]) -> str | None:
    deciding: dict[bytes, list[bytes]] = {name: [] for name in (_HOST, _LENGTH, _CODING)}
    for name, value in fields:
        if not _TOKEN.fullmatch(name) or not _VALUE.fullmatch(value):
            return "not a header field"
        if (key := name.lower()) in deciding:
            deciding[key].append(value)
    hosts, lengths, codings = deciding.values()
    if len(hosts) > 1 or (hosts and authority and hosts[0].lower() != authority.lower()):
        return "expected one host"
    if len(lengths) + len(codings) > 1 or not all(map(_DIGITS.fullmatch, lengths)):
        return "expected one Content-Length or Transfer-Encoding"
    return None

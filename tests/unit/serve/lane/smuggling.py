"""
Requests that two parsers may read differently, or that are none: the known classes of request smuggling, and what
RFC 9112 says of each. Every one of them must be refused with its status, and end the connection.
"""

from typing import NamedTuple

TOKEN = b"a-token-that-nobody-sees"
_LINE = b"POST /callback HTTP/1.1\r\n"
_HOST = b"Host: gateway\r\n"
_START = _LINE + _HOST + b"Callback-Token: " + TOKEN + b"\r\n"
_CHUNKED = _START + b"Transfer-Encoding: chunked\r\n\r\n"
_SMUGGLED = b"GET /admin HTTP/1.1\r\nHost: gateway\r\n\r\n"


class Case(NamedTuple):
    """A request, and the status that it gets."""

    data: bytes
    status: int = 400


def _field(line: bytes, body: bytes = b"") -> Case:
    return Case(_START + line + b"\r\n\r\n" + body)


def _chunks(body: bytes) -> Case:
    return Case(_CHUNKED + body)


TWO_LENGTHS = {
    "two equal lengths": _field(b"Content-Length: 3\r\nContent-Length: 3", b"abc"),
    "two lengths": _field(b"Content-Length: 0\r\nContent-Length: 38", _SMUGGLED),
    "two lengths, names in other cases": _field(b"content-length: 3\r\nCONTENT-LENGTH: 4", b"abcd"),
    "a list of equal lengths": _field(b"Content-Length: 3, 3", b"abc"),
    "a list of lengths": _field(b"Content-Length: 3,38", _SMUGGLED),
}
LENGTH_AND_CHUNKED = {
    "CL.TE": _field(b"Content-Length: 6\r\nTransfer-Encoding: chunked", b"0\r\n\r\nG"),
    "TE.CL": _field(b"Transfer-Encoding: chunked\r\nContent-Length: 4", b"5c\r\nGPOST / HTTP/1.1\r\n\r\n0\r\n\r\n"),
    "a length of 0 and chunked": _field(b"Content-Length: 0\r\nTransfer-Encoding: chunked", b"0\r\n\r\n"),
}
CODINGS = {
    "TE.TE": _field(b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity", b"0\r\n\r\n"),
    "chunked twice": _field(b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", b"0\r\n\r\n"),
    "chunked twice in a list": _field(b"Transfer-Encoding: chunked, chunked", b"0\r\n\r\n"),
    "a coding before chunked": _field(b"Transfer-Encoding: gzip, chunked", b"0\r\n\r\n"),
    "a coding behind chunked": _field(b"Transfer-Encoding: chunked, identity", b"0\r\n\r\n"),
    "an unknown coding": _field(b"Transfer-Encoding: xchunked"),
    "a coding in quotes": _field(b'Transfer-Encoding: "chunked"', b"0\r\n\r\n"),
    "a coding with a parameter": _field(b"Transfer-Encoding: chunked;q=1", b"0\r\n\r\n"),
    "identity": _field(b"Transfer-Encoding: identity"),
    "no coding": _field(b"Transfer-Encoding: "),
    "a vertical tab before chunked": _field(b"Transfer-Encoding: \x0bchunked", b"0\r\n\r\n"),
    "chunked in HTTP/1.0": Case(b"POST /callback HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
}
LENGTHS = {
    "a sign": _field(b"Content-Length: +3", b"abc"),
    "a minus": _field(b"Content-Length: -3", b"abc"),
    "hexadecimal": _field(b"Content-Length: 0x3", b"abc"),
    "an underscore": _field(b"Content-Length: 1_0", b"abcdefghij"),
    "a fraction": _field(b"Content-Length: 3.0", b"abc"),
    "an exponent": _field(b"Content-Length: 1e1", b"abcdefghij"),
    "no digits": _field(b"Content-Length: "),
    "a blank inside": _field(b"Content-Length: 3 8", _SMUGGLED),
    "beyond 64 bits": _field(b"Content-Length: 18446744073709551617"),
    "digits beyond ASCII": _field(b"Content-Length: \xd9\xa3", b"abc"),
}
LINE_ENDS = {
    "LF after the first line": Case(_LINE.replace(b"\r\n", b"\n") + _HOST + b"\r\n"),
    "LF after a field": Case(_LINE + b"Host: gateway\nContent-Length: 0\r\n\r\n"),
    "LF alone everywhere": Case(_START.replace(b"\r\n", b"\n") + b"\n"),
    "LF at the end of the head": Case(_START + b"Content-Length: 0\r\n\n"),
    "CR alone between fields": Case(_LINE + b"Host: gateway\rContent-Length: 0\r\n\r\n"),
    "CR before the colon": _field(b"Content-Length\r: 3", b"abc"),
    "CR CR LF": Case(_LINE + b"Host: gateway\r\r\nContent-Length: 0\r\n\r\n"),
    "a field folded with a blank": _field(b"X-Folded: a\r\n b\r\nContent-Length: 0"),
    "a field folded with a tab": _field(b"X-Folded: a\r\n\tContent-Length: 3\r\nContent-Length: 0"),
    "a coding folded": _field(b"Transfer-Encoding:\r\n chunked", b"0\r\n\r\n"),
    "a blank before the first field": Case(_LINE + b" " + _HOST + b"\r\n"),
}
NAMES = {
    "a blank before the colon": _field(b"Content-Length : 3", b"abc"),
    "a tab before the colon": _field(b"Transfer-Encoding\t: chunked", b"0\r\n\r\n"),
    "no name": _field(b": value"),
    "no colon": _field(b"Content-Length 3"),
    "a blank in the name": _field(b"Content Length: 3", b"abc"),
    "NUL in the name": _field(b"Content-Length\0: 3", b"abc"),
    "a name beyond ASCII": _field(b"Content-Length\xa0: 3", b"abc"),
    "a separator in the name": _field(b"Content(Length): 3", b"abc"),
}
VALUES = {
    "NUL in a value": _field(b"X-Value: a\0b"),
    "a bell in a value": _field(b"X-Value: a\x07b"),
    "DEL in a value": _field(b"X-Value: a\x7fb"),
    "NUL in the token": Case(_LINE + _HOST + b"Callback-Token: " + TOKEN + b"\0\r\n\r\n"),
    "two hosts": _field(b"Host: other"),
    "no host": Case(_LINE + b"Content-Length: 0\r\n\r\n"),
}
FIRST_LINES = {
    "two blanks": Case(b"POST  /callback HTTP/1.1\r\n" + _HOST + b"\r\n"),
    "a tab": Case(b"POST\t/callback HTTP/1.1\r\n" + _HOST + b"\r\n"),
    "a blank at the end": Case(b"POST /callback HTTP/1.1 \r\n" + _HOST + b"\r\n"),
    "a blank at the begin": Case(b" POST /callback HTTP/1.1\r\n" + _HOST + b"\r\n"),
    "a blank in the target": Case(b"POST /callback /x HTTP/1.1\r\n" + _HOST + b"\r\n"),
    "NUL in the target": Case(b"POST /callback\0 HTTP/1.1\r\n" + _HOST + b"\r\n"),
    "HTTP/0.9": Case(b"POST /callback\r\n"),
    "no such version": Case(b"POST /callback HTTP/1.2\r\n" + _HOST + b"\r\n", 505),
    "HTTP/2 without its preface": Case(b"POST /callback HTTP/2.0\r\n" + _HOST + b"\r\n", 505),
    "a long version": Case(b"POST /callback HTTP/1.10\r\n" + _HOST + b"\r\n"),
    "a version in small letters": Case(b"POST /callback http/1.1\r\n" + _HOST + b"\r\n"),
    "no method": Case(b"/callback HTTP/1.1\r\n" + _HOST + b"\r\n"),
    "a method in quotes": Case(b'"POST" /callback HTTP/1.1\r\n' + _HOST + b"\r\n"),
    "empty lines before": Case(b"\r\n\r\n" + _START + b"Content-Length: 0\r\n\r\n"),
    "noise": Case(b"\x00\x01\x02\n\n"),
}
CHUNKS = {
    "LF after the size": _chunks(b"3\nabc\r\n0\r\n\r\n"),
    "LF after the data": _chunks(b"3\r\nabc\n0\r\n\r\n"),
    "LF after the last chunk": _chunks(b"3\r\nabc\r\n0\n\n"),
    "no size": _chunks(b"\r\nabc\r\n0\r\n\r\n"),
    "0x before the size": _chunks(b"0x3\r\nabc\r\n0\r\n\r\n"),
    "a sign before the size": _chunks(b"+3\r\nabc\r\n0\r\n\r\n"),
    "a minus before the size": _chunks(b"-3\r\nabc\r\n0\r\n\r\n"),
    "an underscore in the size": _chunks(b"1_0\r\nabcdefghijklmnop\r\n0\r\n\r\n"),
    "a blank before the size": _chunks(b" 3\r\nabc\r\n0\r\n\r\n"),
    "a blank after the size": _chunks(b"3 \r\nabc\r\n0\r\n\r\n"),
    "a size that wraps around 32 bits": _chunks(b"100000003\r\nabc\r\n0\r\n\r\n"),
    "a size that wraps around 64 bits": _chunks(b"10000000000000003\r\nabc\r\n0\r\n\r\n"),
    "more data than the size": _chunks(b"3\r\nabcd\r\n0\r\n\r\n"),
    "less data than the size": _chunks(b"4\r\nabc\r\n0\r\n\r\n"),
    "a size of no digits": _chunks(b"g\r\nabc\r\n0\r\n\r\n"),
    "CR in an extension": _chunks(b"3;a\rb\r\nabc\r\n0\r\n\r\n"),
    "LF in an extension": _chunks(b"3;a\nabc\r\n0\r\n\r\n"),
    "NUL in an extension": _chunks(b"3;a\0b\r\nabc\r\n0\r\n\r\n"),
    "a long extension": _chunks(b"3;" + b"a" * 300 + b"\r\nabc\r\n0\r\n\r\n"),
    "a trailer without a colon": _chunks(b"0\r\nGET /admin HTTP/1.1\r\n\r\n"),
    "a folded trailer": _chunks(b"0\r\nX: a\r\n b\r\n\r\n"),
    "LF in a trailer": _chunks(b"0\r\nX: a\nY: b\r\n\r\n"),
}
CASES = {
    f"{sort}: {name}": case
    for sort, cases in {
        "two lengths": TWO_LENGTHS,
        "length and chunked": LENGTH_AND_CHUNKED,
        "codings": CODINGS,
        "a length": LENGTHS,
        "line ends": LINE_ENDS,
        "names": NAMES,
        "values": VALUES,
        "first lines": FIRST_LINES,
        "chunks": CHUNKS,
    }.items()
    for name, case in cases.items()
}

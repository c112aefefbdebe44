"""What two parsers could read differently is found in a request that was read already."""

import pytest

from walletbridge.gateway.ambiguity import problem

HOST = (b"Host", b"gateway")


@pytest.mark.parametrize(
    ("method", "path", "authority", "fields"),
    [
        (b"GET", b"/legacy?a=b&c=%20", b"", [HOST, (b"X", b"a b\tc\xff")]),
        (b"OPTIONS", b"*", b"", [HOST]),
        (b"PUT", b"/", b"gateway", [HOST, (b"Content-Length", b"3")]),
        (b"PUT", b"/", b"Gateway", [(b"host", b"gateway"), (b"transfer-encoding", b"chunked")]),
        (b"GET", b"/", b"[::1]:8443", []),
        (b"M-SEARCH", b"//callback", b"", []),
    ],
)
def test_what_everybody_reads_in_one_way_is_fine(
    method: bytes, path: bytes, authority: bytes, fields: list[tuple[bytes, bytes]]
) -> None:
    assert problem(method, path, authority, fields) is None


@pytest.mark.parametrize("method", [b"", b"GET ", b"G ET", b"GET\r\nX: y", b"G\0ET", b"G:ET", b"G\xc3\xa9T"])
def test_a_method_is_a_token(method: bytes) -> None:
    assert problem(method, b"/", b"", [HOST]) == "not a method"


@pytest.mark.parametrize(
    "path",
    [b"", b"legacy", b"/a b", b"/a HTTP/1.1\r\nX: y", b"/a\n", b"/a\0", b"/a#b", b"*", b"http://gateway/", b"/a\x7f"],
)
def test_a_path_is_one(path: bytes) -> None:
    assert problem(b"GET", path, b"", [HOST]) == "expected a path"


@pytest.mark.parametrize(
    "authority", [b"user@gateway", b"gate way", b"gateway/x", b"gateway\r\n", b"gateway?x", b"a\\b"]
)
def test_an_authority_is_a_host(authority: bytes) -> None:
    assert problem(b"GET", b"/", authority, []) == "not a host"


@pytest.mark.parametrize(
    "field",
    [
        *((name, b"x") for name in (b"", b"X ", b" X", b"X\0", b"X\r\nY", b"X:Y", b"X\xa0", b"X(Y)")),
        *((b"X", value) for value in (b"a\rb", b"a\nb", b"a\r\n b", b"a\0b", b"a\x07b", b"a\x7fb", b"\x1b[31m")),
    ],
)
def test_a_field_has_a_name_and_one_line(field: tuple[bytes, bytes]) -> None:
    assert problem(b"GET", b"/", b"", [HOST, field]) == "not a header field"


@pytest.mark.parametrize(
    ("authority", "fields"),
    [(b"", [HOST, HOST]), (b"", [HOST, (b"hOST", b"other")]), (b"other", [HOST]), (b"gateway", [HOST, HOST])],
)
def test_a_request_is_for_one_host(authority: bytes, fields: list[tuple[bytes, bytes]]) -> None:
    assert problem(b"GET", b"/", authority, fields) == "expected one host"


@pytest.mark.parametrize(
    "fields",
    [
        [(b"Content-Length", b"3"), (b"content-length", b"3")],
        [(b"Content-Length", b"3"), (b"Transfer-Encoding", b"chunked")],
        [(b"Transfer-Encoding", b"chunked"), (b"transfer-encoding", b"chunked")],
        *(
            [(b"Content-Length", length)]
            for length in (b"", b"+3", b"-3", b"0x3", b"3, 3", b"3 ", b"9" * 19, b"\xd9\xa3")
        ),
    ],
)
def test_a_body_has_one_length(fields: list[tuple[bytes, bytes]]) -> None:
    assert problem(b"PUT", b"/", b"", [HOST, *fields]) == "expected one Content-Length or Transfer-Encoding"

"""The PROXY header in both its versions: who the client is, and nothing that could be read in another way."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from walletbridge.serve.lane.proxy_header import (
    V1_BYTES_MAX,
    V2_BYTES_MAX,
    V2_SIGNATURE,
    BadHeader,
    Header,
    read_header,
)

V4 = bytes([192, 0, 2, 1, 198, 51, 100, 7]) + b"\xdb\xa0\x01\xbb"
V6 = bytes.fromhex("20010db8" + "00" * 11 + "01") + bytes.fromhex("20010db8" + "00" * 11 + "02") + b"\xdb\xa0\x01\xbb"
MAPPED = bytes.fromhex("00" * 10 + "ffffc0000201") * 2 + b"\xdb\xa0\x01\xbb"


def v2(addresses: bytes, *, command: int = 0x21, family: int = 0x11, more: bytes = b"") -> bytes:
    size = len(addresses) + len(more)
    return V2_SIGNATURE + bytes([command, family]) + size.to_bytes(2) + addresses + more


WHOLE = {
    b"PROXY TCP4 192.0.2.1 198.51.100.7 56224 443\r\n": "192.0.2.1",
    b"PROXY TCP6 2001:db8::1 2001:db8::2 56224 443\r\n": "2001:db8::1",
    b"PROXY TCP6 2001:DB8:0:0:0:0:0:1 ::1 0 65535\r\n": "2001:db8::1",
    b"PROXY TCP6 ::ffff:192.0.2.1 ::1 1 1\r\n": "192.0.2.1",
    b"PROXY UNKNOWN\r\n": None,
    b"PROXY UNKNOWN ffff::1 ffff::2 65535 65535\r\n": None,
    v2(V4): "192.0.2.1",
    v2(V6, family=0x21): "2001:db8::1",
    v2(MAPPED, family=0x21): "192.0.2.1",
    # Beside the addresses there are facts about TLS, checksums and padding.
    v2(V4, more=b"\x20\x00\x05\x01\x00\x00\x00\x00" + b"\x04\x00\x10" + b"\x00" * 16): "192.0.2.1",
    # A balancer that asks whether anybody is there; what stands behind it is passed over.
    v2(b"", command=0x20, family=0): None,
    v2(V4, command=0x20): None,
}


@pytest.mark.parametrize(("data", "address"), WHOLE.items())
def test_a_header_names_the_client(data: bytes, address: str | None) -> None:
    assert read_header(data) == Header(address, len(data))
    assert read_header(data + b"GET / HTTP/1.1\r\n") == Header(address, len(data))


@pytest.mark.parametrize("data", WHOLE)
def test_a_header_may_come_in_pieces(data: bytes) -> None:
    assert {read_header(data[:length]) for length in range(len(data))} == {None}


@pytest.mark.parametrize(
    "data",
    [
        b"GET /callback HTTP/1.1\r\n",
        b"POST /callback HTTP/1.1\r\n",
        b"\x16\x03\x01\x02\x00",
        b"\r\n\r\n\x00\r\nQUIX\n",
        b"proxy TCP4 192.0.2.1 198.51.100.7 1 1\r\n",
        b"PROXY  TCP4 192.0.2.1 198.51.100.7 1 1\r\n",
        b"PROXY TCP4 192.0.2.1 198.51.100.7 1 1\n\r\n",
        b"PROXY TCP4 192.0.2.1 198.51.100.7 1 1 \r\n",
        b"PROXY TCP4 192.0.2.1 198.51.100.7 1\r\n",
        b"PROXY TCP4 192.0.2.1 198.51.100.7 1 65536\r\n",
        b"PROXY TCP4 192.0.2.256 198.51.100.7 1 1\r\n",
        b"PROXY TCP4 192.0.2.01 198.51.100.7 1 1\r\n",
        b"PROXY TCP4 2001:db8::1 198.51.100.7 1 1\r\n",
        b"PROXY TCP6 192.0.2.1 2001:db8::1 1 1\r\n",
        b"PROXY TCP6 2001:db8:::1 2001:db8::1 1 1\r\n",
        b"PROXY TCP4 192.0.2.1 nonsense 1 1\r\n",
        b"PROXY UDP4 192.0.2.1 198.51.100.7 1 1\r\n",
        b"PROXY UNKNOWNS\r\n",
        b"PROXY " + b"x" * V1_BYTES_MAX,
        v2(V4, command=0x22),
        v2(V4, command=0x11),
        v2(V4, family=0x12),
        v2(V4, family=0x00),
        v2(V4, family=0x31),
        v2(V4[:-1]),
        v2(V4, family=0x21),
        # Refused at once, whatever of it has come.
        v2(V4, more=b"\x00" * V2_BYTES_MAX)[:16],
    ],
)
def test_what_is_no_header_is_refused(data: bytes) -> None:
    with pytest.raises(BadHeader, match="PROXY header") as raised:
        read_header(data)
    assert "192" not in str(raised.value)


@given(st.one_of(st.binary(max_size=300), st.binary(max_size=300).map(V2_SIGNATURE.__add__)))
def test_any_bytes_are_a_header_or_refused_or_too_few(data: bytes) -> None:
    try:
        header = read_header(data)
    except BadHeader:
        return
    assert header is None or header.length <= len(data)

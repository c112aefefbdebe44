"""Addresses as operators write them."""

import pytest

from walletbridge.settings import Address
from walletbridge.settings.addresses import parse_address, parse_upstream


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("127.0.0.1:8080", "127.0.0.1", 8080),
        ("0.0.0.0:0", "0.0.0.0", 0),  # noqa: S104 - only parsed
        ("localhost:65535", "localhost", 65535),
        ("gateway_1.internal-net:80", "gateway_1.internal-net", 80),
        ("[::1]:8080", "::1", 8080),
        ("[::]:0", "::", 0),
        ("[fe80::1%eth0]:8080", "fe80::1%eth0", 8080),
    ],
)
def test_an_address_is_a_host_and_a_port(text: str, host: str, port: int) -> None:
    address = parse_address(text)

    assert address == Address(host, port)
    assert str(address) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "8080",
        ":8080",
        "localhost",
        "localhost:",
        "localhost:http",
        "localhost:-1",
        "localhost:65536",
        "localhost:080801",
        "localhost:8080/",
        "localhost:8080\n",
        " localhost:8080",
        "localhost:٨٠",
        "http://localhost:8080",
        "256.0.0.1:8080",
        "127.1:8080",
        "1:8080",
        "::1:8080",
        "[::1]",
        "[::1:8080",
        "[]:8080",
        "[localhost]:8080",
        "[127.0.0.1]:8080",
        "[::1::]:8080",
    ],
)
def test_anything_else_is_no_address(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_address(text)


@pytest.mark.parametrize(
    "text",
    [
        "http://127.0.0.1:9000",
        "https://legacy.internal",
        "https://legacy.internal:443",
        "http://[::1]:65535",
        "http://[::1]",
        "http://localhost:1",
    ],
)
def test_an_upstream_is_kept_as_it_is_written(text: str) -> None:
    assert parse_upstream(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "127.0.0.1:9000",
        "localhost",
        "ftp://localhost",
        "HTTP://localhost",
        "tcp://localhost:1",
        "http://",
        "http://:80",
        "http:///path",
        "http://localhost/",
        "http://localhost/path",
        "http://localhost?a=1",
        "http://localhost#a",
        "http://localhost:0",
        "http://localhost:65536",
        "http://user@localhost",
        "http://a://b",
        "http://local host",
    ],
)
def test_anything_else_is_no_upstream(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_upstream(text)

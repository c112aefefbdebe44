"""
Addresses as operators write them: `HOST:PORT` to listen on, and the URL of an upstream.
"""

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import NewType

Upstream = NewType("Upstream", str)
"""`http://HOST:PORT` or `https://HOST:PORT`, the port optional, as in mitmproxy's reverse mode."""

ADDRESS_ACCEPTED = "HOST:PORT, such as 127.0.0.1:8080"
UPSTREAM_ACCEPTED = "http://HOST:PORT or https://HOST:PORT, without a path"

_HOST_AND_PORT = re.compile(r"(?:\[(?P<ipv6>[^\]]+)\]|(?P<host>\w[\w.-]*))(?::(?P<port>[0-9]{1,5}))?", re.ASCII)
_DIGITS_AND_DOTS = re.compile(r"[0-9.]+", re.ASCII)
_PORT_MAX = 65535


@dataclass(frozen=True, slots=True)
class Address:
    """An address to listen on."""

    host: str
    """A name or an IP address, an IPv6 address without its brackets."""
    port: int
    """0 to 65535; 0 takes any free port."""

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_address(text: str) -> Address:
    """Reads `HOST:PORT` or `[IPV6]:PORT`. Raises ValueError for anything else."""
    host, port = _host_and_port(text)
    if port is None:
        raise ValueError("no port")
    return Address(host, port)


def parse_upstream(text: str) -> Upstream:
    """Checks the URL of an upstream and returns it unchanged. Raises ValueError for anything else."""
    scheme, _, rest = text.partition("://")
    _, port = _host_and_port(rest)
    if scheme not in {"http", "https"} or port == 0:
        raise ValueError("not a scheme and an address to connect to")
    return Upstream(text)


def _host_and_port(text: str) -> tuple[str, int | None]:
    match = _HOST_AND_PORT.fullmatch(text)
    if not match:
        raise ValueError("not a host and a port")
    if match["ipv6"]:
        IPv6Address(match["ipv6"])
    elif _DIGITS_AND_DOTS.fullmatch(match["host"]):
        IPv4Address(match["host"])
    port = int(match["port"]) if match["port"] else None
    if port is not None and port > _PORT_MAX:
        raise ValueError("the port is too large")
    return match["ipv6"] or match["host"], port

"""
Decides which addresses may send callbacks, and finds a callback's address behind proxies.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

HOPS_MAX = 32
"""More than any real chain of proxies. The sender may have invented further addresses in the header."""

type _Address = IPv4Address | IPv6Address


class Peers:
    """
    An allow-list of networks, and the networks of the operator's own proxies. An empty allow-list allows all addresses.
    """

    def __init__(
        self,
        networks: Iterable[IPv4Network | IPv6Network],
        *,
        trusted_proxies: Iterable[IPv4Network | IPv6Network] = (),
    ) -> None:
        self._networks = tuple(networks)
        self._trusted = tuple(trusted_proxies)

    def accept(self, peer: str, forwarded: Sequence[bytes] = ()) -> bool:
        """
        Whether a request may bring callbacks. `peer` is the connection's other end; `forwarded` are the values of its
        X-Forwarded-For headers, in order. A client of unknown address may not.
        """
        if not self._networks:
            return True
        client = self.client(peer, forwarded)
        return client is not None and _is_in(client, self._networks)

    def is_outside(self, peer: str) -> bool:
        """Whether no request over a connection from `peer` may bring callbacks, whatever its headers."""
        address = _peer(peer)
        return bool(self._networks) and (address is None or not _is_in(address, (*self._networks, *self._trusted)))

    def is_trusted(self, peer: str) -> bool:
        """Whether `peer` is a proxy that many clients share."""
        address = _peer(peer)
        return address is not None and _is_in(address, self._trusted)

    def client(self, peer: str, forwarded: Sequence[bytes] = ()) -> _Address | None:
        """
        The client's address: the peer, unless that is a trusted proxy. Then it is the last address of the header that
        is no trusted proxy's, or the first one if all are. Nothing vouches for the addresses before it.

        None if a decisive address cannot be read, or a trusted proxy has named none.
        """
        address = _peer(peer)
        if address is None or not _is_in(address, self._trusted):
            return address
        hops = b",".join(forwarded).rsplit(b",", HOPS_MAX)
        for hop in reversed(hops[-HOPS_MAX:]):
            address = _read(_without_port(hop.strip(b" \t").decode("latin-1")))
            if address is None or not _is_in(address, self._trusted):
                return address
        return address if len(hops) <= HOPS_MAX else None


def _is_in(address: _Address, networks: Iterable[IPv4Network | IPv6Network]) -> bool:
    return any(address in network for network in networks)


def _read(text: str) -> _Address | None:
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        # A dual-stack socket shows an IPv4 caller like this.
        return address.ipv4_mapped
    return address


_peer = lru_cache(1024)(_read)
"""For connections alone, whose addresses recur. A header may hold any text, of any length."""


def _without_port(hop: str) -> str:
    """The address in `192.0.2.1`, `192.0.2.1:443`, `2001:db8::1`, `[2001:db8::1]` or `[2001:db8::1]:443`."""
    if hop.startswith("["):
        address, closed, port = hop[1:].partition("]")
        is_ipv6 = ":" in address and closed
        return address if is_ipv6 and (not port or _is_port(port)) else ""
    address, _, _ = hop.partition(":")
    return address if hop.count(":") == 1 and _is_port(hop[len(address) :]) else hop


def _is_port(text: str) -> bool:
    digits = text.removeprefix(":")
    return digits != text and digits.isascii() and digits.isdecimal() and len(digits) <= len("65535")

"""
Which addresses callbacks may come from.
"""

from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address


class Peers:
    """An allow-list of networks. An empty one allows everybody."""

    def __init__(self, networks: Iterable[IPv4Network | IPv6Network]) -> None:
        self._networks = tuple(networks)

    def accept(self, address: str) -> bool:
        """Whether a connection from `address` may bring callbacks. An address that cannot be read may not."""
        if not self._networks:
            return True
        try:
            peer = ip_address(address.partition("%")[0])
        except ValueError:
            return False
        if isinstance(peer, IPv6Address) and peer.ipv4_mapped is not None:
            # How a socket for both families shows a caller over IPv4.
            peer = peer.ipv4_mapped
        return any(peer in network for network in self._networks)

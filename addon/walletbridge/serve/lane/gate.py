"""
Who may come in: how many connections in all and from one address, and how many wrong tokens from one in a second.

Knows no sockets. Memory only for addresses that have a connection or sent a wrong token a moment ago.
"""

from collections.abc import Callable
from functools import lru_cache
from ipaddress import IPv6Address

from walletbridge.serve.lane.refusals import Refused
from walletbridge.settings import Limits

ADDRESSES_MAX = 100_000
"""Of which wrong tokens are counted; beyond, nobody is forgiven one."""
_IPV6_NETWORK = 64
"""Bits that one owner of addresses shares."""


class Gate:
    """Counts for one event loop."""

    def __init__(
        self,
        limits: Limits,
        *,
        clock: Callable[[], float],
        is_shared: Callable[[str], bool] = lambda _: False,
        is_outside: Callable[[str], bool] = lambda _: False,
        lets_outside_in: bool = True,
    ) -> None:
        """
        `is_shared`: whether an address is that of a proxy, behind which many stand: it may have any number.
        `is_outside`: whether no callback is taken from it. Such an address comes in only for other paths, if at all.
        """
        self._is_outside = is_outside
        self._lets_outside_in = lets_outside_in
        self._outside = 0
        self._is_shared = is_shared
        self._limits = limits
        self._clock = clock
        self._connections: dict[str, int] = {}
        self.connections = 0
        """How many there are now."""
        self._wrong: dict[str, int] = {}
        self._second = -1

    def enter(self, address: str) -> None:
        """A connection from `address` has come; `leave` must follow. Raises Refused where it is one too many."""
        if self.connections >= self._limits.connections:
            raise Refused(503, "too many connections")
        is_outside = self._is_outside(address)
        if is_outside and not self._lets_outside_in:
            raise Refused(403, "not from this address")
        if is_outside and self._outside >= self._limits.outside_connections:
            raise Refused(503, "too many connections from outside")
        owner = owner_of(address)
        count = self._connections.get(owner, 0)
        if count >= self._limits.connections_per_address and not self._is_shared(address):
            raise Refused(429, "too many connections from this address")
        self._connections[owner] = count + 1
        self.connections += 1
        self._outside += is_outside

    def leave(self, address: str) -> None:
        """A connection that came in has gone."""
        self.connections -= 1
        self._outside -= self._is_outside(address)
        owner = owner_of(address)
        count = self._connections[owner] - 1
        if count:
            self._connections[owner] = count
        else:
            del self._connections[owner]

    def forgives(self, address: str) -> bool:
        """
        Whether one more wrong token from `address` is answered, rather than refused.

        A right one is never refused: the provider may come through the same proxy as who tries out tokens.
        """
        second = int(self._clock())
        if second != self._second:
            self._second = second
            self._wrong.clear()
        owner = owner_of(address)
        count = self._wrong.get(owner, 0)
        if count >= self._limits.wrong_tokens_per_second or len(self._wrong) >= ADDRESSES_MAX:
            return False
        self._wrong[owner] = count + 1
        return True


@lru_cache(4096)
def owner_of(address: str) -> str:
    """The addresses that count as one: of IPv6 a whole network, for anybody has one to himself."""
    if ":" not in address:
        return address
    try:
        number = IPv6Address(address.partition("%")[0])
    except ValueError:
        return address
    if number.ipv4_mapped is not None:
        return str(number.ipv4_mapped)
    return f"{IPv6Address(int(number) >> (128 - _IPV6_NETWORK) << (128 - _IPV6_NETWORK))}/{_IPV6_NETWORK}"

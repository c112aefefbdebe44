"""
Limits connections, in all and per address, and wrong tokens per address and second.

A connection that has sent an accepted token is *proven*. It does not count for its address, so that another client at
the provider's address cannot shut the provider out: if a new connection finds no room, the oldest unproven one is
closed. One with requests for other paths in progress is closed only if there is no other.

Knows no sockets. Uses memory only for addresses with a connection or with a wrong token in the last counted second.
"""

from collections.abc import Callable
from functools import lru_cache
from ipaddress import IPv6Address

from walletbridge.serve.lane.deadlines import Place
from walletbridge.serve.lane.refusals import Refused
from walletbridge.settings import Limits

ADDRESSES_MAX = 100_000
"""Addresses whose wrong tokens are counted; beyond that, every wrong token is refused."""
_IPV6_NETWORK = 64
"""Bits of the network that one owner of addresses has."""


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
        `is_shared`: whether an address is a proxy of many clients: it may open any number of connections. `is_outside`:
        whether its callbacks are refused. It may connect only for other paths, if at all.
        """
        self._is_outside = is_outside
        self._lets_outside_in = lets_outside_in
        self._outside = 0
        self._is_shared = is_shared
        self._limits = limits
        self._clock = clock
        self._unproven: dict[Place, None] = {}
        """In order of arrival, as are the places of each address."""
        self._of: dict[str, dict[Place, None]] = {}
        """The same places, by the owner of their address."""
        self.connections = 0
        """Connections that are open now."""
        self.gave_way = 0
        """Connections that were ever closed for a newer one."""
        self._wrong: dict[str, int] = {}
        self._second = -1

    def enter(self, place: Place) -> None:
        """Admits a connection; `leave` must follow. Raises Refused beyond a limit, and for an outside address."""
        limits, owner = self._limits, owner_of(place.address)
        is_outside = self._is_outside(place.address)
        if is_outside and not self._lets_outside_in:
            raise Refused(403, "not from this address")
        if is_outside and self._outside >= limits.outside_connections:
            raise Refused(503, "too many connections from outside")
        theirs = self._of.get(owner, {})
        if len(theirs) >= limits.connections_per_address and not self._is_shared(place.address):
            self._make_room(theirs, Refused(429, "too many connections from this address"))
        elif self.connections >= limits.connections:
            self._make_room(self._unproven, Refused(503, "too many connections"))
        self._unproven[place] = self._of.setdefault(owner, {})[place] = None
        self.connections += 1
        self._outside += is_outside

    def leave(self, place: Place) -> None:
        """Removes an admitted connection."""
        self.connections -= 1
        self._outside -= self._is_outside(place.address)
        self._forget(place)

    def follow(self, place: Place, following: Place) -> None:
        """Replaces the place of a connection by `following`."""
        if place in self._unproven:
            self._forget(place)
            self._unproven[following] = self._of.setdefault(owner_of(following.address), {})[following] = None
        following.is_proven = place.is_proven

    def prove(self, place: Place) -> None:
        """Records that a connection has sent an accepted token."""
        place.is_proven = True
        self._forget(place)

    def _make_room(self, places: dict[Place, None], refused: Refused) -> None:
        """
        Closes the oldest connection without work, or else the oldest. It no longer counts for its address, and leaves
        soon. Raises `refused` if all are proven. Connections with work are few: see `limits.upstream_requests`.
        """
        place = next((place for place in places if place.may_give_way()), None) or next(iter(places), None)
        if place is None:
            raise refused
        self._forget(place)
        self.gave_way += 1
        place.cut()

    def _forget(self, place: Place) -> None:
        if place not in self._unproven:
            return
        del self._unproven[place]
        owner = owner_of(place.address)
        theirs = self._of[owner]
        del theirs[place]
        if not theirs:
            del self._of[owner]

    def forgives(self, address: str) -> bool:
        """
        Whether one more wrong token from `address` is answered instead of refused.

        An accepted token is never refused: the provider may share a proxy with a client that guesses tokens.
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
    """The key of the addresses that count as one: for IPv6 the /64 network, as one client can own all of it."""
    if ":" not in address:
        return address
    try:
        number = IPv6Address(address.partition("%")[0])
    except ValueError:
        return address
    if number.ipv4_mapped is not None:
        return str(number.ipv4_mapped)
    return f"{IPv6Address(int(number) >> (128 - _IPV6_NETWORK) << (128 - _IPV6_NETWORK))}/{_IPV6_NETWORK}"

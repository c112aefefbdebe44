"""
Which connections may come in: how many in all and from one address, and how many wrong tokens from one in a second.

A connection that has brought a right token is *proven*. It counts for no address, so that nothing that shares the
provider's address can shut the provider out: where a new connection finds no room, the oldest one that is not proven
gives way. One with requests for other paths under way does so only if there is no other.

Knows no sockets. Memory only for addresses that have a connection or sent a wrong token a moment ago.
"""

from collections.abc import Callable
from functools import lru_cache
from ipaddress import IPv6Address

from walletbridge.serve.lane.deadlines import Place
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
        self._unproven: dict[Place, None] = {}
        """In the order of their coming; so are those of an address."""
        self._of: dict[str, dict[Place, None]] = {}
        """The same ones, by the owner of their address."""
        self.connections = 0
        """How many there are now."""
        self.gave_way = 0
        """How many were ever closed for a newer one."""
        self._wrong: dict[str, int] = {}
        self._second = -1

    def enter(self, place: Place) -> None:
        """A connection has come; `leave` must follow. Raises Refused where it is one too many."""
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
        """A connection that came in has gone."""
        self.connections -= 1
        self._outside -= self._is_outside(place.address)
        self._forget(place)

    def follow(self, place: Place, following: Place) -> None:
        """One connection, from here on known by another place."""
        if place in self._unproven:
            self._forget(place)
            self._unproven[following] = self._of.setdefault(owner_of(following.address), {})[following] = None
        following.is_proven = place.is_proven

    def prove(self, place: Place) -> None:
        """A connection has brought a right token."""
        place.is_proven = True
        self._forget(place)

    def _make_room(self, places: dict[Place, None], refused: Refused) -> None:
        """
        Closes the oldest connection without work, or else the oldest. It leaves soon, and does not count any more.
        Raises `refused` where all are proven. Those at work are few: see `limits.upstream_requests`.
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

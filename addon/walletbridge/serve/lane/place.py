"""
What is known of a connection while it is there: whose it is, and until when it may go on as it is.

Times are kept by a sweep over all places instead of a timer each: setting one costs an assignment.
"""

import math
from collections.abc import Callable
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from walletbridge.serve.lane.conversation import Conversation

NEVER = math.inf
AT_ONCE = 20
"""How many expire before others have their turn: clients that came as a crowd are turned away as one."""


class Place:
    """A connection that came in."""

    __slots__ = ("address", "direct", "expire", "expires_at", "has_room", "is_closing", "tell")

    def __init__(
        self,
        address: str,
        *,
        expires_at: float,
        cut: Callable[[], None],
        tell: Callable[[], None],
        is_closing: Callable[[], bool],
    ) -> None:
        """
        `cut` closes the connection at once, `tell` says to what reads it that its time is up, `is_closing` whether
        nothing that is sent now goes out any more.
        """
        self.address = address
        """The client's IP address, as text."""
        self.expires_at = expires_at
        """When its time is up, on the gateway's clock; NEVER while the client is not waited for."""
        self.tell = tell
        self.is_closing = is_closing
        self.expire = cut
        """What is done then: `tell` once somebody reads the connection."""
        self.direct: Conversation | None = None
        """What is said on the connection, where nothing that stands between has anything to add."""
        self.has_room: Callable[[], bool] = _always
        """Whether more may be read from it now."""


class Places:
    """All connections that are there, by the id that mitmproxy gives them."""

    def __init__(self) -> None:
        self._places: dict[str, Place] = {}

    def __len__(self) -> int:
        return len(self._places)

    def get(self, connection: str) -> Place | None:
        """The place of a connection; None if it has none."""
        return self._places.get(connection)

    def add(self, connection: str, place: Place) -> None:
        """A connection has come."""
        self._places[connection] = place

    def remove(self, connection: str) -> None:
        """A connection has gone."""
        del self._places[connection]

    def sweep(self, now: float) -> bool:
        """Lets some expire whose time is up, each once; says whether there may be more."""
        expired = list(islice((place for place in self._places.values() if place.expires_at <= now), AT_ONCE))
        for place in expired:
            place.expires_at = NEVER
            place.expire()
        return len(expired) == AT_ONCE


def _always() -> bool:
    return True

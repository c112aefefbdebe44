"""
What is known of a connection while it is there: whose it is, and until when it may go on as it is.

Times are kept by a sweep over all places instead of a timer each: setting one costs an assignment.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from itertools import islice
from typing import Any

NEVER = math.inf
AT_ONCE = 20
"""How many expire before others have their turn: clients that came as a crowd are turned away as one."""


class Place(ABC):
    """A connection that came in."""

    __slots__ = ("address", "expires_at")

    def __init__(self, address: str, expires_at: float) -> None:
        self.address = address
        """The client's IP address, as text."""
        self.expires_at = expires_at
        """When its time is up, on the gateway's clock; NEVER while the client is not waited for."""

    @abstractmethod
    def expire(self) -> None:
        """What is done then, once each time."""


class CarriedPlace(Place):
    """That of a connection that mitmproxy carries."""

    __slots__ = ("_tell", "cut", "elsewhere", "has_room", "is_closing", "is_held", "is_read", "is_stuck", "takes")

    def __init__(  # noqa: PLR0913 - what is known of it
        self,
        address: str,
        expires_at: float,
        *,
        cut: Callable[[], None],
        tell: Callable[[], None],
        is_closing: Callable[[], bool],
        is_stuck: Callable[[], bool] = lambda: False,
    ) -> None:
        """
        `cut` closes the connection at once, `tell` says to what reads it that its time is up, `is_closing` whether
        nothing that is sent now goes out any more, `is_stuck` whether the client does not take what it is sent.
        """
        super().__init__(address, expires_at)
        self.cut = cut
        self._tell = tell
        self.is_closing = is_closing
        self.is_stuck = is_stuck
        self.is_held = False
        """Whether the client was not read for a while, because others do not take what it has sent."""
        self.elsewhere = 0
        """How many requests for other paths it has under way."""
        self.is_read = False
        """Whether there is somebody to be told."""
        self.has_room: Callable[[], bool] = _always
        """Whether more may be read from it now."""
        self.takes: Callable[[Any], bool] = _always
        """Whether more may be read from this connection of mitmproxy's to the upstream."""

    def expire(self) -> None:
        """See `Place.expire`."""
        (self._tell if self.is_read else self.cut)()


class Places:
    """All connections that are there."""

    def __init__(self) -> None:
        # In the order of their coming.
        self._places: dict[Place, None] = {}

    def __len__(self) -> int:
        return len(self._places)

    def add(self, place: Place) -> None:
        """A connection has come."""
        self._places[place] = None

    def remove(self, place: Place) -> None:
        """A connection has gone."""
        del self._places[place]

    def sweep(self, now: float) -> bool:
        """Lets some expire whose time is up, each once; says whether there may be more."""
        expired = list(islice((place for place in self._places if place.expires_at <= now), AT_ONCE))
        for place in expired:
            place.expires_at = NEVER
            place.expire()
        return len(expired) == AT_ONCE


def _always(*_: object) -> bool:
    return True

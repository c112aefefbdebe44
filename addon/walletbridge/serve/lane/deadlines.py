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

    __slots__ = ("address", "expires_at", "is_proven")

    def __init__(self, address: str, expires_at: float) -> None:
        self.address = address
        """The client's IP address, as text."""
        self.expires_at = expires_at
        """When its time is up, on the gateway's clock; NEVER while the client is not waited for."""
        self.is_proven = False
        """Whether it has brought a right token."""

    def may_give_way(self) -> bool:
        """Whether nothing is lost where it is closed for a newer one."""
        return True

    @abstractmethod
    def expire(self) -> None:
        """What is done then, once each time."""

    @abstractmethod
    def cut(self) -> None:
        """Closes the connection at once, whatever has become of what reads it."""


class CarriedPlace(Place):
    """That of a connection that mitmproxy carries."""

    __slots__ = (
        "_cut",
        "_tell",
        "confirm",
        "elsewhere",
        "has_room",
        "is_closing",
        "is_held",
        "is_read",
        "is_stuck",
        "takes",
    )

    def __init__(  # noqa: PLR0913 - what is known of it
        self,
        address: str,
        expires_at: float,
        *,
        cut: Callable[[], None],
        tell: Callable[[], None],
        is_closing: Callable[[], bool],
        is_stuck: Callable[[], bool] = lambda: False,
        confirm: Callable[[Callable[[bool], None]], None] = lambda _: None,
    ) -> None:
        """
        `cut` closes the connection at once, `tell` says to what reads it that its time is up, `is_closing` whether
        nothing that is sent now goes out any more, `is_stuck` whether the client does not take what it is sent, and
        `confirm` finds out later whether the client's system has received all that was sent.
        """
        super().__init__(address, expires_at)
        self._cut = cut
        self.confirm = confirm
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
        (self._tell if self.is_read else self._cut)()

    def may_give_way(self) -> bool:
        """See `Place.may_give_way`. One that waits for the upstream is somebody's work."""
        return not self.elsewhere

    def cut(self) -> None:
        """See `Place.cut`."""
        self._cut()


class Places:
    """All connections that are there."""

    def __init__(self, *, on_fault: Callable[[Exception], None] = lambda _: None) -> None:
        """`on_fault` hears of a connection that failed to expire, and is cut for it. It raises nothing."""
        self._on_fault = on_fault
        # In the order of their coming.
        self._places: dict[Place, None] = {}

    def __len__(self) -> int:
        return len(self._places)

    def add(self, place: Place) -> None:
        """A connection has come."""
        self._places[place] = None

    def remove(self, place: Place) -> None:
        """A connection has gone."""
        self._places.pop(place, None)

    def sweep(self, now: float) -> bool:
        """
        Lets some expire whose time is up, each once; says whether there may be more. Raises nothing: a fault of one
        connection is its own end, and no other's.
        """
        expired = list(islice((place for place in self._places if place.expires_at <= now), AT_ONCE))
        for place in expired:
            place.expires_at = NEVER
            try:
                place.expire()
            except Exception as error:  # noqa: BLE001 - see above
                self._on_fault(error)
                self._cut(place)
        return len(expired) == AT_ONCE

    def _cut(self, place: Place) -> None:
        try:
            place.cut()
        except Exception as error:  # noqa: BLE001 - see `sweep`
            self._on_fault(error)


def _always(*_: object) -> bool:
    return True

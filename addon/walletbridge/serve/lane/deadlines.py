"""
The state of each open connection: its client's address and its deadline.

One sweep over all places replaces a timer for each, so setting a deadline costs one assignment.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from itertools import islice
from typing import Any

NEVER = math.inf
AT_ONCE = 20
"""Places that one sweep may expire before other work runs: a crowd that connected together expires together."""


class Place(ABC):
    """An accepted connection."""

    __slots__ = ("address", "expires_at", "is_proven")

    def __init__(self, address: str, expires_at: float) -> None:
        self.address = address
        """The client's IP address, as text."""
        self.expires_at = expires_at
        """The deadline on the gateway's clock, in seconds; NEVER while no step of the client is awaited."""
        self.is_proven = False
        """Whether it has sent an accepted token."""

    def may_give_way(self) -> bool:
        """Whether closing it for a newer connection loses nothing."""
        return True

    @abstractmethod
    def expire(self) -> None:
        """Handles the passed deadline, once for each."""

    @abstractmethod
    def cut(self) -> None:
        """Closes the connection at once, whatever state its reader is in."""


class CarriedPlace(Place):
    """The place of a connection that mitmproxy carries."""

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

    def __init__(  # noqa: PLR0913 - the state of one connection
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
        `cut` closes the connection at once; `tell` reports the passed deadline to the reader. `is_closing` returns
        whether bytes sent now no longer go out, `is_stuck` whether the client does not take sent bytes. `confirm` later
        reports whether the client's system has received all sent bytes.
        """
        super().__init__(address, expires_at)
        self._cut = cut
        self.confirm = confirm
        self._tell = tell
        self.is_closing = is_closing
        self.is_stuck = is_stuck
        self.is_held = False
        """Whether reading from the client is paused, because the bytes that it has sent are not taken."""
        self.elsewhere = 0
        """Requests for other paths in progress on it."""
        self.is_read = False
        """Whether a reader exists for `tell`."""
        self.has_room: Callable[[], bool] = _always
        """Whether more may be read from the client now."""
        self.takes: Callable[[Any], bool] = _always
        """Whether more may be read from the given connection to the upstream."""

    def expire(self) -> None:
        """See `Place.expire`."""
        (self._tell if self.is_read else self._cut)()

    def may_give_way(self) -> bool:
        """See `Place.may_give_way`. Closing a connection that waits for the upstream would lose work."""
        return not self.elsewhere

    def cut(self) -> None:
        """See `Place.cut`."""
        self._cut()


class Places:
    """All open connections."""

    def __init__(self, *, on_fault: Callable[[Exception], None] = lambda _: None) -> None:
        """`on_fault` receives the error of a connection that failed to expire and is cut. It must not raise."""
        self._on_fault = on_fault
        # In order of arrival.
        self._places: dict[Place, None] = {}

    def __len__(self) -> int:
        return len(self._places)

    def add(self, place: Place) -> None:
        """Adds a connection."""
        self._places[place] = None

    def remove(self, place: Place) -> None:
        """Removes a connection."""
        self._places.pop(place, None)

    def sweep(self, now: float) -> bool:
        """
        Expires up to AT_ONCE places whose deadline has passed, and returns whether there may be more. Raises nothing: a
        fault of one connection ends that one alone.
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

"""
How much of a worker's time goes to strangers: connections that have not brought a right token yet.

What is done for them is paid from one bucket, which fills at a share of the time that passes, or at all of it while no
callbacks come that could be kept waiting. While it is empty they wait for their turn, the addresses one after the other
and each one's connections in the order of their asking: a crowd from a few addresses keeps another one waiting for a
moment only. A connection that is proven never waits. Nor does the beginning of one from an address that has brought a
right token: the provider may come back with all its connections at once.
"""

import asyncio
import math
from collections import OrderedDict
from collections.abc import Callable

from walletbridge.serve.lane.gate import owner_of

BURST_SECONDS = 0.1
"""Of work that may be done at once after a while without any."""
WAIT_SECONDS_MIN = 0.001
CALM_SECONDS = 10.0
"""Without a callback, after which strangers need share with nobody."""
KNOWN_MAX = 1024
"""Addresses that are remembered, the latest ones."""


class Strangers:
    """Counts for one event loop."""

    def __init__(self, percent: int, *, clock: Callable[[], float]) -> None:
        """`percent`: of the time, at most, while callbacks come. With 100 nobody waits long."""
        self._percent = percent
        self._clock = clock
        self._callback_at = -math.inf
        self._left = BURST_SECONDS
        """Seconds of work. Below zero after a piece of work that took longer than there was left."""
        self._filled_at = clock()
        self._waiting: OrderedDict[str, OrderedDict[asyncio.Future[None], None]] = OrderedDict()
        """By address, in the order in which these have their turn."""
        self._known: OrderedDict[str, None] = OrderedDict()
        self._timer: asyncio.Handle | None = None
        """None while nobody waits."""

    def __len__(self) -> int:
        """How many wait."""
        return sum(map(len, self._waiting.values()))

    def know(self, address: str) -> None:
        """A right token has come from there."""
        owner = owner_of(address)
        self._known[owner] = None
        self._known.move_to_end(owner)
        if len(self._known) > KNOWN_MAX:
            self._known.popitem(last=False)

    def knows(self, address: str) -> bool:
        """Whether one has, not long ago."""
        return owner_of(address) in self._known

    def make_room(self) -> None:
        """A callback has come: from now on there is somebody to share with."""
        self._fill()
        self._callback_at = self._filled_at

    def charge(self, seconds: float) -> None:
        """So long something was done for a stranger."""
        self._fill()
        self._left -= seconds

    async def turn(self, turn: asyncio.Future[None], address: str) -> None:
        """Returns when one more piece of work may be done for a client at `address`, or once `turn` is done."""
        if self.wait_seconds() <= 0 and not self._waiting:
            return
        owner = owner_of(address)
        turns = self._waiting.setdefault(owner, OrderedDict())
        turns[turn] = None
        if self._timer is None:
            self._wake_later()
        try:
            await turn
        finally:
            turns.pop(turn, None)
            if not turns and self._waiting.get(owner) is turns:
                del self._waiting[owner]

    def wait_seconds(self) -> float:
        """How long it is until something may be done, by what has been charged so far."""
        self._fill()
        return 0.0 if self._left > 0 else WAIT_SECONDS_MIN - self._left / self._share

    @property
    def _share(self) -> float:
        return self._percent / 100 if self._filled_at - self._callback_at < CALM_SECONDS else 1.0

    def _fill(self) -> None:
        now = self._clock()
        passed, self._filled_at = max(0.0, now - self._filled_at), now
        self._left = min(BURST_SECONDS, self._left + passed * self._share)

    def _wake_later(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(self.wait_seconds(), self._wake)

    def _wake(self) -> None:
        """Lets one go on, and then looks what it has cost."""
        self._timer = None
        if not self._waiting:
            return
        if self.wait_seconds() > 0:
            self._wake_later()
            return
        owner, turns = self._waiting.popitem(last=False)
        turn, _ = turns.popitem(last=False)
        if turns:
            # Behind all others.
            self._waiting[owner] = turns
        if not turn.done():
            turn.set_result(None)
        # Runs behind the one that was woken.
        self._timer = asyncio.get_running_loop().call_soon(self._wake)

"""
Limits a worker's time for strangers: connections that have not sent an accepted token yet.

One bucket of seconds pays for their work. It fills at a share of the elapsed time, or at all of it while no callbacks
arrive that could be delayed. While it is empty, strangers wait: addresses take turns, and the connections of one
address go in the order in which they asked. So a crowd from a few addresses delays another address only for a moment. A
proven connection never waits. Nor does the start of a connection from an address that has sent an accepted token: the
provider may reopen all its connections at once.
"""

import asyncio
import math
from collections import OrderedDict
from collections.abc import Callable

from walletbridge.serve.lane.gate import owner_of

BURST_SECONDS = 0.1
"""Seconds of work that may be done at once after a quiet time."""
WAIT_SECONDS_MIN = 0.001
CALM_SECONDS = 10.0
"""Seconds without a callback, after which strangers may have all of the time."""
KNOWN_MAX = 1024
"""Addresses that are remembered; the oldest are dropped."""


class Strangers:
    """Counts for one event loop."""

    def __init__(self, percent: int, *, clock: Callable[[], float]) -> None:
        """`percent`: the strangers' largest share of the time while callbacks arrive. At 100, waits are short."""
        self._percent = percent
        self._clock = clock
        self._callback_at = -math.inf
        self._left = BURST_SECONDS
        """Seconds of work in the bucket. Negative after work that took longer than was left."""
        self._filled_at = clock()
        self._waiting: OrderedDict[str, OrderedDict[asyncio.Future[None], None]] = OrderedDict()
        """By address, in the order of the addresses' turns."""
        self._known: OrderedDict[str, None] = OrderedDict()
        self._timer: asyncio.Handle | None = None
        """None while no connection waits."""

    def __len__(self) -> int:
        """The number of waiting turns."""
        return sum(map(len, self._waiting.values()))

    def know(self, address: str) -> None:
        """Records that `address` has sent an accepted token."""
        owner = owner_of(address)
        self._known[owner] = None
        self._known.move_to_end(owner)
        if len(self._known) > KNOWN_MAX:
            self._known.popitem(last=False)

    def knows(self, address: str) -> bool:
        """Whether `address` has sent an accepted token and is remembered."""
        return owner_of(address) in self._known

    def make_room(self) -> None:
        """Records a callback: strangers get only their share again."""
        self._fill()
        self._callback_at = self._filled_at

    def charge(self, seconds: float) -> None:
        """Charges seconds of work for a stranger."""
        self._fill()
        self._left -= seconds

    async def turn(self, turn: asyncio.Future[None], address: str) -> None:
        """Waits until a client at `address` may have one more piece of work done, or until `turn` is done."""
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
        """Seconds until the next piece of work may be done, by the charges so far."""
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
        """Lets one connection go on, then checks the cost."""
        self._timer = None
        if not self._waiting:
            return
        if self.wait_seconds() > 0:
            self._wake_later()
            return
        owner, turns = self._waiting.popitem(last=False)
        turn, _ = turns.popitem(last=False)
        if turns:
            # Behind all other addresses.
            self._waiting[owner] = turns
        if not turn.done():
            turn.set_result(None)
        # Runs after the woken task.
        self._timer = asyncio.get_running_loop().call_soon(self._wake)

"""
What waits for the resolver, apart by kind, so that a method of the wallet that hangs holds up nothing but its own kind;
and how many calls of each kind there are at a time, which goes by how the wallet fares.
"""

from collections import deque
from collections.abc import Callable

from walletbridge.rules.row import Row


class Share:
    """
    How many calls at a time: one more for each round of answers, half as many after a failure, and never none.

    A wallet that comes back is slow, and callbacks want it first. To begin with all that is owed would keep it down.
    """

    def __init__(
        self, most: int, *, pause_seconds: float, pause_seconds_max: float, clock: Callable[[], float]
    ) -> None:
        """`pause_seconds`: before what failed is tried again; doubled with each failure, up to `pause_seconds_max`."""
        self._most = most
        self._first_pause = pause_seconds
        self._pause_max = pause_seconds_max
        self._clock = clock
        self._calls = 1.0
        self._halved_at = -1.0
        self.pause = pause_seconds
        """Seconds until the next try of what fails now."""

    @property
    def calls(self) -> int:
        """How many there may be now."""
        return int(self._calls)

    def answered(self) -> None:
        """A call was answered, whatever was said."""
        self._calls = min(self._most, self._calls + 1 / self._calls)
        self.pause = self._first_pause

    def failed(self, begun: float) -> None:
        """A call that was begun at that time had no answer."""
        self.pause = min(2 * self.pause, self._pause_max)
        self.gave_way(begun)

    def gave_way(self, at: float) -> None:
        """The wallet was in trouble at that time. What comes of calls from before the last halving halves no more."""
        if at > self._halved_at:
            self._halved_at = self._clock()
            self._calls = max(1, self._calls / 2)

    def try_soon(self) -> None:
        """There is hope: the next failure is as the first."""
        self.pause = self._first_pause


class Lane:
    """Rows of one kind, the oldest first. `begin` starts what takes a row, and `ended` is called when it has ended."""

    def __init__(self, share: Share, begin: Callable[[Row, bool], None], *, waiting_max: int) -> None:
        self.share = share
        self._begin = begin
        self._waiting_max = waiting_max
        self._waiting: deque[tuple[Row, bool]] = deque()
        self._keys: set[tuple[str, str]] = set()
        """Of all rows that wait or are under way."""
        self._active = 0

    @property
    def is_full(self) -> bool:
        """Whether no more rows may wait."""
        return len(self._waiting) >= self._waiting_max

    @property
    def is_dry(self) -> bool:
        """Whether nothing waits."""
        return not self._waiting

    def add(self, row: Row, *, eager: bool) -> bool:
        """Has a row settled in its turn; False where it is known already, or there is no room for it."""
        key = (row.account, row.trans_id)
        if key in self._keys or self.is_full:
            return False
        self._keys.add(key)
        self._waiting.append((row, eager))
        self.go_on()
        return True

    def ended(self, row: Row) -> None:
        """A row that was begun is done with, for now."""
        self._keys.discard((row.account, row.trans_id))
        self._active -= 1

    def go_on(self) -> None:
        """Begins what may begin."""
        while self._waiting and self._active < self.share.calls:
            row, eager = self._waiting.popleft()
            self._active += 1
            self._begin(row, eager)

    def clear(self) -> None:
        """Forgets what waits."""
        for row, _ in self._waiting:
            self._keys.discard((row.account, row.trans_id))
        self._waiting.clear()

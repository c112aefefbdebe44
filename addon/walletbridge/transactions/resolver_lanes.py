"""
Lanes of rows for the resolver, one per kind: a wallet method that hangs delays only its own kind. The number of calls
at a time follows the wallet's answers, per kind.
"""

from collections import deque
from collections.abc import Callable

from walletbridge.rules.row import Row


class Share:
    """
    The number of calls at a time: one more for each round of answers, half as many after a failure, at least one.

    A wallet that comes back is slow, and callbacks go first. Beginning all owed calls at once would keep it down.
    """

    def __init__(
        self, most: int, *, pause_seconds: float, pause_seconds_max: float, clock: Callable[[], float]
    ) -> None:
        """
        `pause_seconds`: before a failed call is tried again; doubled with each failure, up to `pause_seconds_max`.
        """
        self._most = most
        self._first_pause = pause_seconds
        self._pause_max = pause_seconds_max
        self._clock = clock
        self._calls = 1.0
        self._halved_at = -1.0
        self.pause = pause_seconds
        """Seconds until a call that fails now is tried again."""

    @property
    def calls(self) -> int:
        """The number of calls allowed now."""
        return int(self._calls)

    def answered(self) -> None:
        """Counts an answered call, with any result."""
        self._calls = min(self._most, self._calls + 1 / self._calls)
        self.pause = self._first_pause

    def failed(self, begun: float) -> None:
        """Counts a call without an answer, begun at the time `begun`."""
        self.pause = min(2 * self.pause, self._pause_max)
        self.gave_way(begun)

    def gave_way(self, at: float) -> None:
        """Halves the calls because the wallet failed at `at`, unless that was before the last halving."""
        if at > self._halved_at:
            self._halved_at = self._clock()
            self._calls = max(1, self._calls / 2)

    def try_soon(self) -> None:
        """Makes the next failure count as the first."""
        self.pause = self._first_pause


class Lane:
    """Rows of one kind, the oldest first. `begin` starts to settle a row; report its end to `ended`."""

    def __init__(self, share: Share, begin: Callable[[Row, bool], None], *, waiting_max: int) -> None:
        self.share = share
        self._begin = begin
        self._waiting_max = waiting_max
        self._waiting: deque[tuple[Row, bool]] = deque()
        self._keys: set[tuple[str, str]] = set()
        """Account and `trans_id` of all rows that wait or are being settled."""
        self._active = 0

    @property
    def is_full(self) -> bool:
        """Whether no more rows may wait."""
        return len(self._waiting) >= self._waiting_max

    @property
    def is_dry(self) -> bool:
        """Whether no row waits."""
        return not self._waiting

    def add(self, row: Row, *, eager: bool) -> bool:
        """Queues a row. Returns False if the lane has it already or is full."""
        key = (row.account, row.trans_id)
        if key in self._keys or self.is_full:
            return False
        self._keys.add(key)
        self._waiting.append((row, eager))
        self.go_on()
        return True

    def ended(self, row: Row) -> None:
        """Removes a row that was begun and is done for now."""
        self._keys.discard((row.account, row.trans_id))
        self._active -= 1

    def go_on(self) -> None:
        """Begins waiting rows, as many as are allowed."""
        while self._waiting and self._active < self.share.calls:
            row, eager = self._waiting.popleft()
            self._active += 1
            self._begin(row, eager)

    def clear(self) -> None:
        """Removes the waiting rows."""
        for row, _ in self._waiting:
            self._keys.discard((row.account, row.trans_id))
        self._waiting.clear()

"""
Limits the calls in flight to the wallet, and keeps some of their places for wins and some for cancels.

The provider cancels a refused bet. It sends a refused win or cancel again and again, and until that is settled, money
is not where it belongs. Wins may not take the places kept for cancels, nor cancels those for wins: a method that hangs
would take all of them.
"""

import asyncio
from collections import Counter, deque
from contextlib import suppress

from walletbridge.protocol.callbacks import Command

_PERCENT = 100
_CANCELS, _WINS, _OTHERS = range(3)
"""The classes, in the order in which waiting calls get places."""
_CLASSES = {command: {Command.CANCEL: _CANCELS, Command.WIN: _WINS}.get(command, _OTHERS) for command in Command}


class Places:
    """
    The places of calls in flight. A call that finds none may wait a moment, so that a healthy wallet serves a burst.
    The time and the number of waiting calls are bounded: a queue would use up all budgets.
    """

    def __init__(self, count: int, *, kept_for_cancels: int, kept_for_wins: int, waiting_max: int = 0) -> None:
        """
        `kept_for_cancels` and `kept_for_wins` are percent of `count`, rounded down. `waiting_max`: how many calls of
        each class may wait.
        """
        self._count = count
        self._cancels = count * kept_for_cancels // _PERCENT
        self._wins = count * kept_for_wins // _PERCENT
        self._waiting_max = waiting_max
        self._waiting: tuple[deque[asyncio.Future[None]], ...] = (deque(), deque(), deque())
        self._by_class = [0, 0, 0]
        self._by_command: Counter[Command] = Counter()
        self.taken = 0
        """How many calls are in flight."""

    def taken_by(self, command: Command) -> int:
        """How many calls of `command` are in flight."""
        return self._by_command[command]

    @property
    def waiting(self) -> int:
        """How many calls wait for a place."""
        return sum(map(len, self._waiting))

    @property
    def few(self) -> int:
        """How many places cancels get while they are stuck: the smaller kept share, at least 1."""
        return max(1, min(self._cancels, self._wins))

    def take(self, command: Command) -> bool:
        """Takes a place for a call of `command`; returns whether there was one."""
        kind = _CLASSES[command]
        if not self._has_room(kind):
            return False
        self.taken += 1
        self._by_class[kind] += 1
        self._by_command[command] += 1
        return True

    async def wait(self, command: Command, seconds: float) -> bool:
        """Waits for a place, at most `seconds`, first come, first served; returns whether it got one."""
        waiting = self._waiting[_CLASSES[command]]
        if seconds <= 0 or len(waiting) >= self._waiting_max:
            return False
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiting.append(turn)
        try:
            await asyncio.wait({turn}, timeout=seconds)
        except asyncio.CancelledError:
            if turn.done():
                # The place was given just as the wait was cancelled.
                self._free(_CLASSES[command])
            else:
                waiting.remove(turn)
            raise
        if not turn.done():
            with suppress(ValueError):
                waiting.remove(turn)
            return False
        self._by_command[command] += 1
        return True

    def give_back(self, command: Command) -> None:
        """The call has ended: a waiting call gets its place."""
        self._by_command[command] -= 1
        self._free(_CLASSES[command])

    def _free(self, kind: int) -> None:
        self.taken -= 1
        self._by_class[kind] -= 1
        for waits, turns in enumerate(self._waiting):
            while turns and self._has_room(waits):
                self.taken += 1
                self._by_class[waits] += 1
                turns.popleft().set_result(None)

    def _has_room(self, kind: int) -> bool:
        """
        Whether one more call of this class leaves the others their kept places. No other class may take a kept place,
        whichever classes hold the rest.
        """
        if self.taken >= self._count:
            return False
        cancels, wins, others = self._by_class
        if kind == _CANCELS:
            return cancels + others < self._count - self._wins
        if kind == _WINS:
            return wins + others < self._count - self._cancels
        return (
            others < self._count - self._cancels - self._wins
            and wins + others < self._count - self._cancels
            and cancels + others < self._count - self._wins
        )

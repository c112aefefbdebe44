"""
Who may call the wallet when many want to: of the places for calls in flight some are kept for wins, some for cancels.

A bet that is refused is cancelled by its sender. A win or a cancel that is refused comes again, and again, and until it
is settled somebody's money is not where it belongs. Neither of the two may take what is kept for the other: a method
that hangs would take the other's places as well.
"""

import asyncio
from collections import Counter, deque
from contextlib import suppress

from walletbridge.protocol.callbacks import Command

_PERCENT = 100
_CANCELS, _WINS, _OTHERS = range(3)
"""The classes, in the order in which those who wait are let in."""
_CLASSES = {command: {Command.CANCEL: _CANCELS, Command.WIN: _WINS}.get(command, _OTHERS) for command in Command}


class Places:
    """
    The places of calls in flight. Whoever finds none may wait a moment: then a burst at a healthy wallet is served. The
    wait is bounded in time and in number, for a queue would eat the budgets of all.
    """

    def __init__(self, count: int, *, kept_for_cancels: int, kept_for_wins: int, waiting_max: int = 0) -> None:
        """
        Of `count` places so many percent, rounded down, are kept for cancels, and so many for wins. `waiting_max`: how
        many of each class may wait.
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
        """How many wait for a place."""
        return sum(map(len, self._waiting))

    @property
    def few(self) -> int:
        """How many places a command gets of whose calls nothing good is known."""
        return max(1, min(self._cancels, self._wins))

    def take(self, command: Command) -> bool:
        """Takes a place for a call of `command`; says whether there was one for it."""
        kind = _CLASSES[command]
        if not self._has_room(kind):
            return False
        self.taken += 1
        self._by_class[kind] += 1
        self._by_command[command] += 1
        return True

    async def wait(self, command: Command, seconds: float) -> bool:
        """Waits for a place, at most so long, first come, first served; says whether it was got."""
        waiting = self._waiting[_CLASSES[command]]
        if seconds <= 0 or len(waiting) >= self._waiting_max:
            return False
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiting.append(turn)
        try:
            await asyncio.wait({turn}, timeout=seconds)
        except asyncio.CancelledError:
            if turn.done():
                # It was given just as we left.
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
        """The call has ended: whoever waits gets its place."""
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
        Whether one more of a class leaves the others what is kept for them. A place that is kept is one that nobody
        else may take, whoever has the rest.
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

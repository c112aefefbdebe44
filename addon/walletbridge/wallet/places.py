"""
Who may still call the wallet when many do: of the places for calls in flight some are kept for wins and cancels.

A bet that is refused is cancelled by its sender. A win or a cancel that is refused comes again, and again, and until it
is settled somebody's money is not where it belongs.
"""

from walletbridge.callbacks import Command

_PERCENT = 100


class Places:
    """The places of calls in flight. Nobody waits for one: a queue would eat the budgets of all."""

    def __init__(self, count: int, *, kept_for_cancels: int, kept_for_wins: int) -> None:
        """Of `count` places so many percent, rounded down, are kept for cancels, and so many for wins and cancels."""
        cancels = count * kept_for_cancels // _PERCENT
        wins = count * kept_for_wins // _PERCENT
        self._most = {
            command: {Command.CANCEL: count, Command.WIN: count - cancels}.get(command, count - cancels - wins)
            for command in Command
        }
        self.taken = 0
        """How many calls are in flight."""

    def most(self, command: Command) -> int:
        """With how many calls in flight, of whatever kind, one of `command` is refused."""
        return self._most[command]

    def take(self, command: Command) -> bool:
        """Takes a place for a call of `command`; says whether there was one for it."""
        if self.taken >= self._most[command]:
            return False
        self.taken += 1
        return True

    def give_back(self) -> None:
        """The call has ended."""
        self.taken -= 1

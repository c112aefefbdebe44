"""
What the wallet made after it had refused it: only who was asked again knows that the refusal was true when it was made.

Times do not tell: an answer may take longer to the provider than the next call takes to the wallet.
"""

from tests.money.faults.processes import Line

_MOVEMENTS = frozenset({"PlaceBet", "SettleWin"})
_OK = 1
_REFUSALS = frozenset({21, 22, 31, 99})
"""wallet.v1's outcomes."""


class Refusals:
    """Follows the lines of `wallet_process`."""

    def __init__(self) -> None:
        self.made_after: set[str] = set()
        """Transactions that were made by a call that came once an earlier one had been refused."""
        self._refused: set[str] = set()
        self._came_after: set[tuple[str, str]] = set()

    def listen(self, line: Line) -> None:
        """Takes in a line."""
        if line.get("method") not in _MOVEMENTS:
            return
        key, call = line["trans_id"], (line["trans_id"], line["call"])
        if line["event"] == "asked":
            if key in self._refused:
                self._came_after.add(call)
        elif line["outcome"] in _REFUSALS:
            self._refused.add(key)
        elif line["outcome"] == _OK and call in self._came_after:
            self.made_after.add(key)

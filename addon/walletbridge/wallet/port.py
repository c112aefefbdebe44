"""
The wallet as the gateway sees it, independent of its proto.
"""

from typing import Protocol

from walletbridge.observe.trace import Trace
from walletbridge.protocol.callbacks import Callback
from walletbridge.protocol.outcomes import Outcome


class Wallet(Protocol):
    """The operator's wallet."""

    async def call(self, callback: Callback, *, deadline: float, trace: Trace) -> Outcome:
        """
        Makes the wallet call of `callback` and returns an outcome that is listed for its command.

        `deadline` is a time of the gateway's clock, in seconds. A movement or cancel is sent at most once. Raises
        OutcomeUnknown in every other case, and no other exception.
        """
        ...

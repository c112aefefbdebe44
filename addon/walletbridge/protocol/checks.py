"""
The provider's checks: their numbers, their meanings, and the documented ones of each command. PROTOCOL: Checks.
"""

from collections.abc import Iterable
from enum import IntEnum

from walletbridge.protocol.callbacks import Command


class Check(IntEnum):
    """A check has the number of the result that reports its failure."""

    PLAYER_EXISTS = 21
    PLAYER_ACTIVE = 22
    BALANCE_SUFFICIENT = 31
    NOT_PROCESSED = 41
    TRANSACTION_EXISTS = 42


OF_PLAYER = frozenset({Check.PLAYER_EXISTS, Check.PLAYER_ACTIVE})
"""The checks that depend on the player alone. Their failures carry no balance."""

MEANINGS: dict[int, str] = {
    Check.PLAYER_EXISTS: "the player exists",
    Check.PLAYER_ACTIVE: "the player is active",
    Check.BALANCE_SUFFICIENT: "the balance covers the amount",
    Check.NOT_PROCESSED: "the transaction has not been processed yet",
    Check.TRANSACTION_EXISTS: "the transaction is known",
}
"""What must hold."""

DOCUMENTED: dict[Command, tuple[Check, ...]] = {
    Command.AUTHENTICATE: (Check.PLAYER_EXISTS,),
    Command.BALANCE: (Check.PLAYER_EXISTS, Check.PLAYER_ACTIVE),
    Command.BET: (Check.PLAYER_EXISTS, Check.PLAYER_ACTIVE, Check.NOT_PROCESSED, Check.BALANCE_SUFFICIENT),
    Command.WIN: (Check.PLAYER_EXISTS, Check.PLAYER_ACTIVE, Check.NOT_PROCESSED),
    Command.CANCEL: (Check.PLAYER_EXISTS, Check.PLAYER_ACTIVE, Check.TRANSACTION_EXISTS),
    Command.STATUS: (Check.PLAYER_EXISTS, Check.TRANSACTION_EXISTS),
}
"""The checks that the provider asks for, in its order. PROTOCOL: Request body."""


def text_of(checks: Iterable[int]) -> str:
    """The checks as a callback holds them, such as `21,22`."""
    return ",".join(str(int(check)) for check in checks)

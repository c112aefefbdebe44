"""
A wallet's answer to a callback, independent of its proto: a result that the provider knows, a balance, a state.
"""

from enum import IntEnum, StrEnum

from msgspec import Struct

from walletbridge.protocol.callbacks import Callback, Command, Undo
from walletbridge.protocol.checks import OF_PLAYER


class Result(IntEnum):
    """The provider's result codes. PROTOCOL: Checks, Answers."""

    OK = 0
    PLAYER_NOT_FOUND = 21
    PLAYER_INACTIVE = 22
    BALANCE_INSUFFICIENT = 31
    ALREADY_PROCESSED = 41
    TRANSACTION_NOT_FOUND = 42
    FAILED = 99
    """With HTTP 200: certainly not made. With HTTP 500: unknown."""
    WRONG_TOKEN = 100


class TransactionState(StrEnum):
    """The state of a transaction, in the provider's spelling (one L)."""

    OK = "OK"
    CANCELED = "CANCELED"


WITHOUT_BALANCE = frozenset(Result(check) for check in OF_PLAYER)
"""The results whose answers carry no balance."""


class Outcome(Struct, frozen=True):
    """A definite answer of the wallet."""

    result: Result
    balance: int | None = 0
    """
    In minor units; meaningless for 21 and 22, whose answers carry none. None: the result is known, but the balance
    could not be read.
    """
    state: TransactionState | None = None
    """Set for a status whose result is OK."""


_REFUSED_PLAYER = WITHOUT_BALANCE | {Result.OK}

LISTED = {
    Command.AUTHENTICATE: _REFUSED_PLAYER,
    Command.BALANCE: _REFUSED_PLAYER,
    Command.BET: _REFUSED_PLAYER | {Result.BALANCE_INSUFFICIENT, Result.ALREADY_PROCESSED, Result.FAILED},
    Command.WIN: _REFUSED_PLAYER | {Result.ALREADY_PROCESSED, Result.FAILED},
    Command.CANCEL: _REFUSED_PLAYER | {Result.TRANSACTION_NOT_FOUND, Result.FAILED},
    Command.STATUS: _REFUSED_PLAYER | {Result.TRANSACTION_NOT_FOUND},
}
"""
The listed results of each command (PROTOCOL: Checks, Answers). Any other, such as 41 to a cancel, 42 to a bet or 99 to
a read, gives the provider nothing to act on, and is an unknown outcome (RULES 5).
"""


_OF_UNDO = frozenset({Result.BALANCE_INSUFFICIENT, Result.ALREADY_PROCESSED})


def is_listed(command: Command, outcome: Outcome) -> bool:
    """Whether the provider knows `outcome` for `command`. A status with result OK must have a state."""
    if command is Command.STATUS and outcome.result is Result.OK and outcome.state is None:
        return False
    return outcome.result in LISTED[command]


def is_listed_for(callback: Callback, outcome: Outcome) -> bool:
    """
    Whether the rules know `outcome` for `callback`: a listed one, or 31 or 41 for an Undo. The rules never answer a
    cancel with 31 or 41.
    """
    if isinstance(callback, Undo) and outcome.result in _OF_UNDO:
        return True
    return is_listed(callback.command, outcome)

"""
What a wallet can say of a callback, whatever its proto: a result that the provider knows, a balance, a state.
"""

from enum import IntEnum, StrEnum

from msgspec import Struct

from walletbridge.protocol.callbacks import Callback, Command, Undo


class Result(IntEnum):
    """The provider's result codes. PROTOCOL: Checks, Answers."""

    OK = 0
    PLAYER_NOT_FOUND = 21
    PLAYER_INACTIVE = 22
    BALANCE_INSUFFICIENT = 31
    ALREADY_PROCESSED = 41
    TRANSACTION_NOT_FOUND = 42
    FAILED = 99
    """With HTTP 200: not made, and known not to be made. With HTTP 500: nobody knows."""
    WRONG_TOKEN = 100


class TransactionState(StrEnum):
    """What became of a transaction, in the provider's words (one L)."""

    OK = "OK"
    CANCELED = "CANCELED"


WITHOUT_BALANCE = frozenset({Result.PLAYER_NOT_FOUND, Result.PLAYER_INACTIVE})
"""The results whose answers carry no balance."""


class Outcome(Struct, frozen=True):
    """A definite answer of the wallet."""

    result: Result
    balance: int | None = 0
    """
    In minor units; means nothing where the answer carries none (21 and 22). None: the result is known, but the balance
    could not be read.
    """
    state: TransactionState | None = None
    """Of a status that is OK."""


_REFUSED_PLAYER = frozenset({Result.OK, Result.PLAYER_NOT_FOUND, Result.PLAYER_INACTIVE})

LISTED = {
    Command.AUTHENTICATE: _REFUSED_PLAYER,
    Command.BALANCE: _REFUSED_PLAYER,
    Command.BET: _REFUSED_PLAYER | {Result.BALANCE_INSUFFICIENT, Result.ALREADY_PROCESSED, Result.FAILED},
    Command.WIN: _REFUSED_PLAYER | {Result.ALREADY_PROCESSED, Result.FAILED},
    Command.CANCEL: _REFUSED_PLAYER | {Result.TRANSACTION_NOT_FOUND, Result.FAILED},
    Command.STATUS: _REFUSED_PLAYER | {Result.TRANSACTION_NOT_FOUND},
}
"""
The results that are listed for each command (PROTOCOL: Checks, Answers). Any other, such as 41 to a cancel, 42 to a bet
or 99 to a read, says nothing that the provider could act on, and is an unknown outcome.
"""


_OF_UNDO = frozenset({Result.BALANCE_INSUFFICIENT, Result.ALREADY_PROCESSED})


def is_listed(command: Command, outcome: Outcome) -> bool:
    """Whether `outcome` is one that the provider knows for `command`. A status that is OK must have a state."""
    if command is Command.STATUS and outcome.result is Result.OK and outcome.state is None:
        return False
    return outcome.result in LISTED[command]


def is_listed_for(callback: Callback, outcome: Outcome) -> bool:
    """
    Whether `outcome` is one that the rules know for `callback`: a listed one, or what a movement that undoes another
    may come to besides (31 and 41). The rules see to it that no cancel is answered so.
    """
    if isinstance(callback, Undo) and outcome.result in _OF_UNDO:
        return True
    return is_listed(callback.command, outcome)

"""
What of a callback the mapping file can name, and in which requests.
"""

from dataclasses import dataclass
from enum import Enum, StrEnum


class Role(StrEnum):
    """What a request is made for: one of the six commands, the opposite movement, or a look-up before them."""

    AUTHENTICATE = "authenticate"
    BALANCE = "balance"
    BET = "bet"
    WIN = "win"
    CANCEL = "cancel"
    STATUS = "status"
    UNDO = "undo"
    LOOKUP = "look-up"


class Kind(Enum):
    """What a source gives."""

    TEXT = "a text"
    INTEGER = "an integer"
    AMOUNT = "an amount"
    TIME = "a time"
    CHECKS = "the checks"
    FLAG = "a yes or no"


@dataclass(frozen=True, slots=True)
class Source:
    """A field of the callback."""

    kind: Kind
    attribute: str
    """Of the callback; dotted paths are followed."""
    roles: frozenset[Role]
    may_be_unset: bool = False


_COMMANDS = frozenset(Role) - {Role.LOOKUP}
_TRANSACTION = frozenset({Role.BET, Role.WIN, Role.CANCEL, Role.STATUS, Role.UNDO})
_GAME = _TRANSACTION - {Role.STATUS}
_MOVEMENT = frozenset({Role.BET, Role.WIN})
_UNDO = frozenset({Role.CANCEL, Role.UNDO})

SOURCES = {
    "account": Source(Kind.TEXT, "account", frozenset(Role)),
    "command": Source(Kind.TEXT, "command", _COMMANDS),
    "checks": Source(Kind.CHECKS, "checks", _COMMANDS),
    "trans_id": Source(Kind.TEXT, "trans_key", _TRANSACTION),
    "round_id": Source(Kind.TEXT, "round_id", _GAME, may_be_unset=True),
    "provider_id": Source(Kind.INTEGER, "provider_id", _GAME, may_be_unset=True),
    "game_code": Source(Kind.TEXT, "game_code", _GAME, may_be_unset=True),
    "game_name": Source(Kind.TEXT, "game_name", _GAME, may_be_unset=True),
    "game_type": Source(Kind.TEXT, "game_type", _GAME, may_be_unset=True),
    "call_id": Source(Kind.INTEGER, "call_id", _MOVEMENT, may_be_unset=True),
    "type": Source(Kind.INTEGER, "type", _MOVEMENT, may_be_unset=True),
    "amount": Source(Kind.AMOUNT, "amount", _MOVEMENT | _UNDO),
    "undone": Source(Kind.TEXT, "undone", _UNDO),
    "redelivered": Source(Kind.FLAG, "redelivered", frozenset({Role.WIN, Role.CANCEL, Role.UNDO})),
    "requested_at": Source(Kind.TIME, "requested_at", _COMMANDS, may_be_unset=True),
}
"""`now`, `env.NAME`, `settings.currency_decimals` and what a look-up found are no fields of the callback."""

OF_THE_JOURNAL = frozenset({"amount", "undone"})
"""A cancel does not carry them: whoever needs them gets an Undo, made from the journal."""

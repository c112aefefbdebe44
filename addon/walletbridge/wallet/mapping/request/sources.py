"""
The callback fields that the mapping file can name, and the requests that may use each.
"""

from dataclasses import dataclass
from enum import Enum, StrEnum


class Role(StrEnum):
    """The purpose of a request: one of the six commands, the opposite movement, or a look-up before them."""

    AUTHENTICATE = "authenticate"
    BALANCE = "balance"
    BET = "bet"
    WIN = "win"
    CANCEL = "cancel"
    STATUS = "status"
    UNDO = "undo"
    LOOKUP = "look-up"


class Kind(Enum):
    """The type of a source's value."""

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
    """The callback's attribute, or a dotted path to it."""
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
"""Without `now`, `env.NAME`, `settings.currency_decimals` and look-up values: these are no callback fields."""

OF_THE_JOURNAL = frozenset({"amount", "undone"})
"""A cancel does not carry them. A wallet that needs them gets an Undo, made from the journal."""

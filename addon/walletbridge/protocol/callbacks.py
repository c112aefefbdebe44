"""
The provider's callbacks: bytes in, one frozen type per command out, or BadCallback with a JSON path.

Past `decode` nothing checks a field again: a Bet that exists is a valid one. PROTOCOL: Request body.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import Any, ClassVar

from msgspec import Struct

from walletbridge.protocol import fields
from walletbridge.protocol.errors import BadCallback
from walletbridge.protocol.fields import ABSENT
from walletbridge.protocol.strict_json import Json, loads

__all__ = [
    "Authenticate",
    "BadCallback",
    "Balance",
    "Bet",
    "Callback",
    "Cancel",
    "Command",
    "Status",
    "Undo",
    "Win",
    "decode",
]


class Command(StrEnum):
    """The six commands, by the provider's names."""

    AUTHENTICATE = "authenticate"
    BALANCE = "balance"
    BET = "bet"
    WIN = "win"
    CANCEL = "cancel"
    STATUS = "status"


class _Callback(Struct, frozen=True, kw_only=True):
    command: ClassVar[Command]

    account: str
    """The player, 1 to 128 characters."""
    checks: tuple[int, ...]
    """The checks to make, in the provider's order; never empty."""
    requested_at: int | None
    """Unix seconds, by the provider's clock; None if unset or unreadable."""


class Authenticate(_Callback, frozen=True, kw_only=True):
    """Opens a game."""

    command = Command.AUTHENTICATE


class Balance(_Callback, frozen=True, kw_only=True):
    """Asks for the balance."""

    command = Command.BALANCE


class _OfTransaction(_Callback, frozen=True, kw_only=True):
    trans_id: int | str
    """As it came: an integer, or a string of 1 to 64 characters."""

    @property
    def trans_key(self) -> str:
        """The transaction as text: `1` and `"1"` are one transaction."""
        return str(self.trans_id)


class _OfGame(_OfTransaction, frozen=True, kw_only=True):
    round_id: str
    """Shared by a bet and its win; empty if unset."""
    provider_id: int
    game_code: str
    game_name: str
    game_type: str


class _Movement(_OfGame, frozen=True, kw_only=True):
    amount: int
    """In minor units; 0 to 2**63 - 1."""
    call_id: int
    """The bonus in progress, 0 for none."""
    type: int
    """The provider's number for the kind of transaction, 0 if unset."""


class Bet(_Movement, frozen=True, kw_only=True):
    """Takes a stake."""

    command = Command.BET


class Win(_Movement, frozen=True, kw_only=True):
    """Pays a win; a loss is a win of 0."""

    command = Command.WIN

    redelivered: bool = False
    """The gateway sends it again: `requested_at` is when it does so, not when the provider asked first. RULES 8."""


class Cancel(_OfGame, frozen=True, kw_only=True):
    """Reverses the bet or win that has this `trans_id`."""

    command = Command.CANCEL

    redelivered: bool = False
    """The gateway sends it of its own accord, or again; see `Win.redelivered`."""


class Undo(Cancel, frozen=True, kw_only=True):
    """A cancel for a wallet that has none: the opposite movement. Built from the journal, never from a body."""

    undone: Command
    """BET or WIN: what is reversed."""
    amount: int
    """Of the movement that is reversed, in minor units."""


class Status(_OfTransaction, frozen=True, kw_only=True):
    """Asks what became of a transaction."""

    command = Command.STATUS


type Callback = Authenticate | Balance | Bet | Win | Cancel | Status


class _Reader:
    """A callback's JSON, of which each command takes the fields that it has."""

    def __init__(self, document: dict[str, Json], data: dict[str, Json], currency_decimals: int) -> None:
        self._document = document
        self._data = data
        self._currency_decimals = currency_decimals

    def authenticate(self) -> Authenticate:
        return Authenticate(**self._of_any())

    def balance(self) -> Balance:
        return Balance(**self._of_any())

    def bet(self) -> Bet:
        return Bet(**self._of_any(), **self._of_transaction(), **self._of_movement(), **self._of_game())

    def win(self) -> Win:
        return Win(**self._of_any(), **self._of_transaction(), **self._of_movement(), **self._of_game())

    def cancel(self) -> Cancel:
        return Cancel(**self._of_any(), **self._of_transaction(), **self._of_game())

    def status(self) -> Status:
        return Status(**self._of_any(), **self._of_transaction())

    def _of_any(self) -> dict[str, Any]:
        return {
            "account": fields.account(self._data.get("account", ABSENT), "$.data.account"),
            "checks": fields.checks(self._document.get("check", ABSENT), "$.check"),
            "requested_at": fields.unix_seconds(self._document.get("timestamp", ABSENT)),
        }

    def _of_transaction(self) -> dict[str, Any]:
        return {"trans_id": fields.trans_id(self._data.get("trans_id", ABSENT), "$.data.trans_id")}

    def _of_movement(self) -> dict[str, Any]:
        amount = self._data.get("amount", ABSENT)
        return {
            "amount": fields.amount(amount, "$.data.amount", self._currency_decimals),
            "call_id": self._int64("call_id"),
            "type": self._int64("type"),
        }

    def _of_game(self) -> dict[str, Any]:
        return {
            "round_id": self._text("round_id"),
            "provider_id": self._int64("provider_id"),
            "game_code": self._text("game_code"),
            "game_name": self._text("game_name"),
            "game_type": self._text("game_type"),
        }

    def _text(self, name: str) -> str:
        return fields.optional_text(self._data.get(name, ABSENT), f"$.data.{name}")

    def _int64(self, name: str) -> int:
        return fields.optional_int64(self._data.get(name, ABSENT), f"$.data.{name}")


_COMMANDS: dict[str, Callable[[_Reader], Callback]] = {
    Command.AUTHENTICATE: _Reader.authenticate,
    Command.BALANCE: _Reader.balance,
    Command.BET: _Reader.bet,
    Command.WIN: _Reader.win,
    Command.CANCEL: _Reader.cancel,
    Command.STATUS: _Reader.status,
}


def decode(body: bytes, *, currency_decimals: int) -> Callback:
    """
    Reads a callback from the body of a request.

    Raises BadCallback for anything that is no valid callback: nothing of it may reach the wallet.
    """
    document = fields.required_object(loads(body), "$")
    command = document.get("command")
    if not isinstance(command, str) or command not in _COMMANDS:
        raise BadCallback("$.command", f"expected one of {', '.join(Command)}")
    data = fields.required_object(document.get("data", ABSENT), "$.data")
    return _COMMANDS[command](_Reader(document, data, currency_decimals))

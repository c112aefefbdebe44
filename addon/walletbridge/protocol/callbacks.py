"""
Decodes the provider's callbacks: bytes in, one frozen type per command out, or BadCallback with a JSON path.

No code checks a field again after `decode`: every Bet is valid. PROTOCOL: Request body.
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
    """The numbers of the checks, in the provider's order; never empty."""
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
    """In its JSON type: an integer, or a string, of 1 to 64 characters."""

    @property
    def trans_key(self) -> str:
        """The transaction as text: `1` and `"1"` are one transaction (RULES 1)."""
        return str(self.trans_id)


class _OfGame(_OfTransaction, frozen=True, kw_only=True):
    round_id: str
    """A bet and its win share it; empty if unset."""
    provider_id: int
    game_code: str
    game_name: str
    game_type: str


class _Movement(_OfGame, frozen=True, kw_only=True):
    amount: int
    """In minor units; 0 to 2**63 - 1."""
    call_id: int
    """The bonus in progress; 0 for none."""
    type: int
    """The provider's number for the kind of transaction, 0 if unset."""


class Bet(_Movement, frozen=True, kw_only=True):
    """Takes a stake."""

    command = Command.BET


class Win(_Movement, frozen=True, kw_only=True):
    """Pays a win; a loss is a win of 0."""

    command = Command.WIN

    redelivered: bool = False
    """The gateway repeats the win; `requested_at` is the time of the repeat, not of the provider's request. RULES 8."""


class Cancel(_OfGame, frozen=True, kw_only=True):
    """Reverses the bet or win that has this `trans_id`."""

    command = Command.CANCEL

    redelivered: bool = False
    """The gateway originates or repeats the cancel; `requested_at` as in `Win.redelivered`."""


class Undo(Cancel, frozen=True, kw_only=True):
    """A cancel for a wallet without cancels: the opposite movement. Built from the journal, never from a body."""

    undone: Command
    """BET or WIN: the command of the reversed movement."""
    amount: int
    """The reversed movement's amount, in minor units."""


class Status(_OfTransaction, frozen=True, kw_only=True):
    """Asks for the state of a transaction."""

    command = Command.STATUS


type Callback = Authenticate | Balance | Bet | Win | Cancel | Status


class _Reader:
    """Builds each command from its fields in a callback's JSON."""

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

    Raises BadCallback for an invalid callback: no part of it may reach the wallet.
    """
    document = fields.required_object(loads(body), "$")
    command = document.get("command")
    if not isinstance(command, str) or command not in _COMMANDS:
        raise BadCallback("$.command", f"expected one of {', '.join(Command)}")
    data = fields.required_object(document.get("data", ABSENT), "$.data")
    return _COMMANDS[command](_Reader(document, data, currency_decimals))

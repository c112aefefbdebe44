"""
The provider's callbacks as bytes: right, varied and malformed. PROTOCOL: Request body.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from walletbridge.protocol.callbacks import Command
from walletbridge.protocol.checks import DOCUMENTED, text_of
from walletbridge.protocol.money import format_minor

UNIT_DECIMALS = 8
"""
The simulator counts money in units of 10**-8 of the currency, even if it plays with fewer decimals. A balance that is
finer than the played amounts stays exact.
"""

MOVEMENTS = frozenset({Command.BET, Command.WIN})
_OF_ACCOUNT = frozenset({Command.AUTHENTICATE, Command.BALANCE})
_TYPES = {Command.BET: 1, Command.WIN: 2}
_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Game:
    """The fields of a callback that describe the game."""

    provider_id: int
    code: str
    name: str
    type: str


GAMES = (
    Game(1, "vswaysdogs", "The Dog House Megaways", "Slots"),
    Game(1, "vs20olympgate", "Gates of Olympus", "Slots"),
    Game(2, "roulette-1", "Französisches Roulette 20 €", "Live"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One callback of the provider, in the documented form."""

    command: Command
    account: str
    trans_id: int | str | None = None
    """Of `bet`, `win`, `cancel` and `status`."""
    amount: int = 0
    """In units of 10**-8; of `bet` and `win`."""
    round_id: str = ""
    call_id: int = 0
    game: Game = GAMES[0]

    @property
    def key(self) -> str:
        """The transaction id as text."""
        return str(self.trans_id)

    def body(self, now: int) -> bytes:
        """Returns the bytes to send; `now` is Unix seconds."""
        return _encode(document(self, now))


def text(units: int) -> str:
    """Writes units of 10**-8 as the protocol's amount of the currency: `100`, `90.5`."""
    return format_minor(units, UNIT_DECIMALS)


def _number(units: int) -> msgspec.Raw:
    return msgspec.Raw(text(units).encode())


def document(call: Call, now: int) -> dict[str, Any]:
    """Returns the documented JSON of `call`."""
    data: dict[str, Any] = {"account": call.account}
    if call.command not in _OF_ACCOUNT:
        data["trans_id"] = call.trans_id
    if call.command in MOVEMENTS:
        data["call_id"] = call.call_id
    if call.command in MOVEMENTS or call.command is Command.CANCEL:
        data |= {
            "round_id": call.round_id,
            "provider_id": call.game.provider_id,
            "game_code": call.game.code,
            "game_name": call.game.name,
            "game_type": call.game.type,
        }
    if call.command in MOVEMENTS:
        data |= {"amount": _number(call.amount), "type": _TYPES[call.command]}
    return {"command": call.command, "data": data, "timestamp": str(now), "check": text_of(DOCUMENTED[call.command])}


def varied(new_bet: Callable[[], Call], now: int) -> Iterator[tuple[Call, bytes]]:
    """Yields bets in forms that occur in real traffic and must be accepted."""
    unlisted = document(call := new_bet(), now)
    unlisted["agent"] = {"id": 7}
    unlisted["data"] |= {"currency": "EUR", "round_id": int(call.round_id)}
    yield call, _encode(unlisted)
    sparse = document(call := new_bet(), now)
    sparse["timestamp"] = now
    sparse["check"] = sparse["check"].replace(",", ", ")
    del sparse["data"]["game_name"], sparse["data"]["type"]
    sparse["data"] |= {"call_id": None, "game_type": None, "provider_id": str(call.game.provider_id)}
    yield call, _encode(sparse)
    worded = document(call := new_bet(), now)
    worded["data"]["amount"] = text(call.amount)
    yield call, _encode(worded)


def malformed(call: Call, now: int) -> Iterator[bytes]:
    """Yields bodies made from the bet or win `call`, each with one error in a part that decides about money."""
    body = call.body(now)
    yield b""
    yield body[:-4]
    yield b"[" + body + b"]"
    yield _encode(document(call, now) | {"command": "gamble"})
    yield _encode(document(call, now) | {"data": None})
    for wrong in (
        {"account": ...},
        {"trans_id": ...},
        {"trans_id": None},
        {"amount": ...},
        {"amount": None},
        {"amount": "ten"},
        {"amount": _number(-call.amount)},
    ):
        changed = document(call, now)
        changed["data"] = {key: value for key, value in (changed["data"] | wrong).items() if value is not ...}
        yield _encode(changed)

"""Bodies of callbacks as the provider sends them, with any key changed, dropped or added."""

import json
from enum import Enum
from typing import Any


class _Dropped(Enum):
    DROPPED = "dropped"


DROPPED = _Dropped.DROPPED
"""Takes a key out of the body: `make_callback("bet", round_id=DROPPED)`."""

_CHECKS = {
    "authenticate": "21",
    "balance": "21,22",
    "bet": "21,22,41,31",
    "win": "21,22,41",
    "cancel": "21,22,42",
    "status": "21,42",
}
_TRANSACTION = {"trans_id": 1676358190}
_GAME = {
    "round_id": "818395446",
    "provider_id": 1,
    "game_code": "vswaysdogs",
    "game_name": "The Dog House Megaways",
    "game_type": "Slots",
}
_DATA: dict[str, dict[str, Any]] = {
    "authenticate": {},
    "balance": {},
    "bet": {**_TRANSACTION, **_GAME, "call_id": 0, "amount": 1000, "type": 1},
    "win": {**_TRANSACTION, **_GAME, "call_id": 0, "amount": 1000, "type": 2},
    "cancel": {**_TRANSACTION, **_GAME},
    "status": _TRANSACTION,
}


def make_callback(command: str, /, **overrides: Any) -> dict[str, Any]:
    """
    A valid callback of `test1234`, with `overrides`.

    `command`, `data`, `timestamp` and `check` replace the keys of the body, any other name a key of `data`; DROPPED
    takes the key out.
    """
    callback: dict[str, Any] = {
        "command": command,
        "data": {"account": "test1234", **_DATA[command]},
        "timestamp": "1600000001",
        "check": _CHECKS[command],
    }
    inner = callback["data"]
    for name, value in overrides.items():
        place = callback if name in callback else inner
        place[name] = value
        if value is DROPPED:
            del place[name]
    return callback


def body(callback: dict[str, Any]) -> bytes:
    """The bytes of `callback` as they go over the wire."""
    return json.dumps(callback, separators=(",", ":")).encode()


def raw_body(command: str, /, **json_texts: str) -> bytes:
    """
    The body of a valid callback in which the values of `json_texts` stand as they are: `raw_body("bet", amount="1e3")`.

    For what Python's json would not write: `1.500`, `-0`, `NaN`, a broken value.
    """
    text = body(make_callback(command, **{name: f"<{name}>" for name in json_texts})).decode()
    for name, json_text in json_texts.items():
        text = text.replace(f'"<{name}>"', json_text)
    return text.encode()

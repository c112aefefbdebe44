"""
Callbacks as JSON and back. The journal keeps this JSON, to send a callback again after a restart.
"""

import json
from typing import Any

import msgspec
from msgspec.structs import asdict

from walletbridge.protocol.callbacks import Bet, Cancel, Status, Win


def to_json(callback: Bet | Win | Cancel) -> str:
    """Encodes the fields of `callback`, by their names."""
    fields = {"command": callback.command, **asdict(callback)}
    try:
        return _ENCODER.encode(fields).decode()
    except (OverflowError, msgspec.MsgspecError):
        # msgspec refuses integers beyond 64 bits, and a `trans_id` may be one.
        return json.dumps(fields, separators=(",", ":"))


def win_of(text: str, checks: tuple[int, ...], *, sent_at: int) -> Win:
    """The stored win, to be sent again at `sent_at` (Unix seconds) with other checks."""
    return Win(**{**_fields(text, checks), "requested_at": sent_at, "redelivered": True})


def cancel_of(text: str, checks: tuple[int, ...], *, sent_at: int) -> Cancel:
    """A cancel of the stored bet or win, or the stored cancel itself, to be sent at `sent_at` (Unix seconds)."""
    fields = {**_fields(text, checks), "requested_at": sent_at, "redelivered": True}
    return Cancel(**{name: value for name, value in fields.items() if name not in _OF_MOVEMENTS_ALONE})


def status_of(text: str, checks: tuple[int, ...]) -> Status:
    """A `status` question for the stored transaction."""
    fields = _fields(text, checks)
    return Status(**{name: fields[name] for name in ("account", "checks", "requested_at", "trans_id")})


_ENCODER = msgspec.json.Encoder()
_OF_MOVEMENTS_ALONE = frozenset({"amount", "call_id", "type"})


def _fields(text: str, checks: tuple[int, ...]) -> dict[str, Any]:
    fields: dict[str, Any] = json.loads(text)
    del fields["command"]
    return {**fields, "checks": checks}

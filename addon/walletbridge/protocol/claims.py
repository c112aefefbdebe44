"""
Reads command, account and transaction from an invalid body, so that its log line can be found. For the log alone.
"""

from typing import Any, NamedTuple

import msgspec

TEXT_CHARACTERS_MAX = 64
_NAMES = ("command", "account", "trans_id")


class Claimed(NamedTuple):
    """The three fields; an unreadable one is empty."""

    command: str
    account: str
    trans_id: str


def claimed(body: bytes) -> Claimed | None:
    """Reads the fields, each shortened to 64 characters; None if the body is no JSON object."""
    try:
        document: Any = msgspec.json.decode(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(document, dict):
        return None
    data = document.get("data")
    inner = data if isinstance(data, dict) else {}
    return Claimed(*(_text(document.get(name, inner.get(name))) for name in _NAMES))


def _text(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    if isinstance(value, int) and value.bit_length() > TEXT_CHARACTERS_MAX * 3:
        return ""
    text = str(value)
    return text if len(text) <= TEXT_CHARACTERS_MAX else f"{text[:TEXT_CHARACTERS_MAX]}..."

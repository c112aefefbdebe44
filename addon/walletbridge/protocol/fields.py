"""
Reads single fields of a callback's JSON: strictly where money depends on the field, leniently where it only describes.

Real traffic varies, and a refused callback is a lost bet. So a descriptive field may be absent, null, or of another
type that converts without loss (PROTOCOL: Request body). A mistake raises BadCallback with the JSON path.
"""

import re
from decimal import Decimal
from enum import Enum
from functools import lru_cache

from walletbridge.protocol.errors import BadCallback
from walletbridge.protocol.money import NotAnAmount, parse_amount
from walletbridge.protocol.strict_json import Json

ACCOUNT_CHARACTERS_MAX = 128
TRANS_ID_CHARACTERS_MAX = 64
CHECKS_MAX = 32
CHECK_MAX = 2**31 - 1
"""The largest protobuf enum value: a check is sent as one."""

_INT64 = range(-(2**63), 2**63)
_INTEGER = re.compile(r"-?[0-9]{1,19}", re.ASCII)
_CHECK = re.compile(r"[0-9]{1,10}", re.ASCII)
_SURROGATE = re.compile("[\ud800-\udfff]")
_UNIX_SECONDS = range(-62_135_596_800, 253_402_300_800)
"""The range of google.protobuf.Timestamp: the years 1 to 9999."""


class _Absent(Enum):
    ABSENT = "absent"


ABSENT = _Absent.ABSENT
type Field = Json | _Absent


def required_object(value: Field, path: str) -> dict[str, Json]:
    """Reads a required object."""
    if not isinstance(value, dict):
        raise BadCallback(path, f"expected an object, {_was(value)}")
    return value


def account(value: Field, path: str) -> str:
    """Reads the player: 1 to 128 characters."""
    return _text(value, path, ACCOUNT_CHARACTERS_MAX)


def trans_id(value: Field, path: str) -> int | str:
    """Reads the transaction in its JSON type: an integer, or a string, of 1 to 64 characters."""
    if not isinstance(value, int) or isinstance(value, bool):
        if not isinstance(value, str):
            raise BadCallback(path, f"expected an integer or a string, {_was(value)}")
        return _text(value, path, TRANS_ID_CHARACTERS_MAX)
    if len(str(value)) > TRANS_ID_CHARACTERS_MAX:
        raise BadCallback(path, f"expected at most {TRANS_ID_CHARACTERS_MAX} characters")
    return value


def amount(value: Field, path: str, decimals: int) -> int:
    """Reads a JSON number, or a string that holds a plain decimal number, as minor units; never negative."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        raise BadCallback(path, f"expected a number, {_was(value)}")
    try:
        return parse_amount(value, decimals)
    except NotAnAmount as error:
        raise BadCallback(path, str(error)) from None


def checks(value: Field, path: str) -> tuple[int, ...]:
    """Reads the numbers of the checks, in their order. Blanks around the items are ignored."""
    if not isinstance(value, str):
        raise BadCallback(path, f'expected a string such as "21,22", {_was(value)}')
    return _checks(value, path)


@lru_cache(256)
def _checks(text: str, path: str) -> tuple[int, ...]:
    """Cached: a provider sends the same few lists all the time."""
    items = [item.strip(" \t\r\n") for item in text.split(",", CHECKS_MAX)]
    if len(items) > CHECKS_MAX:
        raise BadCallback(path, f"expected at most {CHECKS_MAX} checks")
    numbers = tuple(int(item) for item in items if _CHECK.fullmatch(item))
    if len(numbers) != len(items) or not all(0 < number <= CHECK_MAX for number in numbers):
        raise BadCallback(path, 'expected the numbers of checks, separated by commas, such as "21,22,41,31"')
    return numbers


def optional_text(value: Field, path: str) -> str:
    """Reads a descriptive string; empty if unset."""
    if type(value) is str and value.isascii():
        # The usual case: a bet has four such fields.
        return value
    if value is ABSENT or value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise BadCallback(path, f"expected a string, {_was(value)}")
    if isinstance(value, Decimal) and value.is_nan():  # strict_json: its exponent fits no Decimal
        raise BadCallback(path, f"expected a string, {_was(value)}")
    return _without_surrogates(str(value), path)


def optional_int64(value: Field, path: str) -> int:
    """Reads a descriptive integer; 0 if unset. `"1"` and `1.0` are 1."""
    if value is ABSENT or value is None:
        return 0
    number = _as_integer(value)
    if number is None:
        raise BadCallback(path, f"expected an integer, {_was(value)}")
    if number not in _INT64:
        raise BadCallback(path, "expected an integer of at most 64 bits")
    return number


def unix_seconds(value: Field) -> int | None:
    """Reads the time of the provider's request; None if missing or unreadable. Raises nothing."""
    number = None if value is ABSENT or value is None else _as_integer(value)
    return number if number is not None and number in _UNIX_SECONDS else None


def _as_integer(value: Json | _Absent) -> int | None:
    """Converts `value` to an integer without loss, or returns None."""
    if type(value) is int:
        return value
    if isinstance(value, str):
        return int(value) if _INTEGER.fullmatch(value) else None
    if isinstance(value, Decimal):
        if not value:
            return 0
        # Compare the exponent first: the integer of 1E+999999 would need too much memory.
        return int(value) if value.adjusted() < 20 and value == value.to_integral_value() else None  # noqa: PLR2004 - int64 has 19 digits
    return None


def _text(value: Field, path: str, characters_max: int) -> str:
    if not isinstance(value, str):
        raise BadCallback(path, f"expected a string, {_was(value)}")
    if not 1 <= len(value) <= characters_max:
        raise BadCallback(path, f"expected 1 to {characters_max} characters")
    return _without_surrogates(value, path)


def _without_surrogates(text: str, path: str) -> str:
    if not text.isascii() and _SURROGATE.search(text):
        raise BadCallback(path, "holds half of a surrogate pair, which is no character")
    return text


def _was(value: Field) -> str:
    """Names the JSON type of `value` for an error, never `value` itself."""
    return "but it is missing" if value is ABSENT else f"got {_JSON_TYPES[type(value)]}"


_JSON_TYPES = {
    bool: "a boolean",
    int: "a number",
    Decimal: "a number",
    str: "a string",
    list: "an array",
    dict: "an object",
    type(None): "null",
}

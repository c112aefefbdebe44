"""
Strict JSON from bytes: only UTF-8, no duplicate key, no NaN, no number through a binary fraction.
"""

import json
from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import Any

from walletbridge.protocol.errors import BadCallback

type Json = bool | int | Decimal | str | list[Json] | dict[str, Json] | None

_KEY_CHARACTERS_MAX = 40
_PATH_STEPS_MAX = 16


class _KeyTwice(Exception):
    """Raised while parsing, before the path of the duplicate key is known."""


def loads(body: bytes) -> Json:
    """
    Parses `body`. A number with a fraction or an exponent becomes a Decimal, any other an int, or a Decimal if it has
    more digits than Python converts to int. A number whose exponent fits no Decimal becomes Decimal("NaN").

    Skips a UTF-8 byte order mark, as RFC 8259 section 8.1 allows. Raises BadCallback with the JSON path.
    """
    if not body:
        raise BadCallback("$", "the body is empty; expected a JSON object")
    try:
        text = body.decode().removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise BadCallback("$", f"not UTF-8 at byte {error.start}") from None
    try:
        return _parse(text, _DECODER)  # type: ignore[no-any-return]
    except _KeyTwice:
        raise BadCallback(_path_of_key_twice(_parse(text, _PAIRS_DECODER)), "the key stands twice") from None


def _parse(text: str, decoder: json.JSONDecoder) -> Any:
    try:
        return decoder.decode(text)
    except json.JSONDecodeError as error:
        # Some of json's messages end with "at".
        problem = f"{error.msg.removesuffix(' at')} at line {error.lineno} column {error.colno}"
        raise BadCallback("$", f"not JSON: {problem}") from None
    except RecursionError:
        raise BadCallback("$", "nested too deeply") from None


def _integer(digits: str) -> int | Decimal:
    try:
        return int(digits)
    except ValueError:
        return Decimal(digits)


def _fraction(number: str) -> Decimal:
    try:
        return Decimal(number)
    except InvalidOperation:
        return Decimal("NaN")


def _refuse_constant(name: str) -> Json:
    raise BadCallback("$", f"holds {name}, which is not JSON")


def _object(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _KeyTwice
    return found


class _Pairs(list[tuple[str, object]]):
    """An object that keeps duplicate keys."""


_decoder = partial(json.JSONDecoder, parse_int=_integer, parse_float=_fraction, parse_constant=_refuse_constant)
_DECODER = _decoder(object_pairs_hook=_object)
_PAIRS_DECODER = _decoder(object_pairs_hook=_Pairs)

type _Trail = tuple[_Trail, str | int] | None
"""The steps from the root to a value, the last one outermost. Only the reported one becomes text."""


def _path_of_key_twice(document: object) -> str:
    """Returns the path of the first duplicate key. Only for documents that have one."""
    stack: list[tuple[_Trail, object]] = [(None, document)]
    while stack:
        trail, value = stack.pop()
        if isinstance(value, _Pairs):
            seen: set[str] = set()
            for key, _ in value:
                if key in seen:
                    return _path((trail, key))
                seen.add(key)
        stack.extend(reversed([((trail, step), child) for step, child in _children(value)]))
    return "$"


def _children(value: object) -> Iterable[tuple[str | int, object]]:
    if isinstance(value, _Pairs):
        return value
    return enumerate(value) if isinstance(value, list) else ()


def _path(trail: _Trail) -> str:
    """Writes a path; of a deep one only the end, after `$..`, so that a message stays readable."""
    steps: list[str] = []
    while trail and len(steps) < _PATH_STEPS_MAX:
        trail, step = trail
        steps.append(_step(step))
    path = "".join(reversed(steps))
    return f"$..{path.removeprefix('.')}" if trail else f"${path}"


def _step(step: str | int) -> str:
    """Writes one step of a path; a long or unusual key is shortened and quoted."""
    if isinstance(step, int):
        return f"[{step}]"
    shown = step[:_KEY_CHARACTERS_MAX]
    return f".{shown}" if shown.isidentifier() and shown == step else f"[{json.dumps(shown)}]"

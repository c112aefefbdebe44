"""
Strict JSON from bytes: UTF-8 alone, no key twice, no NaN, no number through a binary fraction.
"""

import json
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation

from walletbridge.errors import BadCallback

type Json = bool | int | Decimal | str | list[Json] | dict[str, Json] | None


_KEY_CHARACTERS_MAX = 40


class _KeyTwice(ValueError):
    """Raised while parsing, where the place in the whole text is not known yet."""


def loads(body: bytes) -> Json:
    """
    Parses `body`. A fraction or an exponent gives a Decimal, any other number an int, of any size that Python reads.

    A UTF-8 byte order mark is passed over, as RFC 8259 section 8.1 allows. Raises BadCallback with the path.
    """
    if not body:
        raise BadCallback("$", "the body is empty; expected a JSON object")
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadCallback("$", f"not UTF-8 at byte {error.start}") from None
    try:
        return _DECODER.decode(text)  # type: ignore[no-any-return]
    except _KeyTwice:
        raise BadCallback(_path_of_key_twice(text), "the key stands twice") from None
    except json.JSONDecodeError as error:
        raise BadCallback("$", f"not JSON: {error.msg} at line {error.lineno} column {error.colno}") from None
    except RecursionError:
        raise BadCallback("$", "nested too deeply") from None
    except (ValueError, InvalidOperation):
        raise BadCallback("$", "holds a number that is not JSON (NaN, Infinity) or has too many digits") from None


def _refuse_constant(name: str) -> Json:
    raise ValueError(name)


def _object(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _KeyTwice
    return found


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_float=Decimal, parse_constant=_refuse_constant)


class _Pairs(list[tuple[str, object]]):
    """An object with its equal keys still apart."""


def _path_of_key_twice(text: str) -> str:
    """Finds the first key that stands twice in its object. Only for texts that have one."""
    stack: list[tuple[str, object]] = [("$", json.loads(text, object_pairs_hook=_Pairs, parse_float=Decimal))]
    while stack:
        path, value = stack.pop()
        if isinstance(value, _Pairs):
            seen: set[str] = set()
            for key, _ in value:
                if key in seen:
                    return _step(path, key)
                seen.add(key)
        stack.extend(reversed(list(_children(path, value))))
    return "$"


def _children(path: str, value: object) -> Iterator[tuple[str, object]]:
    if isinstance(value, _Pairs):
        for key, child in value:
            yield _step(path, key), child
    elif isinstance(value, list):
        for index, child in enumerate(value):
            yield f"{path}[{index}]", child


def _step(path: str, key: str) -> str:
    """The path of `key`; a long or odd one is shortened, so that a message stays readable."""
    shown = key[:_KEY_CHARACTERS_MAX]
    return f"{path}.{key}" if shown.isidentifier() and shown == key else f"{path}[{json.dumps(shown)}]"

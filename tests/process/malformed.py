"""Bodies that are no callback, in all the ways in which something can be wrong with one; the same for the same seed."""

import json
import random
from collections.abc import Callable

from tests.support.callbacks import DROPPED, body, make_callback, raw_body

LIMIT = 65536
"""Of the body, in bytes, by default."""
COMMANDS = ("authenticate", "balance", "bet", "win", "cancel", "status")
_WITH_AMOUNT = ("bet", "win")
_WITH_TRANS_ID = ("bet", "win", "cancel", "status")
_NO_TEXT = ("null", "true", "0", "1.5", "[]", "{}", '""', '["bet"]')
_WRONG = {
    "command": (*_NO_TEXT, '"Bet"', '"bet "', '"refund"', '"\\u0000"'),
    "account": (*_NO_TEXT, json.dumps("x" * 129)),
    "trans_id": ("null", "false", "1.5", "[]", "{}", '""', json.dumps("x" * 65)),
    "amount": (
        *("null", "true", "[]", "{}", '""', '"ten"', '"1,5"', '" 1"', "-1", "-0.01", '"-1"', "0.001", "1e-3"),
        *("92233720368547758.08", "1e30", "1e999999999", '"NaN"', "NaN", "Infinity", "-Infinity", "0x10", "01", "+1"),
    ),
    "check": (*_NO_TEXT, '","', '"21,,22"', '"21;22"', '"x"', '"21,x"', '"-21"', '"2.1"'),
    "data": ("null", "true", "0", '"data"', "[]", '[{"account":"test1234"}]'),
}
_RARE = 100
"""Every so many bodies one is over the limit; they are a thousand times as large as the others."""


def malformed_bodies(count: int, *, seed: int) -> list[bytes]:
    """So many of them; those over LIMIT among them are valid callbacks otherwise."""
    dice = random.Random(seed)  # noqa: S311 - for variety, not for secrets
    return [_too_large(dice) if number % _RARE == 0 else dice.choice(_KINDS)(dice) for number in range(count)]


def _valid(dice: random.Random) -> bytes:
    return body(make_callback(dice.choice(COMMANDS), trans_id=dice.randrange(10**9)))


def _cut_off(dice: random.Random) -> bytes:
    valid = _valid(dice)
    return valid[: dice.randrange(len(valid))]


def _scratched(dice: random.Random) -> bytes:
    """Some bytes replaced, removed or added, so that it is not JSON any more."""
    while True:
        scratched = bytearray(_valid(dice))
        for _ in range(dice.randint(1, 4)):
            place = dice.randrange(len(scratched))
            scratched[place : place + dice.randint(0, 2)] = dice.randbytes(dice.randint(0, 2))
        try:
            json.loads(scratched.decode())
        except ValueError:
            return bytes(scratched)


def _followed(dice: random.Random) -> bytes:
    return _valid(dice) + dice.choice((b"}", b",", b"\x00", b"{}", b"null", _valid(dice)))


def _twice(dice: random.Random) -> bytes:
    """A key that stands twice, with the same value or another one."""
    name, value = dice.choice((("command", '"balance"'), ("check", '"21"'), ("data", "{}"), ("note", "1")))
    return _valid(dice)[:-1] + f',"{name}":{value},"{name}":{value}}}'.encode()


def _wrong(dice: random.Random) -> bytes:
    name = dice.choice(list(_WRONG))
    return raw_body(_with(name, dice), **{name: dice.choice(_WRONG[name])})


def _missing(dice: random.Random) -> bytes:
    name = dice.choice(list(_WRONG))
    return body(make_callback(_with(name, dice), **{name: DROPPED}))


def _with(name: str, dice: random.Random) -> str:
    """A command that has this field."""
    return dice.choice({"amount": _WITH_AMOUNT, "trans_id": _WITH_TRANS_ID}.get(name, COMMANDS))


def _no_object(dice: random.Random) -> bytes:
    return dice.choice((b"", b" ", b"null", b"1", b'"bet"', b"[]", b"[" + _valid(dice) + b"]", b"\xef\xbb\xbf{}"))


def _deep(dice: random.Random) -> bytes:
    depth = dice.randrange(100, 20_000)
    return dice.choice((b'{"data":', b"[")) * depth


def _noise(dice: random.Random) -> bytes:
    return b"\xff" + dice.randbytes(dice.randrange(200))


def _too_large(dice: random.Random) -> bytes:
    """Valid but for its size: blanks are allowed anywhere."""
    valid = _valid(dice)
    return valid + b" " * (LIMIT + dice.randint(1, 100) - len(valid))


_KINDS: tuple[Callable[[random.Random], bytes], ...] = (
    *(_cut_off, _scratched, _followed, _twice, _wrong, _wrong, _missing, _no_object, _noise, _deep),
)

"""Callbacks as they may come: valid, refused, malformed, in all framings; the same for the same seed."""

import json
import random
from typing import NamedTuple

from tests.process.malformed import COMMANDS, malformed_bodies
from tests.support.callbacks import body, make_callback
from tests.support.processes import TOKEN

_PLAYERS = ("rich", "poor", "unknown")


class Recorded(NamedTuple):
    """A request as its bytes, and where they are split."""

    data: bytes
    cuts: tuple[int, ...]


def recorded(count: int, *, seed: int) -> list[Recorded]:
    """So many requests. Among them are repeats and cancels of earlier ones, so their order matters."""
    dice = random.Random(seed)  # noqa: S311 - for variety, not for secrets
    malformed = malformed_bodies(count, seed=seed)
    return [_recorded(dice, number, malformed[number]) for number in range(count)]


def _recorded(dice: random.Random, number: int, malformed: bytes) -> Recorded:
    kind = dice.random()
    content = malformed if kind < 0.2 and len(malformed) < 70_000 else _callback(dice, number)
    method = dice.choice((b"GET", b"PUT", b"DELETE", b"PATCH", b"OPTIONS")) if kind > 0.97 else b"POST"
    tokens = (
        dice.choice(((b"wrong",), (), (TOKEN.encode(), TOKEN.encode()))) if 0.92 < kind < 0.97 else (TOKEN.encode(),)
    )
    data = _framed(dice, method, tokens, content)
    # One after the other, every boundary of the first bytes has its turn.
    cut = number % min(len(data), 600)
    return Recorded(data, tuple(sorted({cut, dice.randrange(len(data))} - {0})))


def _callback(dice: random.Random, number: int) -> bytes:
    command = dice.choice(COMMANDS)
    account = dice.choice(_PLAYERS)
    callback = make_callback(command, account=account)
    if "trans_id" in callback["data"]:
        callback["data"]["trans_id"] = dice.choice((number, str(number), dice.randrange(1 + number)))
    if "amount" in callback["data"]:
        callback["data"]["amount"] = dice.choice((0, 1, 2.5, "3", 10_000))
    if dice.random() < 0.1:
        return json.dumps(callback, indent=dice.randrange(3)).encode()
    return body(callback)


def _framed(dice: random.Random, method: bytes, tokens: tuple[bytes, ...], content: bytes) -> bytes:
    path = dice.choice((b"/callback", b"/callback", b"/callback?x=1"))
    lines = [b"%b %b HTTP/1.1" % (method, path), b"Host: gateway"]
    lines += [b"Callback-Token: %b" % token for token in tokens]
    if dice.random() < 0.3:
        lines.append(b"X-Number: %d" % dice.randrange(10**6))
    # mitmproxy's own way has no answer to a wrong token before the body, so both read on after one.
    if dice.random() < 0.3 and tokens == (TOKEN.encode(),) and len(content) <= 65536:
        pieces = [content[at : at + 100] for at in range(0, len(content), 100)]
        chunks = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
        return b"\r\n".join([*lines, b"Transfer-Encoding: chunked", b"", chunks + b"0\r\n\r\n"])
    return b"\r\n".join([*lines, b"Content-Length: %d" % len(content), b"", content])

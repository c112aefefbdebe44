"""
Throws bytes at the lane that nobody thought of. A seed of every known attack is cut, spliced and changed; what reaches
new lines of the lane is kept and changed further.

    uv run python -m tests.fuzz --seconds 600

Ends with 1 at the first input that breaks a rule, and prints it: nothing is raised, every request is asked once and
only with the right token, whatever the bytes and however they are split.
"""

import random
import re
import sys
import time
from pathlib import Path
from types import CodeType

import click
from tests.serve.lane.fakes import TOKEN, Talk, request
from tests.serve.lane.smuggling import CASES

from walletbridge import answers
from walletbridge.serve.lane import parser

LANE = str(Path(parser.__file__).parent)
WORDS = (
    *(b"\r\n", b"\n", b"\r", b"\0", b" ", b"\t", b":", b",", b";", b"0", b"1", b"ffffffff", b"0\r\n\r\n", b"\r\n\r\n"),
    *(b"Content-Length: ", b"Transfer-Encoding: chunked\r\n", b"Host: x\r\n", b"Connection: close\r\n", b"Expect: "),
    *(b"100-continue", b"Callback-Token: ", TOKEN, b"POST /callback HTTP/1.1\r\n", b"HTTP/1.0", b"Upgrade: h2c\r\n"),
)
STATUS = re.compile(rb"HTTP/1.1 ([2-5][0-9][0-9]) ")
REFUSALS = {b"400", b"431", b"505"}
_TOOL = sys.monitoring.COVERAGE_ID


def seeds() -> list[bytes]:
    """What the first inputs are made of."""
    good = [request(), request(b"", b"Expect: 100-continue\r\n"), request(token=b"wrong"), request(version=b"1.0")]
    chunked = request().replace(
        b"Content-Length: 4\r\n\r\nbody", b"Transfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n"
    )
    return [*good, chunked, good[0] + chunked, b"GET /x HTTP/1.1\r\n\r\n", *(case.data for case in CASES.values())]


def mutated(dice: random.Random, corpus: list[bytes]) -> bytes:
    """A change or a few of something that is known."""
    data = bytearray(dice.choice(corpus))
    for _ in range(dice.randint(1, 4)):
        place = dice.randrange(len(data) + 1)
        match dice.randrange(5):
            case 0:
                data[place:place] = dice.choice(WORDS)
            case 1:
                del data[place : place + dice.randint(1, 8)]
            case 2:
                data[place : place + 1] = dice.randbytes(1)
            case 3:
                data[place:] = dice.choice(corpus)[dice.randrange(10) :]
            case _:
                data[place:place] = data[place : place + dice.randint(1, 60)]
    return bytes(data[:4000])


def said(*pieces: bytes) -> tuple[list[tuple[bool, bytes | None]], list[str], list[str], bool]:
    """All that follows of bytes that come piece by piece; each question is answered before the next piece comes."""
    talk = Talk(header_bytes=1024, body_bytes=1000)
    answered = 0
    for piece in pieces:
        talk.conversation.received(piece)
        while answered < len(talk.wire.asked):
            talk.wire.asked[answered].answer = answers.WRONG_TOKEN
            answered += 1
            talk.conversation.answered()
    if talk.lane.faults:
        raise talk.lane.faults[0]
    asked = [(exchange.request.has_token, exchange.request.body) for exchange in talk.wire.asked]
    # Of bytes that are wrong in several ways, which one is told may depend on which came first.
    statuses = ["refused" if status in REFUSALS else status.decode() for status in STATUS.findall(talk.wire.sent)]
    return asked, statuses, talk.wire.closed, talk.wire.rest is not None


def check(dice: random.Random, data: bytes) -> None:
    """Raises AssertionError, or whatever the lane raised."""
    whole = said(data)
    tokens = sum(has_token for has_token, _ in whole[0])
    assert tokens <= data.count(TOKEN), "more was asked with the token than it stands there"
    assert len(whole[0]) <= data.count(b"/callback"), "more was asked than there are requests"
    place = dice.randrange(len(data) + 1)
    pieces = said(data[:place], data[place:]) if data[:place] and data[place:] else whole
    if b"Expect" not in data:  # whoever waits for its answer may be closed where one who does not is read on
        assert whole == pieces, f"other things follow where it is split at {place}"


@click.command()
@click.option("--seconds", default=600, show_default=True)
@click.option("--seed", default=1, show_default=True)
def main(seconds: int, seed: int) -> None:
    """Fuzz the lane."""
    dice = random.Random(seed)  # noqa: S311 - for variety, not for secrets
    corpus, lines, new = seeds(), set[tuple[CodeType, int]](), [0]

    def line(code: CodeType, number: int) -> object:
        if code.co_filename.startswith(LANE) and (code, number) not in lines:
            lines.add((code, number))
            new[0] += 1
        return sys.monitoring.DISABLE

    sys.monitoring.use_tool_id(_TOOL, "fuzz")
    sys.monitoring.register_callback(_TOOL, sys.monitoring.events.LINE, line)
    sys.monitoring.set_events(_TOOL, sys.monitoring.events.LINE)
    ends_at, count, data = time.monotonic() + seconds, 0, b""
    try:
        while time.monotonic() < ends_at:
            data, new[0] = mutated(dice, corpus), 0
            check(dice, data)
            count += 1
            if new[0] or dice.random() < 0.001:
                corpus.append(data)
    except BaseException:
        click.echo(f"input {count + 1}: {data!r}")
        raise
    click.echo(f"{count:,} inputs, {len(lines)} lines of the lane reached, {len(corpus)} inputs kept, nothing found")


if __name__ == "__main__":
    main()

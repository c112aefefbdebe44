"""
Players who bet and win at a steady rate, whatever becomes of it, and keep their own books.

A process of its own, and as cheap as it can be: nothing is made of a callback but its bytes, and nothing is read of an
answer but its status, its result and whether the connection goes on. `python -m` plays one order, from its standard
input, until that ends.
"""

import asyncio
import re
import sys
import time
from collections import Counter, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import msgspec
from tests.support.callbacks import body, make_callback
from tests.support.processes import ROOT, raw_post

PLAYERS = 64
"""At so many a second each of them has 8 callbacks a second at a rate of 500."""
TICK_SECONDS = 0.005
ANSWER_SECONDS = 20
"""How long the last answers may take."""
END_SECONDS = 30
_HEAD_END = b"\r\n\r\n"
_LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]+)\r\n", re.IGNORECASE)
_CLOSES = re.compile(rb"\r\nconnection: *close\r\n", re.IGNORECASE)
_RESULT = re.compile(rb'"result":([0-9]+)')
_TRANS_ID = b"#trans_id#"


class Order(msgspec.Struct, frozen=True):
    """What to play, and where."""

    host: str
    port: int
    rate: float
    """Callbacks a second."""


class Played(msgspec.Struct):
    """What came of it."""

    answers: dict[str, int] = msgspec.field(default_factory=dict)
    """How often there was each HTTP status and result, as in `200 0`."""
    errors: list[str] = msgspec.field(default_factory=list)
    """What went wrong with connections, other than that nobody listens any more."""
    spent: dict[str, int] = msgspec.field(default_factory=dict)
    """By account, in minor units."""
    connections: int = 0
    rate: float = 0.0
    """Answers a second until nobody listened any more, or it was to end."""
    slowest_rate: float = 0.0
    """In the slowest whole second."""
    p99: float = 0.0
    """Of a callback, in seconds from when it was due."""

    @property
    def answered(self) -> int:
        """How many callbacks were answered."""
        return sum(self.answers.values())


class _Player(asyncio.Protocol):
    """One account, with one callback on its way at most."""

    def __init__(self, load: "_Load", account: str) -> None:
        self.account = account
        self._load = load
        self._made = {
            command: raw_post(body(make_callback(command, account=account, trans_id=_TRANS_ID.decode(), amount=1)))
            for command in ("bet", "win")
        }
        self._command = ""
        """On its way; empty if there is none."""
        self._due = 0.0
        self._answer = b""
        self._transport: asyncio.Transport | None = None

    def itself(self) -> "_Player":
        return self

    def send(self, number: int, due: float) -> None:
        """The callback with that number, which was due then."""
        assert self._transport is not None
        self._command, self._due = ("win" if number % 4 == 3 else "bet"), due
        # Of one length, so that the one in the head stays right.
        self._transport.write(self._made[self._command].replace(_TRANS_ID, b"%010d" % number))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport, self._answer = transport, b""
        self._load.free.append(self)

    def data_received(self, data: bytes) -> None:
        self._answer += data
        head, end, content = self._answer.partition(_HEAD_END)
        length = _LENGTH.search(head + end)
        if not length or len(content) < int(length[1]):
            return
        result = _RESULT.search(content)
        command, self._command, self._answer = self._command, "", b""
        self._load.answered(
            self.account, command, f"{head[9:12].decode()} {int(result[1]) if result else -1}", self._due
        )
        if _CLOSES.search(head + end):
            self._leave()
        elif not self._load.is_over:
            self._load.free.append(self)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._command:
            self._load.cut_off(f"{self.account}: cut off in a {self._command}: {exc}")
            self._command = ""
        if self._transport is not None:
            self._leave()

    def _leave(self) -> None:
        """Comes back by another connection."""
        transport, self._transport = self._transport, None
        if transport is not None:
            transport.close()
        if self in self._load.free:
            self._load.free.remove(self)
        if not self._load.is_over:
            self._load.coming.create_task(self._load.connect(self))


class _Load:
    def __init__(self, order: Order, coming: asyncio.TaskGroup) -> None:
        self.coming = coming
        self.played = Played()
        self.free: deque[_Player] = deque()
        """Who has a connection and nothing on its way."""
        self.is_over = False
        self._order = order
        self._gone = self._cut_off = 0
        self._answers = Counter[str]()
        self._spent = Counter[str]()
        self._latencies: list[float] = []
        self._by_second = Counter[int]()
        self._begun = self._last = 0.0

    async def connect(self, player: _Player) -> None:
        try:
            await asyncio.get_running_loop().create_connection(player.itself, self._order.host, self._order.port)
        except ConnectionRefusedError:
            # Nobody listens any more.
            self._gone += 1
            self.is_over = self.is_over or self._gone == PLAYERS
        except OSError as error:
            self.played.errors.append(f"{player.account}: {error!r}")
        else:
            self.played.connections += 1

    def answered(self, account: str, command: str, what: str, due: float) -> None:
        self._last = time.monotonic()
        self._answers[what] += 1
        self._latencies.append(self._last - due)
        self._by_second[int(self._last - self._begun)] += 1
        if what == "200 0":
            self._spent[account] += 100 if command == "bet" else -100

    def cut_off(self, problem: str) -> None:
        self._cut_off += 1
        self.played.errors.append(problem)

    async def play(self) -> None:
        await asyncio.gather(*(self.connect(_Player(self, account)) for account in accounts()))
        self._begun, sent = time.monotonic(), 0
        # No number comes twice, from one order to the next, at less than a thousand a second.
        first = time.time_ns() // 1_000_000 % 10**10
        while not self.is_over:
            while self.free and (due := self._begun + sent / self._order.rate) <= time.monotonic():
                self.free.popleft().send(first + sent, due)
                sent += 1
            await asyncio.sleep(TICK_SECONDS)
        ends_at = time.monotonic() + ANSWER_SECONDS
        while (left := sent - self._answers.total() - self._cut_off) and time.monotonic() < ends_at:  # noqa: ASYNC110 - that is how one watches
            await asyncio.sleep(TICK_SECONDS)
        if left:
            self.played.errors.append(f"{left} were never answered")

    def stop(self) -> None:
        """Nobody begins anything more."""
        self.is_over = True

    def finish(self) -> Played:
        played, seconds = self.played, self._last - self._begun
        played.answers, played.spent = dict(self._answers), dict(self._spent)
        played.rate = self._answers.total() / seconds if seconds else 0.0
        played.slowest_rate = min((self._by_second[second] for second in range(int(seconds))), default=0)
        self._latencies.sort()
        played.p99 = self._latencies[len(self._latencies) * 99 // 100] if self._latencies else 0.0
        return played


def accounts() -> list[str]:
    """Of the players."""
    return [f"player-{number:02}" for number in range(PLAYERS)]


@dataclass(slots=True)
class Playing:
    """A load that is at work."""

    process: asyncio.subprocess.Process

    async def end(self) -> Played:
        """Has it end, if nobody stopped listening before; returns what came of it."""
        output, _ = await asyncio.wait_for(self.process.communicate(b"\n"), END_SECONDS)
        return msgspec.json.decode(output, type=Played)


@asynccontextmanager
async def playing(order: Order) -> AsyncIterator[Playing]:
    """The players play meanwhile, and until `end`."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "tests.process.steady"),
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdin
        process.stdin.write(msgspec.json.encode(order) + b"\n")
        yield Playing(process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _main() -> None:
    order = msgspec.json.decode(sys.stdin.buffer.readline(), type=Order)
    async with asyncio.TaskGroup() as coming:
        load = _Load(order, coming)
        asyncio.get_running_loop().add_reader(sys.stdin.fileno(), load.stop)
        await load.play()
        asyncio.get_running_loop().remove_reader(sys.stdin.fileno())
    sys.stdout.buffer.write(msgspec.json.encode(load.finish()))


if __name__ == "__main__":
    asyncio.run(_main())

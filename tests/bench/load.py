"""
The load: sends callbacks over keep-alive connections, checks every answer, and measures. `python -m` runs one order.

A process of its own, and as cheap as it can be: the requests are made before the clock starts, and of an answer no more
is read than its status, its length and its body.
"""

import asyncio
import itertools
import math
import re
import ssl
import sys
import time
from array import array
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import Literal

import msgspec
import psutil
from tests.support.callbacks import body, make_callback

TOKEN_VARIABLE = "WALLETBRIDGE_CALLBACK_TOKEN"  # noqa: S105 - the name of a variable
BALANCE_MINOR = 9050
"""What the wallet says of every player."""
EXPECTED = {
    "balance": b'{"result":0,"status":"OK","data":{"balance":90.5}}',
    "bet": b'{"result":0,"status":"OK","data":{"balance":90.5}}',
    "status": b'{"result":0,"status":"OK","data":{"trans_id":1676358190,"trans_status":"OK"}}',
}
"""By the kind of the callback. The status is of one transaction all the time: walletbridge has it in its cache."""

_HEAD_END = b"\r\n\r\n"
_LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]+)\r\n", re.IGNORECASE)

PART = 500
"""
CPU is measured for so many callbacks at a time, or a few more: a busy machine leaves some such short times in peace.
"""

Kind = Literal["balance", "bet", "status"]


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What to send, and where to."""

    address: str
    """`HOST:PORT`."""
    pids: tuple[int, ...]
    """The processes whose CPU is measured together, the one that was started first."""
    ca_file: str | None
    """Whom to trust, where the program speaks TLS."""
    token: str
    kind: Kind
    connections: int
    warm_up: int
    """Callbacks that are sent before the clock starts."""
    callbacks: int


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """What came of an order. Times are in seconds."""

    rate: float
    """Callbacks a second."""
    p50: float
    p99: float
    cpu: float
    """User and system time of the process for one callback, in the part where it was least."""


async def run(order: Order) -> Figures:
    """
    Carries out `order`. Raises RuntimeError for an answer that is not the expected one, or a connection that ends.
    """
    host, _, port = order.address.rpartition(":")
    loop = asyncio.get_running_loop()
    trust = ssl.create_default_context(cafile=order.ca_file) if order.ca_file else None
    if trust:
        # The authority of the tests leaves out what newer versions of Python insist on.
        trust.verify_flags &= ~ssl.VERIFY_X509_STRICT
    connections = [
        (await loop.create_connection(partial(_Connection, EXPECTED[order.kind]), host, int(port), ssl=trust))[1]
        for _ in range(order.connections)
    ]
    requests = list(_requests(order))
    await _send(connections, requests[: order.warm_up])
    latencies: list[float] = []
    cpu = math.inf
    started = time.perf_counter()
    for part in itertools.batched(requests[order.warm_up :], _part_length(order.callbacks)):
        cpu_before = _cpu_seconds(order.pids)
        latencies += await _send(connections, part)
        cpu = min(cpu, (_cpu_seconds(order.pids) - cpu_before) / len(part))
    seconds = time.perf_counter() - started
    for connection in connections:
        connection.close()
    latencies.sort()
    return Figures(
        rate=order.callbacks / seconds,
        p50=_percentile(latencies, 50),
        p99=_percentile(latencies, 99),
        cpu=cpu,
    )


def _requests(order: Order) -> Iterator[bytes]:
    # No id comes twice, neither here nor from one run to the next: a repeat is another kind of callback.
    first_id = time.time_ns() // 1000
    for number in range(order.warm_up + order.callbacks):
        own = {"trans_id": first_id + number, "round_id": str(number)} if order.kind == "bet" else {}
        content = body(make_callback(order.kind, **own))
        yield (
            b"POST /callback HTTP/1.1\r\n"
            b"Host: %b\r\n"
            b"Callback-Token: %b\r\n"
            b"Accept: application/json\r\n"
            b"Content-Type: application/json\r\n"
            b"Content-Length: %d\r\n"
            b"\r\n"
            b"%b"
        ) % (order.address.encode(), order.token.encode(), len(content), content)


async def _send(connections: Iterable["_Connection"], requests: Iterable[bytes]) -> "array[float]":
    """Sends all requests, each over the connection that is free first; returns the latencies."""
    shared = iter(requests)
    latencies = array("d")
    await asyncio.gather(*[connection.work(shared, latencies) for connection in connections])
    return latencies


class _Connection(asyncio.Protocol):
    """Sends one request after another, as the answers come."""

    def __init__(self, expected: bytes) -> None:
        self._expected = expected
        self._ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._requests: Iterator[bytes] = iter(())
        self._latencies: array[float] = array("d")
        self._answer = b""
        self._sent_at = 0.0

    def work(self, requests: Iterator[bytes], latencies: "array[float]") -> asyncio.Future[None]:
        """Takes requests until there are none; the future ends with the last answer."""
        self._requests, self._latencies = requests, latencies
        self._ended = asyncio.get_running_loop().create_future()
        self._next()
        return self._ended

    def close(self) -> None:
        """Ends the connection."""
        self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        received_at = time.perf_counter()
        self._answer += data
        head, end, content = self._answer.partition(_HEAD_END)
        length = _LENGTH.search(head + end)
        if not end or (length and len(content) < int(length[1])):
            return
        if content != self._expected or not head.startswith(b"HTTP/1.1 200 "):
            self._fail(f"not the expected answer: {self._answer!r}")
            return
        self._latencies.append(received_at - self._sent_at)
        self._answer = b""
        self._next()

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail(f"the connection ended: {exc}")

    def _next(self) -> None:
        request = next(self._requests, None)
        if request is None:
            self._ended.set_result(None)
            return
        self._sent_at = time.perf_counter()
        self._transport.write(request)

    def _fail(self, problem: str) -> None:
        if not self._ended.done():
            self._ended.set_exception(RuntimeError(problem))


def _part_length(callbacks: int) -> int:
    """Such that the parts are equal: a short last one would not be like the others."""
    return math.ceil(callbacks / max(1, callbacks // PART))


def _percentile(ordered: Sequence[float], percent: int) -> float:
    return ordered[math.ceil(len(ordered) * percent / 100) - 1]


def _cpu_seconds(pids: Iterable[int]) -> float:
    return sum(_cpu_seconds_of(pid) for pid in pids)


def _cpu_seconds_of(pid: int) -> float:
    if sys.platform == "linux":
        # The clock that clock_getcpuclockid(3) names. What psutil reads there comes in steps of 10 ms.
        return time.clock_gettime(~pid << 3 | 2)
    times = psutil.Process(pid).cpu_times()
    return times.user + times.system


if __name__ == "__main__":
    sys.stdout.buffer.write(
        msgspec.json.encode(asyncio.run(run(msgspec.json.decode(sys.stdin.buffer.read(), type=Order))))
    )

"""Many callbacks through `serve`, and what its memory does meanwhile."""

import itertools
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
from tests.support.callbacks import body, make_callback
from tests.support.processes import (
    Way,
    arguments,
    at_once,
    connected,
    raw_post,
    read_answer,
    running,
    running_wallet,
    write_settings,
)

from walletbridge.demo.gateway_process import GatewayProcess

CONNECTIONS = 8
PLAYER = "test1234"


@dataclass(frozen=True, slots=True)
class Memory:
    """The resident memory of the gateway, in bytes."""

    before: int
    after: int

    @property
    def growth(self) -> int:
        """What was not given back."""
        return self.after - self.before


async def memory_of_callbacks(folder: Path, *, warm_up: int, count: int) -> Memory:
    """
    Sends `count` callbacks of all commands, after others that fill what is bounded (caches, queues, pages).

    Raises AssertionError unless nearly all are answered with 200; a busy disk is an unknown outcome, which is 500.
    """
    async with running_wallet(folder, PLAYER) as wallet:
        config = write_settings(folder, wallet_port=wallet.port, status_cache={"size": 100})
        async with running(arguments(Way.SERVE, config), folder) as gateway:
            process, ids = psutil.Process(gateway.process.pid), itertools.count(1)
            await send_callbacks(gateway, warm_up, ids)
            before = process.memory_info().rss
            await send_callbacks(gateway, count, ids)
            return Memory(before, process.memory_info().rss)


async def send_callbacks(gateway: GatewayProcess, count: int, ids: Iterator[int]) -> None:
    """Sends that many. Raises AssertionError; see above."""
    callbacks = itertools.islice(_rounds(ids), count)
    statuses: Counter[int] = Counter()

    async def send() -> None:
        async with connected(gateway) as (reader, writer):
            for callback in callbacks:
                writer.write(raw_post(callback))
                status, _ = await read_answer(reader)
                statuses[status] += 1

    await at_once(send() for _ in range(CONNECTIONS))
    assert {200: count, 500: 0} == {200: statuses[200] + statuses[500], 500: statuses[500] // (1 + count // 10)}


def _rounds(ids: Iterator[int]) -> Iterator[bytes]:
    """Bets, most of them won and some cancelled, with the questions between them."""
    for number in ids:
        bet, win = f"bet-{number}", f"win-{number}"
        yield body(make_callback("authenticate"))
        yield body(make_callback("balance"))
        yield body(make_callback("bet", trans_id=bet, amount=1))
        yield body(make_callback("status", trans_id=bet))
        yield body(make_callback("win", trans_id=win, amount=1))
        yield body(make_callback("cancel", trans_id=bet if number % 4 else win))

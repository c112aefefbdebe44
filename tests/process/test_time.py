"""How long an answer takes on the wire where the wallet is away, hangs, or has come back. PROTOCOL: Time limits."""

import asyncio
import itertools
import statistics
import time
from collections import Counter
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp
import pytest
from tests.process.house import House
from tests.support.callbacks import body, make_callback
from tests.support.processes import (
    UNKNOWN,
    Way,
    arguments,
    at_once,
    connected,
    environment,
    has_logged,
    post,
    raw_post,
    read_answer,
    running,
    running_wallet,
    write_settings,
)
from tests.support.waiting import until

from walletbridge.demo.gateway_process import running_gateway

LIMITS = {"bet": 2.0, "balance": 2.0, "authenticate": 4.0, "win": 4.0, "cancel": 4.0, "status": 4.0}
DEAD_SECONDS = 0.05
BACK_SECONDS = 0.5
HEADROOM_SECONDS = 0.05
"""On top of the two above, for machines that do other work at the same time."""
TRIES = 3
"""The best counts, for the same reason."""
PLAYER, HANGING = "player", "hanging"


@pytest.mark.parametrize("way", Way)
async def test_a_wallet_that_is_away_and_comes_back(way: Way, tmp_path: Path) -> None:
    ids = itertools.count(1)
    async with AsyncExitStack() as stack:
        async with running_wallet(tmp_path, PLAYER) as wallet:
            config = write_settings(tmp_path, wallet_port=wallet.port)
            gateway = await stack.enter_async_context(running(arguments(way, config), tmp_path))
            client = await stack.enter_async_context(aiohttp.ClientSession())

            async def send(command: str) -> tuple[tuple[int, bytes], float]:
                begun = time.monotonic()
                answer = await post(client, gateway.url, make_callback(command, account=PLAYER, trans_id=next(ids)))
                return answer, time.monotonic() - begun

            assert (await send("bet"))[0][0] == 200

        await until(lambda: has_logged(gateway, "wallet away"))
        for command in ("bet", "win", "cancel"):
            away = [await send(command) for _ in range(11)]
            assert {UNKNOWN} == {answer for answer, _ in away}
            assert statistics.median(seconds for _, seconds in away) < DEAD_SECONDS + HEADROOM_SECONDS

        wallet = await stack.enter_async_context(running_wallet(tmp_path, PLAYER, port=wallet.port))
        back_at = time.monotonic()
        while (await send("bet"))[0] == UNKNOWN:
            assert time.monotonic() - back_at < BACK_SECONDS + HEADROOM_SECONDS
        # Nothing that was refused meanwhile was kept and sent later.
        assert wallet.wallet.calls["PlaceBet"] == 1


async def test_callbacks_right_after_the_start_find_the_wallet(tmp_path: Path) -> None:
    """The gateway listens before it is connected."""
    async with running_wallet(tmp_path, PLAYER) as wallet:
        config = write_settings(tmp_path, wallet_port=wallet.port)
        async with running_gateway(config, environment(tmp_path)) as gateway, aiohttp.ClientSession() as client:
            bets = (make_callback("bet", account=PLAYER, trans_id=number, amount=1) for number in range(10))
            answers = await at_once(post(client, gateway.url, bet) for bet in bets)

    assert {status for status, _ in answers} == {200}


@pytest.mark.asyncio(loop_scope="package")
async def test_a_wallet_that_hangs(house: House) -> None:
    """Every command in both ways of running, all at the same time, and a bet whose body comes late."""
    house.players(**{HANGING: 1000})
    house.wallet.script.seconds[HANGING] = 60
    late: list[str] = []
    for number in range(TRIES):
        before = Counter(house.wallet.wallet.calls)
        late = await _late(house, f"try {number}")
        calls = house.wallet.wallet.calls - before
        assert (calls["PlaceBet"], calls["SettleWin"]) == (4, 2)
        if not late:
            break
    assert late == []


async def _late(house: House, name: str) -> list[str]:
    """Which answers came after the provider's limit."""
    cases = [(way, command, 0.0) for way in Way for command in LIMITS] + [(way, "bet", 1.0) for way in Way]

    async def seconds(way: Way, command: str, body_after: float) -> float:
        callback = make_callback(command, account=HANGING)
        if "trans_id" in callback["data"]:
            callback["data"]["trans_id"] = f"{name} {way} {command} {body_after}"
        request = raw_post(body(callback))
        async with connected(house.gateways[way]) as (reader, writer):
            begun = time.monotonic()
            writer.write(request[:-10])
            await asyncio.sleep(body_after)
            writer.write(request[-10:])
            assert await read_answer(reader) == UNKNOWN
            return time.monotonic() - begun

    took = await at_once(seconds(*case) for case in cases)
    return [f"{case}: {taken:.3f} s" for case, taken in zip(cases, took, strict=True) if taken >= LIMITS[case[1]]]

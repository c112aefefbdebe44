"""
Gentle traffic for the demo: the callbacks of a few players, with an occasional mistake.
"""

import asyncio
import itertools
import random
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import aiohttp

from walletbridge.protocol.callbacks import Command
from walletbridge.protocol.checks import DOCUMENTED, text_of

PAUSE_SECONDS = 0.7
PLAYERS = ("test1234", "anna01", "bruno77", "highroller", "inactive1")
GAMES = (("vswaysdogs", "The Dog House Megaways"), ("vs20olympgate", "Gates of Olympus"), ("vs10bbbonanza", "Big Bass"))


async def play(url: str, token: str) -> None:
    """Sends callbacks to `url`, one at a time, until cancelled."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as client:
        for body, is_ours in rounds(random.Random(), first_id=time.time_ns() // 1000):  # noqa: S311 - a demo's dice
            headers = {"Callback-Token": token if is_ours else "somebody-else"}
            # The demo goes on while the gateway starts or stops.
            with suppress(aiohttp.ClientError, TimeoutError):
                async with client.post(url, json=body, headers=headers) as response:
                    await response.read()
            await asyncio.sleep(PAUSE_SECONDS)


def rounds(dice: random.Random, *, first_id: int) -> Iterator[tuple[dict[str, Any], bool]]:
    """Yields endless callbacks, each with a flag: True sends the right token."""
    ids = itertools.count(first_id)
    while True:
        account = dice.choice(PLAYERS)
        code, name = dice.choice(GAMES)
        game = {
            "round_id": str(next(ids)),
            "provider_id": 1,
            "game_code": code,
            "game_name": name,
            "game_type": "Slots",
        }
        bet = {
            "account": account,
            "trans_id": next(ids),
            "call_id": 0,
            **game,
            "amount": dice.randint(1, 20),
            "type": 1,
        }
        win = {**bet, "trans_id": next(ids), "amount": dice.choice((0, 0, dice.randint(1, 40))), "type": 2}
        cancel = {"account": account, "trans_id": bet["trans_id"], **game}
        status = {"account": account, "trans_id": bet["trans_id"]}

        yield _callback("authenticate", {"account": account}), True
        yield _callback("balance", {"account": account}), True
        yield _callback("bet", bet), True
        match dice.randrange(6):
            case 0:
                yield _callback("cancel", cancel), True
            case 1:
                yield _callback("bet", bet), True
            case 2:
                yield _callback("win", win), True
                yield _callback("win", win), True
            case 3:
                yield _callback("bet", {**bet, "trans_id": next(ids), "amount": 10**9}), True
            case 4:
                yield _callback("bet", {**bet, "amount": -1}), True
                yield _callback("balance", {"account": account}), False
            case _:
                yield _callback("win", win), True
        yield _callback("status", status), True
        yield _callback("status", status), True


def _callback(command: str, data: dict[str, Any]) -> dict[str, Any]:
    check = text_of(DOCUMENTED[Command(command)])
    return {"command": command, "data": data, "timestamp": str(int(time.time())), "check": check}

"""The demo's traffic: what a provider sends, and the odd mistake."""

import asyncio
import json
import random
from collections import Counter
from itertools import islice
from typing import Any

import pytest
from aiohttp import web
from tests.support.callbacks import body

from walletbridge.demo import traffic
from walletbridge.demo.traffic import PLAYERS, play, rounds
from walletbridge.protocol.callbacks import BadCallback, Bet, Callback, Cancel, Status, Win, decode

MANY = 2000


def some(seed: int = 1) -> list[tuple[dict[str, Any], bool]]:
    return list(islice(rounds(random.Random(seed), first_id=5000), MANY))  # noqa: S311 - a demo's dice


def decoded(request: dict[str, Any]) -> Callback | None:
    try:
        return decode(body(request), currency_decimals=2)
    except BadCallback:
        return None


def test_the_same_dice_make_the_same_traffic() -> None:
    without_time = [[{**request, "timestamp": ""} for request, _ in some(seed)] for seed in (1, 1, 2)]

    assert without_time[0] == without_time[1] != without_time[2]


def test_there_is_something_of_everything() -> None:
    counts = Counter(request["command"] for request, _ in some())

    assert set(counts) == {"authenticate", "balance", "bet", "win", "cancel", "status"}
    assert {request["data"]["account"] for request, _ in some()} == set(PLAYERS)
    assert 0 < sum(not is_ours for _, is_ours in some()) < MANY / 20


def test_all_but_a_negative_amount_is_a_callback() -> None:
    wrong = [request for request, _ in some() if decoded(request) is None]

    assert wrong
    assert all(request["data"]["amount"] < 0 for request in wrong)


def test_a_transaction_is_one_movement_of_one_player() -> None:
    """Whatever comes again comes again as it was."""
    movements: dict[str, set[tuple[type, str, int]]] = {}
    for request, _ in some():
        callback = decoded(request)
        if isinstance(callback, Bet | Win):
            movements.setdefault(callback.trans_key, set()).add((type(callback), callback.account, callback.amount))

    assert movements
    assert all(len(kinds) == 1 for kinds in movements.values())


def test_a_cancel_or_status_speaks_of_a_bet_that_went_before() -> None:
    bets = set()
    for request, _ in some():
        callback = decoded(request)
        if isinstance(callback, Bet):
            bets.add((callback.account, callback.trans_key))
        if isinstance(callback, Cancel | Status):
            assert (callback.account, callback.trans_key) in bets


def test_a_round_pays_the_player_whom_it_cost() -> None:
    rounds_: dict[str, set[str]] = {}
    for request, _ in some():
        callback = decoded(request)
        if isinstance(callback, Bet | Win):
            rounds_.setdefault(callback.round_id, set()).add(callback.account)

    assert all(len(accounts) == 1 for accounts in rounds_.values())


class Gateway:
    """Takes callbacks; every third connection is dropped."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, dict[str, Any]]] = []
        self.enough = asyncio.Event()

    async def answer(self, request: web.Request) -> web.Response:
        self.requests.append((request.headers["Callback-Token"], json.loads(await request.read())))
        if len(self.requests) >= 30:
            self.enough.set()
        if len(self.requests) % 3 == 0 and request.transport:
            request.transport.abort()
        return web.json_response({"result": 0, "status": "OK"})


async def test_it_is_played_until_it_is_cancelled_whatever_the_gateway_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(traffic, "PAUSE_SECONDS", 0)
    gateway = Gateway()
    application = web.Application()
    application.router.add_post("/callback", gateway.answer)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0]

    playing = asyncio.ensure_future(play(f"http://{host}:{port}/callback", "right"))
    await asyncio.wait_for(gateway.enough.wait(), 10)
    assert not playing.done()
    playing.cancel()
    await asyncio.wait({playing})
    await runner.cleanup()

    assert playing.cancelled()
    assert {token for token, _ in gateway.requests} <= {"right", "somebody-else"}
    assert gateway.requests[0][1]["command"] == "authenticate"

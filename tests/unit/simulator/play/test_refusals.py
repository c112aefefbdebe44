"""What must be refused whatever the ledger says."""

from collections.abc import Awaitable, Callable

import pytest
from aiohttp import web
from tests.unit.simulator.play.test_conversation import playing, rules
from tests.unit.simulator.wrong_handlers import (
    AnyToken,
    DefiniteIs400,
    Handler,
    TakesNegativeAmounts,
    TokenByPrefix,
    WritesNull,
)

from walletbridge.simulator.play import refusals
from walletbridge.simulator.play.player import Player

type Play = Callable[[Player], Awaitable[None]]

ALL = [refusals.unknown_account, refusals.inactive_account, refusals.tokens, refusals.malformed_bodies]


class With500(Handler):
    """A body that is no callback is answered 500, with or without an error result."""

    body = ""

    async def serve(self, request: web.Request) -> web.Response:
        response = await super().serve(request)
        return web.Response(status=500, text=self.body) if response.status == 400 else response


@pytest.mark.parametrize("play", ALL, ids=lambda play: play.__name__)
async def test_a_correct_server_is_found_correct(play: Play) -> None:
    handler = Handler({"test1234": 500000, "gone": 100}, inactive={"gone"})
    async with playing(handler, inactive_account="gone") as player:
        await play(player)

    assert rules(player) == []
    assert handler.balances == {"test1234": 500000, "gone": 100}
    assert len(handler.requests) > 4


async def test_without_an_inactive_account_none_is_asked_for() -> None:
    handler = Handler()
    async with playing(handler) as player:
        await refusals.inactive_account(player)

    assert handler.count_of("bet") == 0


@pytest.mark.parametrize(
    ("play", "handler", "rule"),
    [
        (refusals.tokens, AnyToken, "token"),
        (refusals.tokens, TokenByPrefix, "token"),
        (refusals.tokens, DefiniteIs400, "token"),  # 100 is HTTP 200 as well
        (refusals.malformed_bodies, TakesNegativeAmounts, "malformed"),
        (refusals.unknown_account, WritesNull, "no_null"),
        (refusals.unknown_account, DefiniteIs400, "definite_is_200"),
    ],
)
async def test_a_wrong_server_is_caught(play: Play, handler: type[Handler], rule: str) -> None:
    async with playing(handler()) as player:
        await play(player)

    assert rules(player)[0] == rule


async def test_money_that_a_wrong_token_moved_is_shown() -> None:
    handler = AnyToken()
    async with playing(handler) as player:
        await refusals.tokens(player)

    answered, moved = player.recorder.violations[:2]
    assert (answered.rule, answered.exchanges[0].request.headers["Callback-Token"]) == (
        "token",
        "*** (wrong on purpose)",
    )
    assert moved.sentence.startswith("Expected result 0 with balance 5000, got result 0 with balance 4999: ")
    assert len(moved.exchanges) == 2


async def test_an_account_that_is_active_after_all() -> None:
    handler = Handler({"test1234": 500000, "gone": 100})
    async with playing(handler, inactive_account="gone") as player:
        await refusals.inactive_account(player)

    assert set(rules(player)) == {"player_active"}


@pytest.mark.parametrize(
    ("body", "right"),
    [('{"result":99,"status":"ERROR"}', True), ('{"result":0,"status":"OK"}', False), ("Internal Server Error", False)],
)
async def test_a_malformed_body_may_be_refused_in_whatever_way(body: str, right: bool) -> None:  # noqa: FBT001 - a table
    """An error result is one with any HTTP status; an error page says nothing."""
    handler = With500()
    handler.body = body
    async with playing(handler) as player:
        await refusals.malformed_bodies(player)

    assert set(rules(player)) == (set() if right else {"malformed"})


async def test_under_faults_a_refusal_may_be_missing() -> None:
    handler = With500()
    async with playing(handler, faults_expected=True) as player:
        await refusals.malformed_bodies(player)

    assert rules(player) == []

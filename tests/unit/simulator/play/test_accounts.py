"""The start and the end of a player's run."""

import asyncio
import re
from decimal import Decimal

import pytest
from aiohttp import web
from tests.unit.simulator.play.test_conversation import UNIT, playing, rules
from tests.unit.simulator.wrong_handlers import TOKEN, Handler, Html, Scripted, Serve, WritesText, serving

from walletbridge.simulator.plan import Plan
from walletbridge.simulator.play.accounts import CouldNotRun, ask_end, compare_end
from walletbridge.simulator.report.cases import Case
from walletbridge.simulator.simulation import run


async def problem(serve: Handler | Serve, *, path: str = "", token: str = TOKEN, account: str = "test1234") -> str:
    """Why a run against `serve` does not come about."""
    async with serving(serve) as url:
        with pytest.raises(CouldNotRun) as found:
            await run(Plan(url=url + path, token=token, accounts=(account,), wait_scale=1000))
    return str(found.value)


async def test_the_account_must_be_known() -> None:
    assert re.fullmatch(
        r"The wallet does not know the account: `balance` was answered result 21 "
        r"\(account nobody at http://127\.0\.0\.1:\d+/callback\)\.",
        await problem(Handler(), account="nobody"),
    )


async def test_the_account_must_be_active() -> None:
    assert "not active: `balance` was answered result 22" in await problem(Handler(inactive={"test1234"}))


async def test_the_token_must_be_right() -> None:
    said = await problem(Handler(), token=TOKEN[:-1])

    assert said.startswith("The callback token was refused: `balance` was answered result 100 (account test1234 at ")


async def test_the_path_must_be_right() -> None:
    assert "HTTP 404: is this the callback URL?" in await problem(Handler(), path="s")


async def test_a_balance_that_is_never_told_is_asked_for_three_times() -> None:
    handler = Scripted(balance=[500] * 9)

    assert "HTTP 500 every time" in await problem(handler)
    assert handler.asked == ["balance"] * 3


async def test_nobody_answers() -> None:
    async with serving(Handler()) as url:
        pass

    with pytest.raises(CouldNotRun, match="no connection: ") as found:
        await run(Plan(url=url.replace("/callback", f"/{TOKEN}"), token=TOKEN))
    assert TOKEN not in str(found.value)


@pytest.mark.parametrize("handler", [Html(), WritesText(balances={"test1234": 0})])
async def test_a_wrong_form_is_a_violation_at_the_start_as_well(handler: Handler) -> None:
    async with serving(handler) as url:
        report = await run(Plan(url=url, token=TOKEN, rounds=0))

    assert report.violations[0].case == Case.BALANCE.title
    assert report.conforming is False
    assert report.complete is isinstance(handler, WritesText)


async def test_a_start_that_is_always_late_is_a_violation() -> None:
    async def serve(_: web.Request) -> web.Response:
        await asyncio.sleep(0.5)
        return web.Response()

    async with serving(serve) as url:
        report = await run(Plan(url=url, token=TOKEN, time_scale=10, wait_scale=1000))

    assert {violation.rule for violation in report.violations} == {"time_limit"}
    assert report.not_tried != ()


async def test_at_the_end_every_transaction_is_asked_for() -> None:
    handler = Scripted()
    async with playing(handler) as player:
        await player.bet(10 * UNIT)
        handler.script("win", *[500] * 4)
        await player.win(10 * UNIT)
        handler.asked.clear()
        handler.script("status", 500)
        await ask_end(player)
        line = compare_end(player)

    # What is unsettled comes before the balance, so that the balance is never older than what is known of it.
    assert handler.asked == ["status", "status", "balance", "status"]
    assert [transaction.wallet_says for transaction in player.transactions] == ["OK", "UNKNOWN"]
    assert (line.expected, line.balance, line.agrees) == (Decimal(5000), Decimal(4990), True)
    assert rules(player) == []


async def test_a_cancel_that_nobody_answered_must_be_made_all_the_same() -> None:
    """The provider goes on as if it were; a wallet that keeps the stake keeps money that is not its own."""
    handler = Scripted()
    async with playing(handler) as player:
        handler.script("cancel", *[500] * 4)
        await player.cancel(await player.bet(10 * UNIT), Case.CANCEL_BET)
        await ask_end(player)
        line = compare_end(player)

    assert (line.difference, line.agrees) == (Decimal(-10), False)
    assert rules(player) == ["ledger"]


async def test_a_difference_is_a_violation() -> None:
    handler = Handler()
    async with playing(handler) as player:
        handler.balances["test1234"] -= 50
        await ask_end(player)
        line = compare_end(player)

    assert (line.difference, line.agrees) == (Decimal("-0.5"), False)
    assert rules(player) == ["ledger"]


async def test_a_transaction_that_is_gone_is_a_violation() -> None:
    handler = Handler()
    async with playing(handler) as player:
        bet = await player.bet(10 * UNIT)
        del handler.moved[bet.call.key]
        await ask_end(player)

    (violation,) = player.recorder.violations
    assert violation.case == Case.FINAL_STATUS.title
    assert violation.sentence.startswith('Expected result 0 with trans_status "OK", got result 42 with balance 4990: ')


async def test_a_balance_that_is_not_told_is_not_compared() -> None:
    handler = Scripted()
    async with playing(handler) as player:
        handler.script("balance", *[500] * 10)
        await ask_end(player)
        line = compare_end(player)

    assert (line.balance, line.agrees) == (None, None)

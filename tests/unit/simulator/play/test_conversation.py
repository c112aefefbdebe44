"""One account's calls: every answer is checked, and the rule that a wrong one breaks is the right one."""

import itertools
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from tests.unit.simulator.wrong_handlers import (
    TOKEN,
    BalanceBefore,
    FailedThoughMade,
    FailedThoughMadeLater,
    Handler,
    Html,
    Scripted,
    serving,
)

from walletbridge.protocol.callbacks import Command
from walletbridge.protocol.outcomes import Result
from walletbridge.simulator.plan import Plan
from walletbridge.simulator.play.accounts import read_start
from walletbridge.simulator.play.conversation import is_unanswered
from walletbridge.simulator.play.player import Player
from walletbridge.simulator.report.cases import Case
from walletbridge.simulator.report.recorder import Recorder
from walletbridge.simulator.wire.calls import Call
from walletbridge.simulator.wire.client import Client

UNIT = 10**8
BALANCE = Call(command=Command.BALANCE, account="test1234")


class Quick(Player):
    """A player that only writes down between which times it would wait."""

    def __init__(self, plan: Plan, client: Client) -> None:
        recorder = Recorder(plan, client.redact)
        super().__init__("test1234", plan, client, recorder, new_id=itertools.count(1).__next__)
        self.pauses: list[tuple[float, float]] = []

    async def pause(self, wait: tuple[float, float]) -> None:
        self.pauses.append(wait)


@asynccontextmanager
async def playing(
    handler: Handler, *, retries: int = 3, faults_expected: bool = False, inactive_account: str | None = None
) -> AsyncIterator[Quick]:
    """A player of `test1234` who has read the starting balance."""
    async with serving(handler) as url:
        plan = Plan(
            url=url,
            token=TOKEN,
            deposit_retries=retries,
            faults_expected=faults_expected,
            inactive_account=inactive_account,
        )
        async with Client(plan, time.monotonic) as client:
            player = Quick(plan, client)
            assert await read_start(player)
            yield player


def rules(player: Player) -> list[str]:
    return [violation.rule for violation in player.recorder.violations]


async def test_what_fits_is_taken_in() -> None:
    async with playing(Handler()) as player:
        call = player.open(player.new_call(Command.BET, amount=10 * UNIT)).call
        asked = await player.ask(Case.BET, call)
        await player.balance()

    assert str(asked.reading) == "result 0 with balance 4990"
    assert rules(player) == []


@pytest.mark.parametrize(
    ("handler", "rule", "exchanges"),
    [
        (BalanceBefore(), "movement", 2),  # the money is right, the number is not
        (FailedThoughMadeLater(), "not_made", 2),  # the balance that is asked after it tells
        (FailedThoughMade(), "not_made", 2),  # the answer itself tells
    ],
)
async def test_a_wrong_balance_is_blamed_on_its_call(handler: Handler, rule: str, exchanges: int) -> None:
    async with playing(handler) as player:
        for _ in range(3):
            await player.ask(Case.BET, player.open(player.new_call(Command.BET, amount=10 * UNIT)).call)
        await player.balance()

    assert set(rules(player)) == {rule}
    shown = player.recorder.violations[0].exchanges
    assert len(shown) == exchanges
    assert '"command":"bet"' in shown[0].request.body
    assert '"command":"balance"' in shown[-1].request.body


async def test_money_that_moves_by_itself_is_noticed_once() -> None:
    handler = Handler()
    async with playing(handler) as player:
        handler.balances["test1234"] += 100
        await player.balance()
        await player.balance()

    (violation,) = player.recorder.violations
    assert violation.sentence.startswith("Expected result 0 with balance 5000, got result 0 with balance 5001: ")


async def test_an_answer_of_another_form_is_unknown() -> None:
    handler = Handler()
    async with playing(handler) as player:
        handler.respond = Html().respond  # type: ignore[method-assign]
        asked = await player.ask(Case.WIN, player.open(player.new_call(Command.WIN, amount=UNIT)).call)

    assert not asked.reading.known
    assert not is_unanswered(asked)
    assert rules(player) == ["json_answer"]
    assert len(player.ledger.unsettled) == 1


async def test_calls_at_once_are_explained_together() -> None:
    handler = Handler()
    async with playing(handler) as player:
        calls = [player.open(player.new_call(Command.WIN, amount=UNIT * amount)).call for amount in (1, 2, 3)]
        asked = await player.at_once(Case.MIXED_AT_ONCE, calls)

    assert [one.reading.result for one in asked] == [0, 0, 0]
    assert player.ledger.balances == (5006 * UNIT, 5006 * UNIT)
    assert rules(player) == []


async def test_another_account_does_not_touch_the_ledger() -> None:
    async with playing(Handler()) as player:
        call = Call(command=Command.BALANCE, account="nobody")
        await player.ask_beside(Case.UNKNOWN_ACCOUNT, call, Result.PLAYER_NOT_FOUND)
        await player.ask_beside(Case.INACTIVE_ACCOUNT, call, Result.PLAYER_INACTIVE)
        await player.balance()

    (violation,) = player.recorder.violations
    assert violation.sentence.startswith("Expected result 22, got result 21: ")


async def test_balance_is_asked_again_twice() -> None:
    handler = Scripted()
    async with playing(handler) as player:
        handler.script("balance", 500, 500, 500)
        await player.balance()
        handler.script("balance", 500)
        await player.balance()

    assert handler.asked.count("balance") == 1 + 3 + 2
    assert rules(player) == []


@pytest.mark.parametrize("faults_expected", [False, True])
async def test_another_5xx_is_wrong_unless_faults_are_expected(faults_expected: bool) -> None:  # noqa: FBT001 - a table
    handler = Scripted()
    async with playing(handler, faults_expected=faults_expected) as player:
        handler.script("balance", 503)
        await player.balance()

    assert rules(player) == ([] if faults_expected else ["unknown_is_500"])

"""Each play of calls at once: right on a correct server, and wrong where a server races."""

from collections.abc import Awaitable, Callable

import pytest
from tests.unit.simulator.play.test_conversation import playing, rules
from tests.unit.simulator.wrong_handlers import Handler, PaysTwice, Racing, RefundsTwice, Scripted

from walletbridge.simulator.play import bursts
from walletbridge.simulator.play.player import Player

type Play = Callable[[Player], Awaitable[None]]

ALL = [
    bursts.same_bet,
    bursts.same_win,
    bursts.same_cancel,
    bursts.bet_and_cancel,
    bursts.bets_at_once,
    bursts.mixed_at_once,
]


@pytest.mark.parametrize("hundredths", [0, 50, 500000])
@pytest.mark.parametrize("play", ALL, ids=lambda play: play.__name__)
async def test_a_correct_server_is_found_correct(play: Play, hundredths: int) -> None:
    handler = Handler({"test1234": hundredths})
    async with playing(handler) as player:
        await play(player)

    assert rules(player) == []
    made = [transaction.delta for transaction in player.transactions if transaction.is_applied]
    assert handler.balances["test1234"] - hundredths == sum(made) // 10**6


@pytest.mark.parametrize("play", ALL, ids=lambda play: play.__name__)
@pytest.mark.parametrize("failing", ["bet", "win", "cancel"])
async def test_unknown_outcomes_in_between_are_settled(play: Play, failing: str) -> None:
    """Calls of a burst fail, the provider does what it does, and nothing is open in the end."""
    handler = Scripted()
    async with playing(handler) as player:
        await player.fund()
        handler.script(failing, *[500] * 3)
        await play(player)

    assert rules(player) == []
    assert player.ledger.unsettled == frozenset()
    assert all(transaction.settled for transaction in player.transactions)


@pytest.mark.parametrize(
    ("play", "handler", "rule"),
    [
        (bursts.same_bet, Racing, "bet_twice"),
        (bursts.same_win, PaysTwice, "win_twice"),
        (bursts.same_cancel, RefundsTwice, "cancel_twice"),
    ],
)
async def test_a_wrong_server_is_caught(play: Play, handler: type[Handler], rule: str) -> None:
    async with playing(handler()) as player:
        await play(player)

    assert rules(player)[0] == rule
    assert len(player.recorder.violations[0].exchanges) == 5

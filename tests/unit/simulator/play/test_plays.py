"""Each play of one call after the other: right on a correct server, and wrong where a server breaks its rule."""

from collections.abc import Awaitable, Callable

import pytest
from tests.unit.simulator.play.test_conversation import playing, rules
from tests.unit.simulator.wrong_handlers import (
    CoversFirst,
    DebitsTwice,
    EchoesText,
    ForgetsCancels,
    Handler,
    PaysCanceledWin,
    PaysTwice,
    RefundsTwice,
    TwoLs,
    WithoutTransactions,
)

from walletbridge.simulator.play import plays
from walletbridge.simulator.play.player import Player

type Play = Callable[[Player], Awaitable[None]]

ALL = [
    plays.session,
    plays.loss,
    plays.bonus,
    plays.bet_twice,
    plays.bet_all,
    plays.bet_uncovered,
    plays.win_twice,
    plays.cancel_bet,
    plays.cancel_win,
    plays.overtaken,
    plays.string_ids,
    plays.varied_bodies,
    plays.hung_up_bet,
    plays.hung_up_win,
]


@pytest.mark.parametrize("hundredths", [0, 50, 500000])
@pytest.mark.parametrize("play", ALL, ids=lambda play: play.__name__)
async def test_a_correct_server_is_found_correct(play: Play, hundredths: int) -> None:
    """Whatever it starts with; and the money is where the provider's book says."""
    handler = Handler({"test1234": hundredths})
    async with playing(handler) as player:
        await play(player)
        await player.balance()

    assert rules(player) == []
    made = [transaction.delta for transaction in player.transactions if transaction.is_applied]
    assert handler.balances["test1234"] - hundredths == sum(made) // 10**6


@pytest.mark.parametrize(
    ("play", "handler", "rule"),
    [
        (plays.bet_twice, DebitsTwice, "bet_twice"),
        (plays.bet_all, CoversFirst, "bet_twice_uncovered"),
        (plays.win_twice, PaysTwice, "win_twice"),
        (plays.cancel_bet, RefundsTwice, "cancel_twice"),
        (plays.cancel_bet, TwoLs, "one_l"),
        (plays.cancel_win, PaysCanceledWin, "cancel_win"),
        (plays.overtaken, ForgetsCancels, "late_bet"),
        (plays.overtaken, WithoutTransactions, "transaction_known"),
        (plays.session, EchoesText, "echo"),
    ],
)
async def test_a_wrong_server_is_caught(play: Play, handler: type[Handler], rule: str) -> None:
    async with playing(handler()) as player:
        await play(player)

    assert rules(player)[0] == rule


async def test_a_refused_bet_ends_its_play() -> None:
    """There is nothing to repeat or cancel."""
    handler = Handler()
    handler.bet = lambda callback: handler.error(99, callback)  # type: ignore[method-assign]
    async with playing(handler) as player:
        await plays.bet_twice(player)
        await plays.session(player)

    assert handler.count_of("bet") == 2
    assert handler.count_of("win") == 0

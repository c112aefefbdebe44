"""
The scenarios of a run: every play with its name and its share of the random rounds.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from walletbridge.simulator.play import bursts, plays, refusals
from walletbridge.simulator.play.player import Player


@dataclass(frozen=True, slots=True)
class Scenario:
    """A play with its name and its weight in the random rounds."""

    name: str
    play: Callable[[Player], Awaitable[None]]
    weight: int = 0
    """0: played once, with the documented cases."""
    needs_inactive_account: bool = False


SCENARIOS = (
    Scenario("session", plays.session, 10),
    Scenario("loss", plays.loss, 10),
    Scenario("bonus", plays.bonus, 3),
    Scenario("bet sent twice", plays.bet_twice, 3),
    Scenario("the whole balance", plays.bet_all, 1),
    Scenario("bet over the balance", plays.bet_uncovered, 1),
    Scenario("win sent twice", plays.win_twice, 3),
    Scenario("cancelled bet", plays.cancel_bet, 2),
    Scenario("cancelled win", plays.cancel_win, 2),
    Scenario("overtaken bet", plays.overtaken, 1),
    Scenario("string trans_id", plays.string_ids, 1),
    Scenario("wrong tokens", refusals.tokens),
    Scenario("malformed bodies", refusals.malformed_bodies),
    Scenario("varied bodies", plays.varied_bodies),
    Scenario("unknown account", refusals.unknown_account),
    Scenario("inactive account", refusals.inactive_account, needs_inactive_account=True),
    Scenario("the same bet at once", bursts.same_bet, 1),
    Scenario("the same win at once", bursts.same_win, 1),
    Scenario("the same cancel at once", bursts.same_cancel, 1),
    Scenario("bet and cancel at once", bursts.bet_and_cancel, 1),
    Scenario("bets at once", bursts.bets_at_once, 1),
    Scenario("bets and wins at once", bursts.mixed_at_once, 2),
    Scenario("hung up on a bet", plays.hung_up_bet, 1),
    Scenario("hung up on a win", plays.hung_up_win, 1),
)

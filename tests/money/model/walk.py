"""Walks at random through what can happen to the gateway: no search for the shortest one, but very many."""

import random
from collections.abc import Callable
from typing import cast

from tests.money.model.machine import FATES_TO_CHOOSE, KINDNESSES, Machine, Outage
from tests.money.model.provider import Entry
from tests.money.model.wallet import Fate
from tests.money.model.world import WORKERS

from walletbridge.rules.by_hand import Decision

MOMENTS = [0.003, 0.011, 0.014, 0.3, 1.8]
"""In which a call is between two of its steps."""
WHILES = [2.5, 6.0, 12.0, 25.0]

type _Happening = Callable[[], object]


class Walk:
    """One walk, from its seed."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._chance = random.Random(seed)  # noqa: S311 - chosen for variety
        self._machine = Machine()
        self._bets: list[Entry] = []
        self._wins: list[Entry] = []
        self._log: list[str] = []
        chance = self._chance
        kinds: list[tuple[int, _Happening]] = [
            (4, self._bet),
            (3, self._win),
            (9, lambda: self._machine.pass_a_moment(self._one("a moment", MOMENTS))),
            (3, lambda: self._machine.pass_time(self._one("a while", WHILES))),
            (3, self._crash),
            (4, self._outage),
            (1, lambda: self._machine.slow_down(self._one("a slow disk", [0.001, 0.1, 0.5]))),
            (2, lambda: self._machine.cancel(self._entry("regret"))),
            (2, lambda: self._machine.repeat(self._entry("repeat", self._bets))),
            (1, lambda: self._machine.conflict(self._entry("conflict"))),
            (2, lambda: self._machine.ask(self._entry("status"))),
            (1, lambda: self._machine.lag(self._one("a replica lags", [0.0, 0.5, 3.0]))),
            (1, lambda: self._machine.decide(self._entry("a person"), self._one("decides", list(Decision)))),
            (1, self._back_up),
            (1, self._restore),
        ]
        self._weights, self._kinds = zip(*kinds, strict=True)
        sends = chance.choice([1, 2, 4])
        self._machine.begin(kindness=chance.choice(KINDNESSES), leaving_is_seen=chance.random() < 0.5, sends=sends)

    def wrong(self, steps: int) -> str:
        """What is wrong after so many steps or before, with the way to it; empty if nothing is."""
        try:
            self._go(steps)
        except AssertionError as error:
            return "\n  ".join([f"seed {self._seed}: {error}", *self._log])
        return ""

    def _go(self, steps: int) -> None:
        try:
            self._bet()
            for happens in self._chance.choices(self._kinds, self._weights, k=steps):
                happens()
                self._machine.nothing_is_wrong_yet()
        finally:
            self._machine.teardown()

    def _one[T](self, what: str, choices: list[T]) -> T:
        chosen = self._chance.choice(choices)
        self._log.append(f"{what}: {chosen}")
        return chosen

    def _fates(self) -> list[Fate]:
        fates = self._chance.choices(FATES_TO_CHOOSE, k=self._chance.randint(0, 4))
        self._log.append(f"{len(self._bets) + len(self._wins) + 1}: {fates}")
        return fates

    def _bet(self) -> None:
        self._bets.append(cast("Entry", self._machine.bet(self._chance.randint(0, 3), self._fates())))

    def _win(self) -> None:
        bet = self._chance.choice(self._bets[-2:])
        self._wins.append(cast("Entry", self._machine.win_of_a_bet(self._chance.randint(0, 3), self._fates(), bet)))

    def _entry(self, what: str, entries: list[Entry] | None = None) -> Entry:
        entry = self._chance.choice((entries or self._bets + self._wins)[-3:])
        self._log.append(f"{what} of {entry.callback.trans_key}")
        return entry

    def _back_up(self) -> None:
        self._log.append("a backup")
        self._machine.back_up()

    def _restore(self) -> None:
        self._log.append("the backup is restored")
        self._machine.restore()

    def _crash(self) -> None:
        self._machine.crash(self._one("crash", list(range(WORKERS))), again=self._chance.random() < 0.5)

    def _outage(self) -> None:
        outage = self._one("an outage", list(Outage))
        self._machine.be_without(outage, self._one("for", [0.011, 1.0, 2.5, 9.0, 30.0]))

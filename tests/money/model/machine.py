"""What can happen to the gateway's own code, in two workers, with several transactions and all that goes wrong."""

from enum import Enum

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule
from tests.money.model.books import Books, Kindness, Stand
from tests.money.model.provider import ACCOUNT, Belief, Entry, Provider
from tests.money.model.wallet import Fate, Way
from tests.money.model.world import WORKERS, World

from walletbridge.protocol.outcomes import Result
from walletbridge.rules.by_hand import Decision, decide
from walletbridge.rules.words import Word

AT_REST_SECONDS = 250.0
"""Longer than everything that is waited for."""

KINDNESSES = [Kindness(), Kindness(remembers_cancels=False), Kindness(reports_repeats=False)]
PROMPT = Fate()
FATES_TO_CHOOSE = [
    *2 * [PROMPT],
    *[Fate(Way.GIVEN, seconds) for seconds in (1.0, 3.0, 12.0, 40.0)],
    *[Fate(Way.LOST), Fate(Way.LOST, 1.0), Fate(Way.REFUSED), Fate(Way.REFUSED, 1.0), Fate(Way.DROPPED)],
]
FATES = st.sampled_from(FATES_TO_CHOOSE)
SCRIPTS = st.lists(FATES, min_size=1, max_size=5)


class Outage(Enum):
    """What is away for a while."""

    WALLET = "the wallet"
    DISK = "the disk"
    GATEWAY = "all workers"
    WARMTH = "the wallet's readiness: it refuses everything"


class Machine(RuleBasedStateMachine):
    """Plays, breaks things, and lets time pass; at the end everything is mended, and the books must agree."""

    bets = Bundle("bets")
    wins = Bundle("wins")

    @initialize(kindness=st.sampled_from(KINDNESSES), leaving_is_seen=st.booleans(), sends=st.sampled_from([1, 2, 4]))
    def begin(self, *, kindness: Kindness, leaving_is_seen: bool, sends: int) -> None:
        self.world = World(kindness, leaving_is_seen=leaving_is_seen)
        self.provider = Provider(self.world, sends=sends)
        self._start_all()

    @rule(target=bets, amount=st.integers(0, 3), fates=SCRIPTS)
    def bet(self, amount: int, fates: list[Fate]) -> Entry:
        return self._script(self.provider.bet(amount), fates)

    @rule(target=wins, amount=st.integers(0, 3), fates=SCRIPTS)
    def win(self, amount: int, fates: list[Fate]) -> Entry:
        return self._script(self.provider.win(amount, None), fates)

    @rule(target=wins, amount=st.integers(0, 3), fates=SCRIPTS, bet=bets)
    def win_of_a_bet(self, amount: int, fates: list[Fate], bet: Entry) -> Entry:
        is_believed = bet.belief is Belief.MADE and not bet.is_busy
        return self._script(self.provider.win(amount, bet if is_believed else None), fates)

    @rule(seconds=st.sampled_from([0.003, 0.011, 0.014, 0.3, 1.8]))
    def pass_a_moment(self, seconds: float) -> None:
        self.world.pass_time(seconds)

    @rule(seconds=st.sampled_from([2.5, 6.0, 12.0, 25.0]))
    def pass_time(self, seconds: float) -> None:
        self.world.pass_time(seconds)

    @rule(place=st.integers(0, WORKERS - 1), again=st.booleans())
    def crash(self, place: int, *, again: bool) -> None:
        self.world.crash(place)
        if again:
            self.world.start(place)

    @rule(outage=st.sampled_from(Outage), seconds=st.sampled_from([0.011, 1.0, 2.5, 9.0, 30.0]))
    def be_without(self, outage: Outage, seconds: float) -> None:
        if outage is Outage.GATEWAY:
            for place in range(WORKERS):
                self.world.crash(place)
        self.world.wallet.is_away = outage is Outage.WALLET
        self.world.wallet.is_warming = outage is Outage.WARMTH
        self.world.disk.is_failing = outage is Outage.DISK
        self.world.pass_time(seconds)
        self._mend()

    @rule(seconds=st.sampled_from([0.001, 0.1, 0.5]))
    def slow_down(self, seconds: float) -> None:
        self.world.disk.seconds = seconds

    @rule(entry=bets | wins, fates=SCRIPTS)
    def script(self, entry: Entry, fates: list[Fate]) -> None:
        self._script(entry, fates)

    @rule(entry=bets | wins)
    def cancel(self, entry: Entry) -> None:
        if not entry.is_busy and entry.belief in {Belief.MADE, Belief.UNSURE}:
            self.provider.cancel(entry)

    @rule(entry=bets)
    def repeat(self, entry: Entry) -> None:
        self.provider.repeat(entry)

    @rule(entry=bets | wins)
    def conflict(self, entry: Entry) -> None:
        row = self.world.disk.rows.get((ACCOUNT, entry.callback.trans_key))
        if row is not None and row.kind is not None:
            self.provider.conflict(entry)

    @rule(entry=bets | wins)
    def ask(self, entry: Entry) -> None:
        if not entry.is_busy:
            self.provider.ask(entry)

    @rule(seconds=st.sampled_from([0.0, 0.5, 3.0]))
    def lag(self, seconds: float) -> None:
        self.world.wallet.lag_seconds = seconds

    @rule(entry=bets | wins, decision=st.sampled_from(Decision))
    def decide(self, entry: Entry, decision: Decision) -> None:
        """A person decides, by what the wallet's books say, and may take the wrong row."""
        key = (ACCOUNT, entry.callback.trans_key)
        row = self.world.disk.rows.get(key)
        if row is None or row.call is not None or entry.is_busy:
            return
        word = Word(decision=decision.value, name="anna", at=0, reason="")
        try:
            self.world.disk.rows[key] = decide(row, word)
        except ValueError:
            return
        assert row.is_listed
        entry.is_decided |= decision is not Decision.RETRY

    @rule()
    def back_up(self) -> None:
        self.world.disk.back_up()

    @rule()
    def restore(self) -> None:
        """The journal's file is replaced by its last backup, and the gateway is started on it."""
        for place in range(WORKERS):
            self.world.crash(place)
        self.provider.restored(self.world.disk.restore())
        self._start_all()

    @invariant()
    def nothing_is_wrong_yet(self) -> None:
        if not hasattr(self, "world"):
            return
        wallet = self.world.wallet
        wrong = self.provider.wrong + wallet.wrong
        wrong += [f"the money of {key} has moved twice" for key, books in wallet.books.items() if books.moved > 1]
        if wallet.kindness.remembers_cancels:
            wrong += [
                f"{key} stands though its cancel was answered {entry.cancel_answer:d}"
                for entry in self.provider.entries
                if entry.cancel_answer in {Result.OK, Result.TRANSACTION_NOT_FOUND}
                and wallet.books.get(key := entry.callback.trans_key, Books()).stand is Stand.MADE
            ]
        assert wrong == [], wrong

    def teardown(self) -> None:
        if not hasattr(self, "world"):
            return
        try:
            self._mend()
            self.world.disk.seconds = 0.001
            self.world.wallet.fates.clear()
            self.world.run(self.provider.rest())
            self.world.pass_time(AT_REST_SECONDS)
            self.nothing_is_wrong_yet()
            wrong = [wrong for entry in self.provider.entries if (wrong := self.provider.verdict(entry))]
            assert wrong == [], wrong
        finally:
            self.world.close()

    def _script(self, entry: Entry, fates: list[Fate]) -> Entry:
        self.world.wallet.fates[entry.callback.trans_key] = list(fates)
        return entry

    def _mend(self) -> None:
        self.world.disk.is_failing = False
        self.world.wallet.is_warming = False
        self._start_all()
        self.world.connect()

    def _start_all(self) -> None:
        for place in range(WORKERS):
            self.world.start(place)

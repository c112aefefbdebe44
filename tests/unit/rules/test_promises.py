"""Whatever a wallet promises, the books agree in the end or a person is told, and nothing ever moves twice."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import fields
from tests.support.lesser_house import Belief, Entry, LesserHouse
from tests.support.lesser_wallet import START_BALANCE, Fate

from walletbridge.protocol.outcomes import Result
from walletbridge.rules.promises import Promises, Repeats
from walletbridge.transactions import journalled

ALL = frozenset({21, 22, 31, 41, 42})
CHECKS = [ALL, frozenset(), ALL - {31}, ALL - {42}, frozenset({31})]
KINDS = [
    Promises(late_bets_refused=late, repeats=repeats, has_cancel=has_cancel, has_status=has_status)
    for late, repeats, has_cancel, has_status in product([True, False], Repeats, [True, False], [True, False])
]

AMOUNTS = st.sampled_from([0, 5, 30, 80])
FATES = st.lists(st.sampled_from(Fate), max_size=5)
HEARD = st.sampled_from([True, True, True, False, None])
ACTIONS = st.one_of(
    st.tuples(st.just("bet"), AMOUNTS, FATES, HEARD),
    st.tuples(st.just("win"), AMOUNTS, FATES, HEARD),
    st.tuples(st.just("cancel"), st.integers(0, 9), FATES),
    st.tuples(st.just("repeat"), st.integers(0, 9), FATES),
    st.tuples(st.just("status"), st.integers(0, 9)),
    st.tuples(st.just("stray cancel"), FATES),
    st.tuples(st.just("late bet"), AMOUNTS, FATES),
    st.tuples(st.just("time"), st.sampled_from([1.0, 7.0, 25.0]), FATES),
    st.tuples(st.just("mute"), st.booleans()),
    st.tuples(st.just("player"), st.sampled_from([0, 0, 21, 22])),
)


def named(promises: Promises) -> str:
    return "-".join(str(getattr(promises, field.name)) for field in fields(promises) if field.name != "checks")


@pytest.fixture(autouse=True)
def _time_is_the_clocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fake clock passes with the wallet's calls; a busy disk and real pauses are no subject here."""
    monkeypatch.setattr(journalled, "END_SECONDS", 60)
    monkeypatch.setattr(asyncio, "sleep", _no_pause)


_sleep = asyncio.sleep


async def _no_pause(_: float) -> None:
    await _sleep(0)


async def act(house: LesserHouse, action: tuple[Any, ...]) -> None:
    """One thing that happens."""
    match action:
        case (("bet" | "win") as command, int(amount), list(fates), is_heard):
            house.wallet.fates = list(fates)
            await house.play(command, amount, is_heard=is_heard)
        case ("late bet", int(amount), list(fates)):
            house.wallet.fates = list(fates)
            await house.play_late(amount)
        case ("stray cancel", list(fates)):
            house.wallet.fates = list(fates)
            outcome = await house.send("cancel", trans_id=1000 + len(house.wallet.calls))
            assert outcome is None or outcome.result in {21, 22, Result.TRANSACTION_NOT_FOUND}, outcome
        case ("time", float(seconds), list(fates)):
            house.wallet.fates = list(fates)
            house.pass_time(seconds)
            await house.settle()
        case ("mute", bool(is_mute)):
            house.wallet.is_mute = is_mute
        case ("player", int(result)):
            house.wallet.refuses_player = result
        case (str(name), int(index), *fates) if house.entries:
            house.wallet.fates = list(*fates)
            await act_on(house, name, house.entries[index % len(house.entries)])


async def act_on(house: LesserHouse, name: str, entry: Entry) -> None:
    """Something that the provider does with what it has played."""
    match name:
        case "cancel" if entry.belief in {Belief.MADE, Belief.UNSURE}:
            await house.cancel(entry)
        case "repeat" if entry.belief is Belief.MADE:
            outcome = await house.repeat(entry)
            assert outcome is None or outcome.result in {21, 22, Result.ALREADY_PROCESSED}, outcome
        case "status":
            outcome = await house.send("status", trans_id=entry.trans_id)
            if outcome is not None and outcome.result is Result.OK:
                expected = "OK" if entry.belief is Belief.MADE else "CANCELED"
                assert outcome.state == expected or entry.belief in {Belief.UNSURE, Belief.LEFT}, (entry, outcome)


_FAST = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - what a crash of the machine does is no subject


@asynccontextmanager
async def house_of(promises: Promises) -> AsyncIterator[LesserHouse]:
    """A house that comes to rest, and whose books must be right then."""
    with tempfile.TemporaryDirectory(dir=_FAST) as folder:
        house = LesserHouse(Path(folder) / "journal.db", promises)
        try:
            yield house
            await house.rest()
            assert await house.wrong() == []
        finally:
            await house.close()


async def run(promises: Promises, actions: list[tuple[Any, ...]]) -> None:
    async with house_of(promises) as house:
        for action in actions:
            await act(house, action)


NEXT = [Fate.GIVEN, Fate.LOST, Fate.DROPPED, Fate.CRASH_AFTER]


@pytest.mark.parametrize("kind", KINDS, ids=named)
async def test_whatever_becomes_of_a_call_and_of_the_next(kind: Promises) -> None:
    """A bet or win and whatever follows upon it: its repeat, its cancel, or a change of mind."""
    async with house_of(kind) as house:
        for command, first, second in product(["bet", "win"], Fate, NEXT):
            house.wallet.fates = [first, second]
            entry = await house.play(command, 1)
            if first in {Fate.GIVEN, Fate.NO_BALANCE}:
                house.wallet.fates = [second]
                await act_on(house, "cancel", entry)
            await act_on(house, "status", entry)


@pytest.mark.parametrize("kind", KINDS, ids=named)
async def test_where_nothing_goes_wrong_no_person_is_asked(kind: Promises) -> None:
    async with house_of(kind) as house:
        for command, amount in product(["bet", "win"], [0, 7]):
            entry = await house.play(command, amount)
            await act_on(house, "repeat", entry)
            await act_on(house, "status", entry)
            for _ in range(2):
                await house.cancel(entry)
                assert entry.belief is Belief.NOT_MADE
            await act_on(house, "status", entry)
        poor = await house.play("bet", 1000)
        await house.play_late(7)
        await act(house, ("stray cancel", []))
        assert (poor.belief, house.wallet.balance) == (Belief.NOT_MADE, START_BALANCE)
        await house.rest()
        rows = [row for entry in house.entries if (row := await house.row(entry.trans_id))]
        assert [row for row in rows if row.is_listed] == []
        assert house.events == []


@pytest.mark.parametrize("kind", KINDS, ids=named)
def test_nothing_moves_twice_and_the_books_agree_or_a_person_is_told(kind: Promises) -> None:
    @settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
    @given(
        checks=st.sampled_from(CHECKS),
        balance_first=st.booleans(),
        cancels_repeat=st.booleans(),
        actions=st.lists(ACTIONS, min_size=1, max_size=10),
    )
    def holds(
        checks: frozenset[int], actions: list[tuple[Any, ...]], *, balance_first: bool, cancels_repeat: bool
    ) -> None:
        promises = Promises(
            late_bets_refused=kind.late_bets_refused,
            repeats=kind.repeats,
            has_cancel=kind.has_cancel,
            has_status=kind.has_status,
            checks=checks,
            checks_balance_first=balance_first,
            cancels_repeat_safely=cancels_repeat,
        )
        asyncio.run(run(promises, actions))

    holds()

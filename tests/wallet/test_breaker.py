"""When a wallet counts as down, and when it no longer does."""

import pytest
from tests.helpers.clock import FakeClock

from walletbridge.wallet.breaker import Breaker, Limits


class Bench:
    """A breaker that opens after three failures or two seconds without a connection."""

    def __init__(self, *, failures: int = 3) -> None:
        self.clock = FakeClock()
        self.changes: list[bool] = []
        limits = Limits(failures=failures, patience=0.5, away_seconds=2)
        self.breaker = Breaker(limits, clock=self.clock, on_change=self.changes.append)

    def fail(self, times: int = 1) -> None:
        for _ in range(times):
            self.breaker.timed_out(1.75)


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_it_is_closed_until_enough_calls_in_a_row_had_no_answer(bench: Bench) -> None:
    bench.fail(2)
    assert not bench.breaker.is_open

    bench.fail()
    assert bench.breaker.is_open
    assert bench.breaker.is_silent


def test_an_answer_in_between_begins_the_row_anew(bench: Bench) -> None:
    bench.fail(2)
    bench.breaker.answered()
    bench.fail(2)

    assert not bench.breaker.is_open


def test_one_answer_closes_it_however_many_failed(bench: Bench) -> None:
    bench.fail(100)
    bench.breaker.answered()

    assert not bench.breaker.is_open
    bench.fail(2)
    assert not bench.breaker.is_open


def test_time_alone_does_not_close_it(bench: Bench) -> None:
    bench.fail(3)
    bench.clock.tick(86400)

    assert bench.breaker.is_open


@pytest.mark.parametrize(("waited", "counts"), [(0, False), (0.49, False), (0.5, True), (60, True)])
def test_a_call_counts_only_if_it_could_have_had_an_answer(bench: Bench, waited: float, *, counts: bool) -> None:
    """One that waited for its turn until the last moment says nothing of the wallet."""
    for _ in range(3):
        bench.breaker.timed_out(waited)

    assert bench.breaker.is_open is counts


def test_a_call_that_broke_counts_however_soon(bench: Bench) -> None:
    for _ in range(3):
        bench.breaker.broke()

    assert bench.breaker.is_open


def test_a_timeout_too_short_to_count_does_not_begin_the_row_anew(bench: Bench) -> None:
    bench.fail(2)
    bench.breaker.timed_out(0.1)
    bench.fail()

    assert bench.breaker.is_open


def test_who_listens_hears_once_of_each_change(bench: Bench) -> None:
    bench.breaker.answered()
    bench.fail(5)
    bench.breaker.answered()
    bench.breaker.answered()
    bench.fail(3)

    assert bench.changes == [True, False, True]


def test_it_is_open_while_the_connection_is_gone_for_long(bench: Bench) -> None:
    bench.breaker.connected(ready=False)
    bench.clock.tick(1.99)
    assert not bench.breaker.is_open

    bench.breaker.connected(ready=False)
    bench.clock.tick(0.01)
    assert bench.breaker.is_open
    assert not bench.breaker.is_silent  # a connection will be seen without a question

    bench.breaker.connected(ready=True)
    assert not bench.breaker.is_open
    assert bench.changes == []


def test_a_new_connection_alone_proves_no_answers(bench: Bench) -> None:
    bench.fail(3)
    bench.breaker.connected(ready=False)
    bench.clock.tick(10)
    bench.breaker.connected(ready=True)
    assert bench.breaker.is_open

    bench.breaker.answered()
    assert not bench.breaker.is_open


def test_before_the_first_connection_it_is_closed(bench: Bench) -> None:
    bench.clock.tick(100)

    assert not bench.breaker.is_open


def test_switched_off_it_is_never_open() -> None:
    bench = Bench(failures=0)
    bench.fail(1000)
    bench.breaker.connected(ready=False)
    bench.clock.tick(1000)

    assert not bench.breaker.is_open
    assert not bench.breaker.is_silent
    assert bench.changes == []

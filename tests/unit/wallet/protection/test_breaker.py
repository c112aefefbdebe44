"""When a wallet counts as down, and when it no longer does."""

import pytest
from tests.support.clock import FakeClock

from walletbridge.protocol.callbacks import Command
from walletbridge.wallet.protection.breaker import Breaker, Limits

KINDS = (Command.BET, Command.WIN)


class Bench:
    """A breaker that opens after three failures or two seconds without a connection."""

    def __init__(self, *, failures: int = 3) -> None:
        self.clock = FakeClock()
        self.changes: list[bool] = []
        self.stuck: list[tuple[Command, bool]] = []
        limits = Limits(failures=failures, patience=0.5, away_seconds=2)
        self.breaker = Breaker(
            limits,
            clock=self.clock,
            on_change=self.changes.append,
            on_stuck=lambda command, is_stuck: self.stuck.append((command, is_stuck)),
        )

    def fail(self, times: int = 1, *, commands: tuple[Command, ...] = KINDS) -> None:
        """So many calls in a row, of these commands in turn."""
        for number in range(times):
            self.breaker.timed_out(commands[number % len(commands)], 1.75)

    def answer(self, command: Command = Command.BALANCE) -> None:
        self.breaker.answered(command)


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
    bench.answer()
    bench.fail(2)

    assert not bench.breaker.is_open


def test_one_answer_closes_it_however_many_failed(bench: Bench) -> None:
    bench.fail(100)
    bench.answer()

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
    for command in (*KINDS, Command.STATUS):
        bench.breaker.timed_out(command, waited)

    assert bench.breaker.is_open is counts


def test_a_call_that_broke_counts_however_soon(bench: Bench) -> None:
    for command in (*KINDS, Command.STATUS):
        bench.breaker.broke(command)

    assert bench.breaker.is_open


def test_a_timeout_too_short_to_count_does_not_begin_the_row_anew(bench: Bench) -> None:
    bench.fail(2)
    bench.breaker.timed_out(Command.BET, 0.1)
    bench.fail()

    assert bench.breaker.is_open


def test_who_listens_hears_once_of_each_change(bench: Bench) -> None:
    bench.answer()
    bench.fail(5)
    bench.answer()
    bench.answer()
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

    bench.answer()
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


# One command


def test_one_command_alone_is_stuck_and_the_wallet_is_not_silent(bench: Bench) -> None:
    bench.fail(100, commands=(Command.BET,))

    assert not bench.breaker.is_open
    assert [command for command in Command if bench.breaker.is_stuck(command)] == [Command.BET]


def test_answers_to_others_keep_no_command_from_being_stuck(bench: Bench) -> None:
    """Else each of them would let in the next crowd that waits for its deadlines."""
    for _ in range(3):
        bench.fail(1, commands=(Command.CANCEL,))
        bench.answer(Command.WIN)

    assert bench.breaker.is_stuck(Command.CANCEL)
    assert not bench.breaker.is_open
    assert bench.changes == []


def test_an_answer_of_its_own_frees_a_command(bench: Bench) -> None:
    bench.fail(5, commands=(Command.BET,))
    bench.answer(Command.BET)

    assert not bench.breaker.is_stuck(Command.BET)


def test_after_a_silence_no_command_is_stuck(bench: Bench) -> None:
    bench.fail(10)
    assert bench.breaker.is_stuck(Command.WIN)
    bench.answer()

    assert not any(map(bench.breaker.is_stuck, Command))


def test_who_listens_hears_once_that_a_command_is_stuck_and_once_that_it_no_longer_is(bench: Bench) -> None:
    bench.fail(5, commands=(Command.CANCEL,))
    bench.answer(Command.BET)
    bench.fail(5, commands=(Command.CANCEL,))
    assert bench.stuck == [(Command.CANCEL, True)]

    bench.answer(Command.CANCEL)
    bench.answer(Command.CANCEL)
    assert bench.stuck == [(Command.CANCEL, True), (Command.CANCEL, False)]


def test_in_a_silence_no_command_is_told_as_stuck_and_its_end_frees_what_was(bench: Bench) -> None:
    bench.fail(3, commands=(Command.CANCEL,))
    bench.fail(6)
    assert bench.changes == [True]
    assert bench.stuck == [(Command.CANCEL, True)]

    bench.answer()
    assert bench.stuck == [(Command.CANCEL, True), (Command.CANCEL, False)]


def test_the_failure_of_a_second_command_makes_a_silence_of_it(bench: Bench) -> None:
    bench.fail(3, commands=(Command.BET,))
    bench.fail(1, commands=(Command.BALANCE,))

    assert bench.breaker.is_silent
    assert bench.changes == [True]


# What the probe goes by


def test_from_the_first_failure_on_it_wants_to_know_more(bench: Bench) -> None:
    assert (bench.breaker.wants_probe, bench.breaker.unanswered_for) == (False, 0)
    bench.fail(1)
    bench.clock.tick(2)
    bench.fail(1)
    assert (bench.breaker.wants_probe, bench.breaker.unanswered_for) == (True, 2)

    bench.answer()
    assert (bench.breaker.wants_probe, bench.breaker.unanswered_for) == (False, 0)


def test_it_wants_to_know_more_while_balances_alone_fail(bench: Bench) -> None:
    """The probe asks for one, and no callback has to."""
    bench.fail(3, commands=(Command.BALANCE,))
    bench.answer(Command.BET)

    assert bench.breaker.wants_probe
    bench.answer(Command.BALANCE)
    assert not bench.breaker.wants_probe


def test_without_a_connection_there_is_nothing_to_ask(bench: Bench) -> None:
    bench.fail(3)
    bench.breaker.connected(ready=False)
    assert not bench.breaker.wants_probe

    bench.breaker.connected(ready=True)
    assert bench.breaker.wants_probe


def test_it_knows_when_a_call_last_failed(bench: Bench) -> None:
    bench.fail(1)
    failed_at = bench.clock()
    bench.clock.tick(5)
    bench.answer()

    assert bench.breaker.failed_at == failed_at

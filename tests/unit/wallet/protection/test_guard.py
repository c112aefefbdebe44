"""What is refused before it reaches the wallet's client, and what the breaker is told of the rest."""

import asyncio
from collections.abc import Awaitable

import grpc
import pytest
from tests.support.callbacks import body, make_callback
from tests.support.clock import FakeClock
from tests.support.fake_wallet import OK, FakeWallet, Held, Step

from walletbridge.observe.trace import Trace
from walletbridge.protocol.callbacks import Callback, Command, decode
from walletbridge.protocol.errors import OutcomeUnknown, Overloaded
from walletbridge.protocol.outcomes import Outcome
from walletbridge.wallet.protection.breaker import Breaker, Limits
from walletbridge.wallet.protection.call_slots import Places
from walletbridge.wallet.protection.guard import Guard, Watched

SECONDS = 1.75


def callback(command: str) -> Callback:
    return decode(body(make_callback(command)), currency_decimals=2)


class Ending:
    """A wallet each of whose calls was sent, took so long and ended with this status."""

    def __init__(
        self, clock: FakeClock, status: grpc.StatusCode, *, seconds: float = SECONDS, sent: bool = True
    ) -> None:
        self._clock = clock
        self._status = status.name
        self._seconds = seconds
        self._sent = sent

    async def call(self, callback: Callback, *, deadline: float, trace: Trace) -> Outcome:
        del callback, deadline
        self._clock.tick(self._seconds)
        if self._sent:
            trace.tries += 1
        trace.grpc_status = self._status
        raise OutcomeUnknown("it ended so", sent=self._sent)


class Bench:
    """A guard whose breaker opens after two failures."""

    def __init__(self, *steps: Step, places: int = 100, slot_wait: float = 0.0) -> None:
        self.clock = FakeClock()
        self.breaker = Breaker(Limits(failures=2, patience=0.5, away_seconds=2), clock=self.clock)
        self.wallet = FakeWallet(*steps)
        self.places = Places(places, kept_for_cancels=25, kept_for_wins=25, waiting_max=10)
        self.guard = Guard(self.wallet, self.places, self.breaker, slot_wait=slot_wait, clock=lambda: 0)
        self.tireless = Guard(self.wallet, self.places, self.breaker, refused=())

    def open(self) -> None:
        self.breaker.broke(Command.BET)
        self.breaker.broke(Command.WIN)

    async def ends_with(self, status: grpc.StatusCode, *, seconds: float = SECONDS, sent: bool = True) -> None:
        """Two calls that end so, with a trace that tells of an earlier call."""
        watched = Watched(Ending(self.clock, status, seconds=seconds, sent=sent), self.breaker, clock=self.clock)
        trace = Trace(tries=3, grpc_status="OK")
        for command in ("bet", "win"):
            await unknown(watched.call(callback(command), deadline=self.clock() + SECONDS, trace=trace))


async def call(guard: Guard, command: str) -> Outcome:
    return await guard.call(callback(command), deadline=2000, trace=Trace())


async def unknown(calling: Awaitable[Outcome]) -> OutcomeUnknown:
    with pytest.raises(OutcomeUnknown) as caught:
        await calling
    return caught.value


# The breaker


@pytest.mark.parametrize("command", Command)
async def test_while_it_is_closed_everything_goes_to_the_wallet(command: Command) -> None:
    bench = Bench()

    assert await call(bench.guard, command) == OK
    assert [call.callback.command for call in bench.wallet.calls] == [command]
    assert bench.wallet.calls[0].deadline == 2000


@pytest.mark.parametrize("command", [command for command in Command if command is not Command.CANCEL])
async def test_an_open_breaker_refuses_at_once_and_nothing_was_sent(command: Command) -> None:
    bench = Bench()
    bench.open()
    refused = await unknown(call(bench.guard, command))

    assert (refused.reason, refused.sent) == ("the wallet is down", False)
    assert bench.wallet.calls == []


async def test_an_open_breaker_refuses_no_cancel() -> None:
    bench = Bench()
    bench.open()

    assert await call(bench.guard, "cancel") == OK


@pytest.mark.parametrize("command", ["win", "cancel"])
async def test_an_open_breaker_refuses_nothing_to_whom_it_is_not_for(command: str) -> None:
    bench = Bench()
    bench.open()

    assert await call(bench.tireless, command) == OK


@pytest.mark.parametrize("command", Command)
async def test_what_is_asked_on_behalf_of_a_cancel_is_refused_as_little_as_the_cancel(command: Command) -> None:
    bench = Bench(places=4)
    guard = Guard(bench.wallet, bench.places, bench.breaker, on_behalf_of=Command.CANCEL)
    bench.open()
    for _ in range(2):
        bench.places.take(Command.CANCEL)

    assert await call(guard, command) == OK


async def test_a_call_under_way_when_it_opens_goes_on() -> None:
    held = Held()
    bench = Bench(held)
    calling = asyncio.ensure_future(call(bench.guard, "bet"))
    await held.arrived.wait()
    bench.open()
    held.release()

    assert await calling == OK


# What the breaker is told


async def test_an_outcome_is_an_answer() -> None:
    bench = Bench()
    bench.open()
    watched = Watched(bench.wallet, bench.breaker, clock=bench.clock)
    await watched.call(callback("cancel"), deadline=2000, trace=Trace())

    assert not bench.breaker.is_open


@pytest.mark.parametrize(
    ("status", "seconds", "is_open"),
    [
        (grpc.StatusCode.DEADLINE_EXCEEDED, SECONDS, True),
        (grpc.StatusCode.DEADLINE_EXCEEDED, 0.1, False),
        (grpc.StatusCode.UNAVAILABLE, 0.0, True),
    ],
)
async def test_calls_without_an_answer_open_it(status: grpc.StatusCode, seconds: float, *, is_open: bool) -> None:
    bench = Bench()
    await bench.ends_with(status, seconds=seconds)

    assert bench.breaker.is_open is is_open


NO_ANSWERS = {grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED}


@pytest.mark.parametrize("status", [status for status in grpc.StatusCode if status not in NO_ANSWERS])
async def test_any_other_word_of_the_wallet_is_an_answer(status: grpc.StatusCode) -> None:
    """OK among them: a response of which nobody can make anything."""
    bench = Bench()
    bench.open()
    await bench.ends_with(status)

    assert not bench.breaker.is_open


async def test_a_call_that_we_ended_says_nothing() -> None:
    bench = Bench()
    await bench.ends_with(grpc.StatusCode.CANCELLED)
    assert not bench.breaker.is_open

    bench.open()
    await bench.ends_with(grpc.StatusCode.CANCELLED)
    assert bench.breaker.is_open


@pytest.mark.parametrize("status", grpc.StatusCode)
async def test_a_call_that_was_not_sent_says_nothing_whatever_the_trace_holds(status: grpc.StatusCode) -> None:
    bench = Bench()
    await bench.ends_with(status, sent=False)
    assert not bench.breaker.is_open

    bench.open()
    await bench.ends_with(status, sent=False)
    assert bench.breaker.is_open


# Places


async def fill(bench: Bench, command: str, count: int) -> list[asyncio.Task[Outcome]]:
    """So many calls that the wallet holds."""
    calls = [asyncio.create_task(call(bench.guard, command)) for _ in range(count)]
    await asyncio.sleep(0)
    return calls


async def test_a_flood_of_bets_leaves_places_for_wins_and_cancels() -> None:
    held = Held()
    bench = Bench(held, places=4)
    calls = await fill(bench, "bet", 2)
    for command in ("bet", "balance", "status", "authenticate"):
        refused = await unknown(call(bench.guard, command))
        assert (refused.reason, refused.sent) == ("no place for a call of the wallet: 2 in flight", False)

    calls += await fill(bench, "win", 1)
    assert (await unknown(call(bench.guard, "win"))).reason == "no place for a call of the wallet: 3 in flight"
    calls += await fill(bench, "cancel", 1)
    assert (await unknown(call(bench.guard, "cancel"))).reason == "no place for a call of the wallet: 4 in flight"
    assert len(bench.wallet.calls) == 4

    held.release()
    assert await asyncio.gather(*calls) == [OK] * 4
    assert await call(bench.guard, "bet") == OK


async def test_both_guards_of_a_wallet_share_its_places() -> None:
    held = Held()
    bench = Bench(held, places=1)
    calls = await fill(bench, "bet", 1)

    assert (await unknown(call(bench.tireless, "cancel"))).sent is False
    held.release()
    await asyncio.gather(*calls)


@pytest.mark.parametrize("step", [OutcomeUnknown("broken", sent=True), RuntimeError("a fault of ours")])
async def test_whatever_comes_of_a_call_it_gives_its_place_back(step: Exception) -> None:
    bench = Bench(step, places=1)
    for _ in range(3):
        with pytest.raises(type(step)):
            await call(bench.guard, "bet")

    assert len(bench.wallet.calls) == 3


async def test_a_call_that_is_cancelled_gives_its_place_back() -> None:
    held = Held()
    bench = Bench(held, OK, places=1)
    [calling] = await fill(bench, "bet", 1)
    calling.cancel()
    await asyncio.wait({calling})

    assert await call(bench.guard, "bet") == OK


async def test_a_call_waits_a_moment_for_a_place() -> None:
    held = Held()
    bench = Bench(held, OK, places=1, slot_wait=5)
    [calling] = await fill(bench, "bet", 1)
    [waiting] = await fill(bench, "bet", 1)
    assert bench.places.waiting == 1
    held.release()

    assert [await calling, await waiting] == [OK, OK]
    assert bench.places.taken == 0


async def test_a_call_that_has_no_time_left_does_not_wait() -> None:
    bench = Bench(Held(), places=1, slot_wait=5)
    [calling] = await fill(bench, "bet", 1)
    late = bench.guard.call(callback("bet"), deadline=0, trace=Trace())

    assert isinstance(await unknown(late), Overloaded)
    calling.cancel()
    await asyncio.wait({calling})


async def test_whoever_got_a_place_after_the_wallet_was_lost_gives_it_back_unused() -> None:
    held = Held()
    bench = Bench(held, OK, places=1, slot_wait=5)
    [calling] = await fill(bench, "bet", 1)
    [waiting] = await fill(bench, "bet", 1)
    bench.open()
    held.release()
    await calling

    assert (await unknown(waiting)).reason == "the wallet is down"
    assert (len(bench.wallet.calls), bench.places.taken) == (1, 0)


# A command that hangs


@pytest.mark.parametrize(
    ("command", "tried"), [("bet", 4), ("win", 4), ("status", 4), ("authenticate", 4), ("balance", 0), ("cancel", 25)]
)
async def test_of_a_command_that_hangs_a_few_calls_find_out_whether_it_still_does(command: str, tried: int) -> None:
    held = Held()
    bench = Bench(held)
    for _ in range(2):
        bench.breaker.broke(Command(command))
    calls = await fill(bench, command, tried)
    refused = await unknown(call(bench.guard, command))
    assert (refused.reason, refused.sent) == (f"the wallet does not answer {command}", False)
    assert len(bench.wallet.calls) == tried

    bench.breaker.answered(Command(command))
    held.release()
    assert await call(bench.guard, command) == OK
    assert await asyncio.gather(*calls) == [OK] * tried


async def test_a_command_that_hangs_is_no_matter_of_the_others() -> None:
    bench = Bench()
    for _ in range(10):
        bench.breaker.broke(Command.CANCEL)

    for command in set(Command) - {Command.CANCEL}:
        assert await call(bench.guard, command) == OK


async def test_cancels_that_hang_leave_wins_what_is_kept_for_them_and_the_other_way_round() -> None:
    bench = Bench(Held(), places=4)
    cancels = await fill(bench, "cancel", 3)
    assert (await unknown(call(bench.guard, "cancel"))).sent is False
    assert bench.places.take(Command.WIN)
    for calling in cancels:
        calling.cancel()
    await asyncio.wait(cancels)
    bench.places.give_back(Command.WIN)

    wins = await fill(bench, "win", 3)
    assert (await unknown(call(bench.guard, "win"))).sent is False
    assert bench.places.take(Command.CANCEL)
    for calling in wins:
        calling.cancel()
    await asyncio.wait(wins)

"""The gRPC client against a real server: what is sent, how often, for how long, and what it is taken for."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
import pytest
from google.protobuf.message import Message
from tests.support.callbacks import body, make_callback
from tests.support.clock import FakeClock
from tests.support.scripted_wallet import (
    HOST,
    OK,
    Hang,
    ScriptedWallet,
    Step,
    abort,
    delayed,
    raw,
    reply,
    running_wallet,
)
from tests.support.waiting import until

from walletbridge.observe.trace import Trace
from walletbridge.protocol.callbacks import Callback, Command, decode
from walletbridge.protocol.errors import OutcomeUnknown
from walletbridge.protocol.outcomes import Outcome, Result, TransactionState
from walletbridge.settings import Wallet as WalletSettings
from walletbridge.wallet.channel import Channel
from walletbridge.wallet.client import READS, GrpcWallet
from walletbridge.wallet.mapping.loading import load
from walletbridge.wallet.reading_replies import read_outcome
from walletbridge.wallet.reply import Reply
from walletbridge.wallet.v1 import wallet_service_pb2 as v1

CONNECT_WAIT = 0.03
TIMEOUT = 10.0
MOVEMENTS = [Command.BET, Command.WIN, Command.CANCEL]
STATUSES = [status for status in grpc.StatusCode if status is not grpc.StatusCode.OK]
BOUND = load(WalletSettings(target="nowhere"))
METHODS = {command: BOUND.bindings[command].method for command in Command}
PROCESSED = reply(outcome=v1.OUTCOME_OK, balance=400000, state=v1.TRANSACTION_STATE_PROCESSED)


def callback(command: str, **overrides: Any) -> Callback:
    return decode(body(make_callback(command, **overrides)), currency_decimals=2)


def name_of(command: Command) -> str:
    """The bare name of the command's method."""
    return METHODS[command].name.partition("/")[2]


def request_of(command: Command) -> Message:
    """What is sent for the sample callback."""
    return METHODS[command].build(callback(command), {})


class Bench:
    """A client of a scripted wallet."""

    def __init__(self, port: int, *, calls_max: int = 10, connect_wait: float = CONNECT_WAIT) -> None:
        self.clock = FakeClock()
        self.channel = Channel(WalletSettings(target=f"{HOST}:{port}"), on_change=lambda _: None)
        self.client = GrpcWallet(self.channel, BOUND, calls_max=calls_max, connect_wait=connect_wait, clock=self.clock)
        self.trace = Trace()

    async def call(
        self, command: str, *, seconds: float = TIMEOUT, is_watched: bool = False, **overrides: Any
    ) -> Outcome:
        """Calls with so much of the budget left."""
        self.trace = Trace(calls=[] if is_watched else None)
        deadline = self.clock() + seconds
        return await self.client.call(callback(command, **overrides), deadline=deadline, trace=self.trace)

    async def unknown(self, command: str, *, seconds: float = TIMEOUT) -> OutcomeUnknown:
        """Calls, and expects not to know what came of it."""
        with pytest.raises(OutcomeUnknown) as caught:
            await self.call(command, seconds=seconds)
        return caught.value


@asynccontextmanager
async def bench_at(port: int, *, calls_max: int = 10, connect_wait: float = CONNECT_WAIT) -> AsyncIterator[Bench]:
    bench = Bench(port, calls_max=calls_max, connect_wait=connect_wait)
    try:
        yield bench
    finally:
        await bench.channel.close()


@asynccontextmanager
async def connected(*, calls_max: int = 10) -> AsyncIterator[tuple[ScriptedWallet, Bench]]:
    async with running_wallet() as (wallet, port), bench_at(port, calls_max=calls_max) as bench:
        assert await bench.channel.wait_until_ready(TIMEOUT)
        yield wallet, bench


# A definite outcome


@pytest.mark.parametrize("command", Command)
async def test_a_call_brings_back_its_outcome_and_notes_how(command: Command) -> None:
    async with connected() as (wallet, bench):
        wallet.script(name_of(command), PROCESSED if command is Command.STATUS else OK)
        outcome = await bench.call(command)

        state = TransactionState.OK if command is Command.STATUS else None
        assert outcome == Outcome(Result.OK, 400000, state)
        assert wallet.counts == {name_of(command): 1}
        assert wallet.calls[0].request.SerializeToString() == request_of(command).SerializeToString()
        assert (bench.trace.wallet_method, bench.trace.grpc_status, bench.trace.tries) == (
            METHODS[command].name,
            "OK",
            1,
        )


async def test_the_time_at_the_wallet_is_noted() -> None:
    async with connected() as (wallet, bench):
        hang = Hang()
        wallet.script("PlaceBet", hang)
        call = asyncio.ensure_future(bench.call("bet"))
        await hang.arrived.wait()
        bench.clock.tick(0.25)
        hang.release()
        await call

        assert bench.trace.wallet_seconds == 0.25


async def test_who_watches_sees_each_call_as_it_was_sent() -> None:
    """Nobody does so without asking for it: see the default."""
    async with connected() as (wallet, bench):
        wallet.script("GetBalance", abort(grpc.StatusCode.UNAVAILABLE), OK)
        await bench.call("balance")
        assert bench.trace.calls is None

        wallet.script("GetBalance", abort(grpc.StatusCode.UNAVAILABLE), OK)
        await bench.call("balance", is_watched=True)

        assert bench.trace.calls is not None
        first, second = bench.trace.calls
        assert (first.status, first.details, first.response) == ("UNAVAILABLE", "said so in the test", None)
        assert (second.status, second.details, second.method) == ("OK", "", METHODS[Command.BALANCE].name)
        assert second.request == request_of(Command.BALANCE)
        assert second.response is not None
        response = Reply(METHODS[Command.BALANCE].response.FromString(second.response))
        outcome, _ = read_outcome(BOUND.bindings[Command.BALANCE], callback("balance"), response)
        assert outcome == Outcome(Result.OK, 400000)


# Unknown outcomes


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("command", MOVEMENTS)
async def test_whatever_the_status_a_movement_is_sent_once_and_its_outcome_unknown(
    command: Command, status: grpc.StatusCode
) -> None:
    async with connected() as (wallet, bench):
        wallet.script(name_of(command), abort(status))
        unknown = await bench.unknown(command)

        assert unknown.sent is True
        assert unknown.reason
        assert wallet.counts == {name_of(command): 1}
        assert (bench.trace.grpc_status, bench.trace.tries) == (status.name, 1)
        assert "said so in the test" not in unknown.reason  # a wallet's words may hold anything


@pytest.mark.parametrize("status", [status for status in STATUSES if status is not grpc.StatusCode.UNAVAILABLE])
async def test_a_read_is_not_tried_again_after_any_other_status(status: grpc.StatusCode) -> None:
    async with connected() as (wallet, bench):
        wallet.script("GetBalance", abort(status), OK)

        assert (await bench.unknown("balance")).sent is True
        assert wallet.counts == {"GetBalance": 1}


@pytest.mark.parametrize(
    ("command", "step"),
    [
        ("bet", raw(b"\xff\xff\xff")),
        ("bet", raw(b"")),
        ("bet", reply(outcome=v1.OUTCOME_UNSPECIFIED, balance=1)),
        ("bet", reply(outcome=77, balance=1)),
        ("bet", reply(outcome=v1.OUTCOME_TRANSACTION_NOT_FOUND)),
        ("win", reply(outcome=v1.OUTCOME_BALANCE_INSUFFICIENT)),
        ("cancel", reply(outcome=v1.OUTCOME_ALREADY_PROCESSED)),
        ("balance", reply(outcome=v1.OUTCOME_FAILED)),
        ("status", OK),
        ("status", reply(outcome=v1.OUTCOME_OK, state=3)),
    ],
)
async def test_an_answer_that_the_protocol_does_not_list_is_unknown_and_not_asked_for_again(
    command: str, step: Step
) -> None:
    async with connected() as (wallet, bench):
        wallet.script(name_of(Command(command)), step, PROCESSED)

        assert (await bench.unknown(command)).sent is True
        assert (bench.trace.grpc_status, bench.trace.tries) == ("OK", 1)


async def test_a_wallet_without_the_method_is_unknown() -> None:
    server = grpc.aio.server()
    port = server.add_insecure_port(f"{HOST}:0")
    await server.start()
    async with bench_at(port, connect_wait=TIMEOUT) as bench:
        unknown = await bench.unknown("bet")

    assert (unknown.reason, unknown.sent) == ("the wallet has no such method", True)
    await server.stop(None)


@pytest.mark.parametrize("command", Command)
async def test_a_wallet_that_stops_in_the_middle_of_a_call(command: Command) -> None:
    """That the connection broke proves nothing: the call may have been executed."""
    async with connected() as (wallet, bench):
        hang = Hang()
        wallet.script(name_of(command), hang)
        call = asyncio.ensure_future(bench.unknown(command, seconds=0.5 if command in READS else TIMEOUT))
        await hang.arrived.wait()
        await wallet.stop()
        for _ in range(20):
            bench.clock.tick(0.05)
            await asyncio.sleep(0.01)

        assert (await call).sent is (command not in READS)
        assert wallet.counts == {name_of(command): 1}


@pytest.mark.parametrize("command", Command)
async def test_a_channel_that_is_closed_in_the_middle_of_a_call(command: Command) -> None:
    async with connected() as (wallet, bench):
        hang = Hang()
        wallet.script(name_of(command), hang)
        call = asyncio.ensure_future(bench.unknown(command))
        await hang.arrived.wait()
        await bench.channel.close()

        assert (await call).sent is True
        assert bench.trace.grpc_status == "CANCELLED"


async def test_a_caller_that_is_cancelled_hears_that_the_outcome_is_unknown() -> None:
    async with connected() as (wallet, bench):
        hang = Hang()
        wallet.script("PlaceBet", hang)
        call = asyncio.ensure_future(bench.unknown("bet"))
        await hang.arrived.wait()
        call.cancel()

        assert (await call).sent is True
        assert bench.client.in_flight == 0


# Time


@pytest.mark.parametrize("seconds", [0.5, 1.75, 3.75])
async def test_what_is_left_of_the_budget_is_the_deadline_on_the_wire(seconds: float) -> None:
    async with connected() as (wallet, bench):
        await bench.call("bet", seconds=seconds)

        # gRPC rounds up on the wire.
        assert seconds - 0.3 < wallet.calls[0].seconds_left < seconds + 0.05


async def test_a_wallet_that_is_too_slow_is_given_up_at_the_deadline() -> None:
    loop = asyncio.get_running_loop()
    async with connected() as (wallet, bench):
        wallet.script("PlaceBet", delayed(5, OK))
        started = loop.time()
        unknown = await bench.unknown("bet", seconds=0.1)

        assert 0.09 < loop.time() - started < 0.6
        assert (unknown.reason, unknown.sent) == ("the wallet did not answer within the budget", True)
        assert bench.trace.grpc_status == "DEADLINE_EXCEEDED"
        assert wallet.counts == {"PlaceBet": 1}


@pytest.mark.parametrize("seconds", [0, -1])
@pytest.mark.parametrize("command", Command)
async def test_with_no_budget_left_nothing_is_sent(command: Command, seconds: float) -> None:
    async with connected() as (wallet, bench):
        assert (await bench.unknown(command, seconds=seconds)).sent is False
        assert bench.trace.tries == 0
        assert (bench.trace.wallet_method, bench.trace.grpc_status) == ("", "")
        assert wallet.calls == []


# Reads are tried again


async def test_a_read_waits_for_a_connection_only_until_the_wallet_is_known_to_be_away() -> None:
    """As long as there is hope; not for its whole budget."""
    async with connected() as (wallet, bench):
        away = asyncio.Event()
        bench.client._is_away = away.is_set
        await wallet.stop()
        reading = asyncio.ensure_future(bench.unknown("balance"))
        await asyncio.sleep(0.3)
        assert not reading.done()

        away.set()
        async with asyncio.timeout(0.5):
            assert (await reading).sent is False


async def test_a_read_in_flight_when_the_wallet_dies_ends_once_that_is_known() -> None:
    async with connected() as (wallet, bench):
        hang = Hang()
        wallet.script("GetBalance", hang)
        reading = asyncio.ensure_future(bench.unknown("balance"))
        await hang.arrived.wait()
        bench.client._is_away = lambda: True
        await wallet.stop()
        async with asyncio.timeout(1):
            assert (await reading).sent is True


@pytest.mark.parametrize("command", sorted(READS))
async def test_a_read_is_tried_again_while_the_wallet_is_unavailable(command: Command) -> None:
    async with connected() as (wallet, bench):
        away = abort(grpc.StatusCode.UNAVAILABLE)
        wallet.script(name_of(command), away, away, PROCESSED if command is Command.STATUS else OK)

        assert (await bench.call(command)).result is Result.OK
        assert (bench.trace.grpc_status, bench.trace.tries) == ("OK", 3)


async def test_a_read_is_tried_again_inside_its_budget_only() -> None:
    async with connected() as (wallet, bench):
        clock = bench.clock

        async def away(call: Any) -> bytes:
            clock.tick(0.2)
            return await abort(grpc.StatusCode.UNAVAILABLE)(call)

        wallet.script("GetBalance", away)
        unknown = await bench.unknown("balance", seconds=0.7)

        assert (unknown.reason, unknown.sent) == ("the connection to the wallet broke", True)
        assert wallet.counts == {"GetBalance": 3}


async def test_a_read_waits_for_a_wallet_that_comes_back() -> None:
    wallet = ScriptedWallet()
    port = await wallet.start()
    await wallet.stop()
    async with bench_at(port) as bench:
        read = asyncio.ensure_future(bench.call("balance"))
        await asyncio.sleep(0.1)
        await wallet.start(port)

        assert (await read).result is Result.OK
        assert wallet.counts == {"GetBalance": 1}
    await wallet.stop()


# No connection


@pytest.mark.parametrize("command", MOVEMENTS)
async def test_without_a_connection_a_movement_is_not_sent_and_that_is_known_at_once(command: Command) -> None:
    loop = asyncio.get_running_loop()
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        async with bench_at(taken.getsockname()[1]) as bench:
            started = loop.time()
            unknown = await bench.unknown(command)

            assert loop.time() - started < CONNECT_WAIT + 0.15
            assert (unknown.reason, unknown.sent) == ("there is no connection to the wallet", False)
            assert bench.trace.tries == 0


async def test_what_was_not_sent_is_not_sent_later_either() -> None:
    wallet = ScriptedWallet()
    port = await wallet.start()
    await wallet.stop()
    async with bench_at(port) as bench:
        assert (await bench.unknown("bet")).sent is False
        await wallet.start(port)
        assert await bench.channel.wait_until_ready(TIMEOUT)
        await bench.call("balance")

        assert wallet.counts == {"GetBalance": 1}
    await wallet.stop()


async def test_a_movement_waits_a_moment_for_the_connection() -> None:
    async with running_wallet() as (wallet, port), bench_at(port, connect_wait=TIMEOUT) as bench:
        assert not bench.channel.is_ready
        assert (await bench.call("bet")).result is Result.OK
        assert wallet.counts == {"PlaceBet": 1}


@pytest.mark.parametrize("command", Command)
async def test_the_first_calls_wait_for_the_first_connection(command: Command) -> None:
    """However short the wait for a connection that is gone: at the start there is none yet."""
    async with running_wallet() as (wallet, port), bench_at(port, connect_wait=0) as bench:
        wallet.script("GetTransactionStatus", PROCESSED)
        assert not bench.channel.is_ready

        assert (await bench.call(command)).result is Result.OK
        assert bench.trace.tries == 1


async def test_a_first_call_waits_no_longer_than_its_budget() -> None:
    loop = asyncio.get_running_loop()
    with socket.create_server((HOST, 0)) as silent:
        async with bench_at(silent.getsockname()[1]) as bench:
            started = loop.time()
            unknown = await bench.unknown("bet", seconds=0.1)

            assert loop.time() - started < 0.4
            assert unknown.sent is False


async def test_a_caller_that_is_cancelled_before_anything_was_sent_knows_it() -> None:
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        async with bench_at(taken.getsockname()[1], connect_wait=TIMEOUT) as bench:
            call = asyncio.ensure_future(bench.unknown("bet"))
            await asyncio.sleep(0.01)
            call.cancel()

            assert (await call).sent is False


async def test_a_caller_that_is_cancelled_between_two_tries_hears_nothing_but_unknown() -> None:
    async with connected() as (wallet, bench):
        wallet.script("GetBalance", abort(grpc.StatusCode.UNAVAILABLE), Hang())
        call = asyncio.ensure_future(bench.unknown("balance"))
        await until(lambda: bench.trace.grpc_status == "UNAVAILABLE")
        call.cancel()

        assert (await call).sent is True


# Too many at once


async def test_beyond_the_limit_nothing_is_sent_and_nobody_waits() -> None:
    async with connected(calls_max=2) as (wallet, bench):
        hang = Hang()
        wallet.script("PlaceBet", hang)
        calls = [asyncio.ensure_future(bench.call("bet", trans_id=number)) for number in range(2)]
        await until(lambda: len(wallet.calls) == 2)
        assert bench.client.in_flight == 2

        for command in Command:
            unknown = await asyncio.wait_for(bench.unknown(command), 0.1)
            assert (unknown.reason, unknown.sent) == ("2 wallet calls are in flight", False)
        assert wallet.counts == {"PlaceBet": 2}

        hang.release()
        await asyncio.gather(*calls)
        assert bench.client.in_flight == 0
        assert (await bench.call("balance")).result is Result.OK


@pytest.mark.parametrize("step", [OK, raw(b"\xff"), abort(grpc.StatusCode.INTERNAL)])
async def test_whatever_comes_of_a_call_it_gives_its_place_back(step: Step) -> None:
    async with connected(calls_max=1) as (wallet, bench):
        wallet.script("PlaceBet", step)
        for _ in range(3):
            call = asyncio.ensure_future(bench.call("bet"))
            await asyncio.wait({call})
            assert "in flight" not in str(call.exception())

        assert wallet.counts == {"PlaceBet": 3}


async def test_many_calls_at_once_each_get_their_own_outcome() -> None:
    async def echo(call: Any) -> bytes:
        return await reply(outcome=v1.OUTCOME_OK, balance=int(call.request.trans_id))(call)

    async with connected(calls_max=200) as (wallet, bench):
        wallet.script("PlaceBet", echo)
        outcomes = await asyncio.gather(*(bench.call("bet", trans_id=number) for number in range(200)))

        assert [outcome.balance for outcome in outcomes] == list(range(200))
        assert wallet.counts == {"PlaceBet": 200}

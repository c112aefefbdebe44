"""The wallet's client and all that stands before it, against a real wallet that falls silent."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from tests.support.callbacks import body, make_callback
from tests.support.scripted_wallet import HOST, OK, Hang, ScriptedWallet, delayed, running_wallet
from tests.support.waiting import until

from walletbridge.observe.trace import Trace
from walletbridge.protocol.callbacks import decode
from walletbridge.protocol.errors import OutcomeUnknown
from walletbridge.protocol.outcomes import Outcome, Result
from walletbridge.settings import Breaker, Limits
from walletbridge.settings import Wallet as WalletSettings
from walletbridge.wallet.channel import Channel
from walletbridge.wallet.client import GrpcWallet
from walletbridge.wallet.mapping.loading import load
from walletbridge.wallet.port import Wallet
from walletbridge.wallet.protection.guard import TRIALS
from walletbridge.wallet.protection.protection import Protection

BOUND = load(WalletSettings(target="nowhere"))
TIMEOUT = 10.0
BREAKER = Breaker(failures=2, patience=0.05, away_after=0.1, probe_every=0.05, probe_seconds=0.2)


class Bench:
    """A client, protected."""

    def __init__(self, port: int, breaker: Breaker, limits: Limits, renew: Callable[[], None]) -> None:
        self.port = port
        self.changes: list[bool] = []
        self.channel = Channel(WalletSettings(target=f"{HOST}:{port}"), on_change=self._connected)
        client = GrpcWallet(self.channel, BOUND, calls_max=limits.wallet_calls, connect_wait=0.03, clock=time.monotonic)
        self.protection = Protection(
            client,
            breaker=breaker,
            limits=limits,
            clock=time.monotonic,
            on_change=self.changes.append,
            renew=renew,
        )

    def _connected(self, ready: bool) -> None:  # noqa: FBT001 - a callback's one argument
        self.protection.connected(ready=ready)

    async def call(self, command: str, *, seconds: float = 0.1, wallet: Wallet | None = None) -> Outcome:
        callback = decode(body(make_callback(command)), currency_decimals=2)
        port = wallet or self.protection.for_callbacks
        return await port.call(callback, deadline=time.monotonic() + seconds, trace=Trace())

    async def unknown(self, command: str, *, wallet: Wallet | None = None) -> OutcomeUnknown:
        with pytest.raises(OutcomeUnknown) as caught:
            await self.call(command, wallet=wallet)
        return caught.value


@asynccontextmanager
async def connected(
    *, breaker: Breaker = BREAKER, limits: Limits | None = None, renew: Callable[[], None] = lambda: None
) -> AsyncIterator[tuple[ScriptedWallet, Bench]]:
    async with running_wallet() as (wallet, port):
        bench = Bench(port, breaker, limits or Limits(), renew)
        try:
            assert await bench.channel.wait_until_ready(TIMEOUT)
            yield wallet, bench
        finally:
            await bench.protection.stop()
            await bench.channel.close()


def fall_silent(wallet: ScriptedWallet) -> Hang:
    """Whatever the wallet is asked from now on waits."""
    hang = Hang()
    for method in ("PlaceBet", "SettleWin", "GetBalance", "CancelTransaction"):
        wallet.script(method, hang)
    return hang


async def test_a_wallet_that_falls_silent_is_spared_until_it_answers() -> None:
    async with connected() as (wallet, bench):
        hang = fall_silent(wallet)
        assert (await bench.unknown("bet")).sent is True
        assert (await bench.unknown("win")).sent is True
        assert bench.changes == [True]

        for command in ("bet", "win", "balance"):
            refused = await bench.unknown(command)
            assert (refused.reason, refused.sent) == ("the wallet is down", False)
        # What settles the unknown is tried all the same.
        assert (await bench.unknown("cancel")).sent is True
        assert (await bench.unknown("win", wallet=bench.protection.for_resolver)).sent is True
        counts = wallet.counts
        assert (counts["PlaceBet"], counts["SettleWin"], counts["CancelTransaction"]) == (1, 2, 1)

        hang.release()
        await until(lambda: bench.changes == [True, False])
        assert (await bench.call("bet", seconds=TIMEOUT)).result is Result.OK


async def test_questions_that_got_lost_do_not_keep_it_from_being_found_again() -> None:
    async with connected() as (wallet, bench):
        fall_silent(wallet)
        await bench.unknown("bet")
        await bench.unknown("win")
        await until(lambda: wallet.counts["GetBalance"] >= 3)
        # Those that hang hang for good; only a new one is answered.
        wallet.script("GetBalance", OK)

        await until(lambda: bench.changes == [True, False])


async def test_a_cancel_that_is_answered_closes_the_breaker() -> None:
    breaker = Breaker(failures=2, patience=0.05, probe_every=60)
    async with connected(breaker=breaker) as (wallet, bench):
        fall_silent(wallet)
        await bench.unknown("bet")
        await bench.unknown("win")
        wallet.script("CancelTransaction", OK)
        await bench.call("cancel", seconds=TIMEOUT)

        assert bench.changes == [True, False]


async def test_without_a_connection_reads_wait_no_more_and_with_it_they_go_on() -> None:
    async with connected() as (wallet, bench):
        await wallet.stop()
        await until(lambda: bench.protection.breaker.is_open)
        refused = await bench.unknown("balance")
        assert (refused.reason, refused.sent) == ("the wallet is down", False)

        await wallet.start(bench.port)
        await until(lambda: not bench.protection.breaker.is_open)
        assert (await bench.call("balance", seconds=TIMEOUT)).result is Result.OK
        # Nothing was asked for that: a connection is seen without a question.
        assert (bench.changes, wallet.counts) == ([], {"GetBalance": 1})


async def test_switched_off_it_refuses_nothing() -> None:
    async with connected(breaker=Breaker(failures=0, patience=0.05)) as (wallet, bench):
        fall_silent(wallet)
        for _ in range(5):
            assert (await bench.unknown("bet")).sent is True

        assert wallet.counts == {"PlaceBet": 5}


async def test_the_settings_say_what_is_kept_for_whom() -> None:
    limits = Limits(wallet_calls=4, kept_for_cancels=25, kept_for_wins=25, slot_wait=0)
    async with connected(limits=limits) as (wallet, bench):
        hang = fall_silent(wallet)
        calls = [asyncio.ensure_future(bench.call("bet", seconds=TIMEOUT)) for _ in range(2)]
        await until(lambda: len(wallet.calls) == 2)
        assert (await bench.unknown("bet")).reason == "no place for a call of the wallet: 2 in flight"
        calls.append(asyncio.ensure_future(bench.call("win", seconds=TIMEOUT)))
        await until(lambda: len(wallet.calls) == 3)
        assert (await bench.unknown("win")).reason == "no place for a call of the wallet: 3 in flight"
        calls.append(asyncio.ensure_future(bench.call("cancel", seconds=TIMEOUT)))
        await until(lambda: len(wallet.calls) == 4)

        hang.release()
        assert [outcome.result for outcome in await asyncio.gather(*calls)] == [Result.OK] * 4


async def test_a_burst_waits_for_places_and_is_served() -> None:
    limits = Limits(wallet_calls=4, kept_for_cancels=25, kept_for_wins=25, slot_wait=TIMEOUT)
    async with connected(limits=limits) as (_, bench):
        commands = [command for command in ("bet", "balance", "win", "cancel") for _ in range(20)]
        outcomes = await asyncio.gather(*(bench.call(command, seconds=TIMEOUT) for command in commands))

    assert {outcome.result for outcome in outcomes} == {Result.OK}


# One method that hangs


async def test_a_method_that_hangs_is_spared_and_the_others_go_on() -> None:
    breaker = Breaker(failures=2, patience=0.05, probe_every=60)
    async with connected(breaker=breaker) as (wallet, bench):
        hang = Hang()
        wallet.script("PlaceBet", hang)
        await asyncio.gather(bench.unknown("bet"), bench.unknown("bet"))
        tried = [asyncio.ensure_future(bench.call("bet", seconds=TIMEOUT)) for _ in range(TRIALS)]
        await until(lambda: wallet.counts["PlaceBet"] == 2 + TRIALS)
        refused = await bench.unknown("bet")
        assert (refused.reason, refused.sent) == ("the wallet does not answer bet", False)
        for command in ("balance", "win", "cancel"):
            assert (await bench.call(command, seconds=TIMEOUT)).result is Result.OK
        assert bench.changes == []

        hang.release()
        assert [outcome.result for outcome in await asyncio.gather(*tried)] == [Result.OK] * TRIALS
        assert (await bench.call("bet", seconds=TIMEOUT)).result is Result.OK


async def test_where_balances_alone_hang_the_probe_finds_out_when_they_no_longer_do() -> None:
    """Nobody else's calls are refused, and no player has to wait to find out."""
    async with connected() as (wallet, bench):
        hang = Hang()
        wallet.script("GetBalance", hang)
        await asyncio.gather(bench.unknown("balance"), bench.unknown("balance"))
        assert (await bench.unknown("balance")).sent is False
        assert (await bench.call("bet", seconds=TIMEOUT)).result is Result.OK

        hang.release()
        await until(lambda: not bench.protection.breaker.wants_probe)
        assert (await bench.call("balance", seconds=TIMEOUT)).result is Result.OK
        assert bench.changes == []


# What settles the rest


async def test_what_comes_of_the_resolver_s_calls_neither_opens_nor_closes_it() -> None:
    """A wallet that answers it after all may still be too slow for callbacks, and the other way round."""
    breaker = Breaker(failures=2, patience=0.05, probe_every=60)
    async with connected(breaker=breaker) as (wallet, bench):
        fall_silent(wallet)
        for _ in range(2):
            await bench.unknown("win", wallet=bench.protection.for_resolver)
            await bench.unknown("cancel", wallet=bench.protection.for_resolver)
        assert bench.changes == []

        await bench.unknown("bet")
        await bench.unknown("win")
        wallet.script("SettleWin", OK)
        assert (await bench.call("win", seconds=TIMEOUT, wallet=bench.protection.for_resolver)).result is Result.OK
        assert bench.changes == [True]


async def test_a_wallet_that_is_as_slow_as_a_callback_may_be_is_found_again() -> None:
    """A question that waits for less would find it silent for ever."""
    breaker = Breaker(failures=2, patience=0.05, probe_every=0.1)
    async with connected(breaker=breaker) as (wallet, bench):
        fall_silent(wallet)
        await bench.unknown("bet")
        await bench.unknown("win")
        wallet.script("GetBalance", delayed(1.2, OK))

        await until(lambda: bench.changes == [True, False])


async def test_without_an_answer_the_connection_is_made_anew() -> None:
    renewed: list[str] = []
    breaker = Breaker(failures=2, patience=0.05, probe_every=0.02, probe_seconds=0.05, renew_after=0.1)
    async with connected(breaker=breaker, renew=lambda: renewed.append("now")) as (wallet, bench):
        fall_silent(wallet)
        await bench.unknown("bet")
        await until(lambda: len(renewed) >= 2)

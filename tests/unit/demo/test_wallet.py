"""The demo wallet over real sockets: a grpc.aio server, a grpc.aio channel, a SQLite file."""

import asyncio
import signal
import socket
import sqlite3
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.protobuf.timestamp_pb2 import Timestamp

from walletbridge.demo.ledger import Ledger
from walletbridge.demo.wallet import SERVICE, Abort, DemoWallet, Fault, serve
from walletbridge.protocol.outcomes import Result
from walletbridge.wallet.v1 import wallet_service_pb2 as v1

TIMEOUT = 20
OF_BALANCE = (21, 22)
OF_BET = (21, 22, 41, 31)
OF_WIN = (21, 22, 41)
OF_CANCEL = (21, 22, 42)
OF_STATUS = (21, 42)

type Call = Callable[..., Any]
"""`call("PlaceBet", account="ann", ...)` is the gRPC call; awaited, it gives the response."""


@asynccontextmanager
async def calling(port: int) -> AsyncIterator[Call]:
    """A channel to the wallet at `port`."""
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:

        def call(name: str, *, timeout: float = TIMEOUT, **fields: Any) -> Any:
            method = SERVICE.methods_by_name[name]
            send = channel.unary_unary(
                f"/{SERVICE.full_name}/{name}",
                request_serializer=GetMessageClass(method.input_type).SerializeToString,
                response_deserializer=GetMessageClass(method.output_type).FromString,
            )
            return send(GetMessageClass(method.input_type)(**fields), timeout=timeout)

        yield call


@asynccontextmanager
async def running(ledger: Ledger, fault: Fault | None = None) -> AsyncIterator[tuple[DemoWallet, Call]]:
    """A wallet over `ledger` and a channel to it."""
    wallet = DemoWallet(ledger, fault=fault)
    async with calling(await wallet.start("127.0.0.1:0")) as call:
        try:
            yield wallet, call
        finally:
            await wallet.stop()


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """Ann has 100 minor units and may play; Ina has 100 and may not."""
    ledger = Ledger(tmp_path / "wallet.db", late_after_seconds=60, clock=lambda: 1_700_000_000)
    ledger.add_player("ann", 100)
    ledger.add_player("ina", 100, active=False)
    ledger.add_transaction("bet", "ann", "bet", 10)
    ledger.add_transaction("canceled", "ann", "win", 10, canceled=True)
    yield ledger
    ledger.close()


class Scripted:
    """A fault that does what a test says, and keeps what it saw."""

    def __init__(
        self,
        *,
        before: Callable[[], Awaitable[object]] | None = None,
        after: Callable[[], Awaitable[Message]] | None = None,
    ) -> None:
        self.arrived, self.committed = asyncio.Event(), asyncio.Event()
        self.seen: list[tuple[Any, ...]] = []
        self._before = before
        self._after = after

    async def before(self, method: str, request: Message) -> None:
        self.seen.append((method, request))
        self.arrived.set()
        if self._before is not None:
            await self._before()

    async def after(self, method: str, request: Message, response: Message) -> Message:
        self.seen.append((method, request, response))
        self.committed.set()
        return response if self._after is None else await self._after()


BET: dict[str, Any] = {"account": "ann", "checks": OF_BET, "trans_id": "b1", "amount": 30}
BET_REQUEST = v1.PlaceBetRequest(**BET)
BET_RESPONSE = v1.PlaceBetResponse(outcome=v1.OUTCOME_OK, balance=70)


# The six methods


@pytest.mark.parametrize(
    ("method", "fields", "response"),
    [
        (
            "Authenticate",
            {"account": "ann", "checks": (21,)},
            v1.AuthenticateResponse(outcome=v1.OUTCOME_OK, balance=100),
        ),
        (
            "Authenticate",
            {"account": "eve", "checks": (21,)},
            v1.AuthenticateResponse(outcome=v1.OUTCOME_PLAYER_NOT_FOUND),
        ),
        (
            "GetBalance",
            {"account": "ann", "checks": OF_BALANCE},
            v1.GetBalanceResponse(outcome=v1.OUTCOME_OK, balance=100),
        ),
        (
            "GetBalance",
            {"account": "ina", "checks": OF_BALANCE},
            v1.GetBalanceResponse(outcome=v1.OUTCOME_PLAYER_INACTIVE, balance=100),
        ),
        (
            "PlaceBet",
            {"account": "ann", "checks": OF_BET, "trans_id": "new", "amount": 30},
            v1.PlaceBetResponse(outcome=v1.OUTCOME_OK, balance=70),
        ),
        (
            "PlaceBet",
            {"account": "ann", "checks": OF_BET, "trans_id": "new", "amount": 101},
            v1.PlaceBetResponse(outcome=v1.OUTCOME_BALANCE_INSUFFICIENT, balance=100),
        ),
        (
            "PlaceBet",
            {"account": "ann", "checks": OF_BET, "trans_id": "bet", "amount": 10},
            v1.PlaceBetResponse(outcome=v1.OUTCOME_ALREADY_PROCESSED, balance=100),
        ),
        (
            "PlaceBet",
            {
                "account": "ann",
                "checks": OF_BET,
                "trans_id": "new",
                "amount": 30,
                "requested_at": Timestamp(seconds=1_600_000_000),
            },
            v1.PlaceBetResponse(outcome=v1.OUTCOME_FAILED, balance=100),
        ),
        (
            "PlaceBet",
            {"account": "ann", "checks": (21, 77), "trans_id": "new", "amount": 30},
            v1.PlaceBetResponse(outcome=v1.OUTCOME_FAILED, balance=100),
        ),
        (
            "SettleWin",
            {"account": "ann", "checks": OF_WIN, "trans_id": "new", "amount": 30},
            v1.SettleWinResponse(outcome=v1.OUTCOME_OK, balance=130),
        ),
        (
            "SettleWin",
            {
                "account": "ann",
                "checks": OF_WIN,
                "trans_id": "new",
                "amount": 30,
                "requested_at": Timestamp(seconds=1_600_000_000),
            },
            v1.SettleWinResponse(outcome=v1.OUTCOME_FAILED, balance=100),
        ),
        (
            "CancelTransaction",
            {"account": "ann", "checks": OF_CANCEL, "trans_id": "bet"},
            v1.CancelTransactionResponse(outcome=v1.OUTCOME_OK, balance=110),
        ),
        (
            "CancelTransaction",
            {"account": "ann", "checks": OF_CANCEL, "trans_id": "new"},
            v1.CancelTransactionResponse(outcome=v1.OUTCOME_TRANSACTION_NOT_FOUND, balance=100),
        ),
        (
            "GetTransactionStatus",
            {"account": "ann", "checks": OF_STATUS, "trans_id": "bet"},
            v1.GetTransactionStatusResponse(outcome=v1.OUTCOME_OK, balance=100, state=v1.TRANSACTION_STATE_PROCESSED),
        ),
        (
            "GetTransactionStatus",
            {"account": "ann", "checks": OF_STATUS, "trans_id": "canceled"},
            v1.GetTransactionStatusResponse(outcome=v1.OUTCOME_OK, balance=100, state=v1.TRANSACTION_STATE_CANCELED),
        ),
        (
            "GetTransactionStatus",
            {"account": "ann", "checks": OF_STATUS, "trans_id": "new"},
            v1.GetTransactionStatusResponse(outcome=v1.OUTCOME_TRANSACTION_NOT_FOUND, balance=100),
        ),
    ],
)
async def test_an_outcome_of_the_ledger_in_the_words_of_the_contract(
    ledger: Ledger, method: str, fields: dict[str, Any], response: Message
) -> None:
    async with running(ledger) as (wallet, call):
        assert await call(method, **fields) == response
        assert wallet.calls == {method: 1}


@pytest.mark.parametrize("method", ["Authenticate", "GetBalance", "GetTransactionStatus"])
async def test_a_read_with_a_check_that_nobody_knows_is_an_invalid_argument(ledger: Ledger, method: str) -> None:
    async with running(ledger) as (_, call):
        with pytest.raises(grpc.aio.AioRpcError) as error:
            await call(method, account="ann", checks=(21, 77))

    assert error.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert error.value.details().startswith("expected checks among 21, 22")


# Many at once


async def test_many_equal_bets_at_once_move_money_once(ledger: Ledger) -> None:
    async with running(ledger) as (wallet, call):
        responses = await asyncio.gather(*(call("PlaceBet", **BET) for _ in range(100)))

    outcomes = sorted(response.outcome for response in responses)
    assert outcomes == [v1.OUTCOME_OK] + [v1.OUTCOME_ALREADY_PROCESSED] * 99
    assert {response.balance for response in responses} == {70}
    assert [row["delta_minor"] for row in ledger.dump()["movements"]] == [-30]
    assert wallet.calls["PlaceBet"] == 100


async def test_many_bets_at_once_spend_no_more_than_there_is(ledger: Ledger) -> None:
    async with running(ledger) as (_, call):
        bets = (
            call("PlaceBet", account="ann", checks=OF_BET, trans_id=f"b{number}", amount=30) for number in range(20)
        )
        responses = await asyncio.gather(*bets)

    outcomes = sorted(response.outcome for response in responses)
    assert outcomes == [v1.OUTCOME_OK] * 3 + [v1.OUTCOME_BALANCE_INSUFFICIENT] * 17
    assert ledger.get_balance("ann", ()).balance == 10


async def test_a_bet_and_its_cancel_at_once_leave_the_balance_as_it_was(ledger: Ledger) -> None:
    """Whichever comes first: cancelled afterwards, or refused because the cancel is remembered."""
    async with running(ledger) as (_, call):
        await asyncio.gather(
            *(
                call(method, account="ann", checks=(), trans_id=f"t{number}", **amount)
                for number in range(20)
                for method, amount in (("PlaceBet", {"amount": 5}), ("CancelTransaction", {}))
            )
        )

    assert ledger.get_balance("ann", ()).balance == 100


async def test_a_slow_disk_does_not_hold_the_event_loop(ledger: Ledger, tmp_path: Path) -> None:
    """While somebody else holds the write lock, the loop still takes calls, and can even free the lock."""
    fault = Scripted()
    other = sqlite3.connect(tmp_path / "wallet.db", isolation_level=None)
    async with running(ledger, fault) as (_, call):
        other.execute("BEGIN IMMEDIATE")
        first = asyncio.ensure_future(call("PlaceBet", **BET))
        await asyncio.wait_for(fault.arrived.wait(), TIMEOUT)
        fault.arrived.clear()
        second = asyncio.ensure_future(call("GetBalance", account="ann", checks=OF_BALANCE))
        await asyncio.wait_for(fault.arrived.wait(), TIMEOUT)
        assert not fault.committed.is_set()
        other.execute("ROLLBACK")

        assert [(await first).balance, (await second).balance] == [70, 70]
    other.close()


# Faults


async def test_a_fault_sees_the_call_on_both_sides_of_the_ledger(ledger: Ledger) -> None:
    fault = Scripted()
    async with running(ledger, fault) as (_, call):
        assert await call("PlaceBet", **BET) == BET_RESPONSE

    assert fault.seen == [("PlaceBet", BET_REQUEST), ("PlaceBet", BET_REQUEST, BET_RESPONSE)]


async def test_a_fault_before_the_ledger_leaves_it_untouched(ledger: Ledger) -> None:
    async def away() -> None:
        raise Abort(grpc.StatusCode.UNAVAILABLE, "away")

    before = ledger.dump()
    async with running(ledger, Scripted(before=away)) as (wallet, call):
        with pytest.raises(grpc.aio.AioRpcError) as error:
            await call("PlaceBet", **BET)

    assert (error.value.code(), error.value.details()) == (grpc.StatusCode.UNAVAILABLE, "away")
    assert ledger.dump() == before
    assert wallet.calls == {"PlaceBet": 1}


async def test_a_fault_after_the_commit_leaves_the_money_moved(ledger: Ledger) -> None:
    async def lost() -> Message:
        raise Abort(grpc.StatusCode.DEADLINE_EXCEEDED)

    async with running(ledger, Scripted(after=lost)) as (_, call):
        with pytest.raises(grpc.aio.AioRpcError) as error:
            await call("PlaceBet", **BET)

    assert error.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert ledger.get_balance("ann", ()).balance == 70


async def test_a_fault_may_replace_the_response(ledger: Ledger) -> None:
    lie = v1.PlaceBetResponse(outcome=v1.OUTCOME_UNSPECIFIED, balance=7)

    async def liar() -> Message:
        return lie

    async with running(ledger, Scripted(after=liar)) as (_, call):
        assert await call("PlaceBet", **BET) == lie

    assert ledger.get_balance("ann", ()).balance == 70


async def test_a_bug_is_a_status_that_says_nothing_of_money(ledger: Ledger) -> None:
    async def bug() -> None:
        raise ZeroDivisionError

    async with running(ledger, Scripted(before=bug)) as (_, call):
        with pytest.raises(grpc.aio.AioRpcError) as error:
            await call("PlaceBet", **BET)

    assert error.value.code() is grpc.StatusCode.UNKNOWN


async def test_a_bet_lands_though_its_caller_has_left(ledger: Ledger) -> None:
    """As in most wallets; it is what a gateway must be able to live with."""
    go_on = asyncio.Event()

    async def hold_the_first() -> None:
        if len(fault.seen) == 1:
            await go_on.wait()

    fault = Scripted(before=hold_the_first)
    async with running(ledger, fault) as (_, call):
        bet = call("PlaceBet", **BET)
        await asyncio.wait_for(fault.arrived.wait(), TIMEOUT)
        bet.cancel()
        # The connection keeps the order: with the second call the wallet has read that the first was cancelled.
        response = await call("GetBalance", account="ann", checks=OF_BALANCE)
        assert response.balance == 100

        fault.committed.clear()
        go_on.set()
        await asyncio.wait_for(fault.committed.wait(), TIMEOUT)

    assert ledger.get_balance("ann", ()).balance == 70


# Starting and stopping


async def test_a_call_in_flight_is_answered_before_the_wallet_stops(ledger: Ledger) -> None:
    go_on = asyncio.Event()
    fault = Scripted(before=go_on.wait)
    wallet = DemoWallet(ledger, fault=fault)
    async with calling(await wallet.start("127.0.0.1:0")) as call:
        bet = asyncio.ensure_future(call("PlaceBet", **BET))
        await asyncio.wait_for(fault.arrived.wait(), TIMEOUT)
        stopping = asyncio.create_task(wallet.stop(TIMEOUT))
        await asyncio.sleep(0)
        go_on.set()

        assert await bet == BET_RESPONSE
        await stopping


async def test_a_call_that_does_not_end_is_dropped_after_the_grace(ledger: Ledger) -> None:
    before = ledger.dump()
    fault = Scripted(before=asyncio.Event().wait)
    wallet = DemoWallet(ledger, fault=fault)
    async with calling(await wallet.start("127.0.0.1:0")) as call:
        bet = asyncio.ensure_future(call("PlaceBet", **BET))
        await asyncio.wait_for(fault.arrived.wait(), TIMEOUT)
        await wallet.stop(0.01)

        with pytest.raises(grpc.aio.AioRpcError):
            await bet
    assert ledger.dump() == before


async def test_a_wallet_comes_back_on_its_port_with_what_it_knew(ledger: Ledger) -> None:
    first = DemoWallet(ledger)
    port = await first.start("127.0.0.1:0")
    async with calling(port) as call:
        await call("PlaceBet", **BET)
    await first.stop()

    second = DemoWallet(ledger)
    assert await second.start(f"127.0.0.1:{port}") == port
    async with calling(port) as call:
        response = await call("PlaceBet", **BET)
    await second.stop()
    assert response == v1.PlaceBetResponse(outcome=v1.OUTCOME_ALREADY_PROCESSED, balance=70)


async def test_an_address_in_use_is_an_error(ledger: Ledger) -> None:
    first = DemoWallet(ledger)
    port = await first.start("127.0.0.1:0")

    with pytest.raises(OSError, match=f"cannot listen on 127.0.0.1:{port}"):
        await DemoWallet(ledger).start(f"127.0.0.1:{port}")

    await first.stop()


async def test_a_port_is_shared_only_on_purpose(ledger: Ledger) -> None:
    first, second = DemoWallet(ledger), DemoWallet(ledger)
    port = await first.start("127.0.0.1:0", reuse_port=True)

    assert await second.start(f"127.0.0.1:{port}", reuse_port=True) == port

    await first.stop()
    await second.stop()


@pytest.mark.parametrize("listen", ["", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:x"])
async def test_an_address_needs_a_port(ledger: Ledger, listen: str) -> None:
    with pytest.raises(ValueError, match="expected HOST:PORT to listen on"):
        await DemoWallet(ledger).start(listen)


# serve


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_serve_runs_until_a_signal(tmp_path: Path, number: signal.Signals) -> None:
    port: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    server = asyncio.create_task(serve("127.0.0.1:0", tmp_path / "wallet.db", ready=port.set_result))
    async with calling(await port) as call:
        response = await call("GetBalance", account="test1234", checks=OF_BALANCE)
        assert response == v1.GetBalanceResponse(outcome=v1.OUTCOME_OK, balance=500_000)

        signal.raise_signal(number)
        signal.raise_signal(number)
        await asyncio.wait_for(server, TIMEOUT)

        with pytest.raises(grpc.aio.AioRpcError):
            await call("GetBalance", account="test1234", checks=OF_BALANCE)
    assert signal.getsignal(number) in {signal.SIG_DFL, signal.default_int_handler}


@pytest.mark.parametrize(("remembers_cancels", "outcome"), [(True, v1.OUTCOME_FAILED), (False, v1.OUTCOME_OK)])
async def test_serve_can_forget_cancels(tmp_path: Path, *, remembers_cancels: bool, outcome: int) -> None:
    port: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    server = asyncio.create_task(
        serve("127.0.0.1:0", tmp_path / "wallet.db", ready=port.set_result, remembers_cancels=remembers_cancels)
    )
    async with calling(await port) as call:
        await call("CancelTransaction", account="test1234", checks=OF_CANCEL, trans_id="t1")
        response = await call("PlaceBet", account="test1234", checks=OF_BET, trans_id="t1", amount=1)
    signal.raise_signal(signal.SIGTERM)
    await server

    assert response.outcome == outcome


async def test_serve_says_when_its_address_is_in_use(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(OSError, match=f"cannot listen on {listen}"):
            await serve(listen, tmp_path / "wallet.db", ready=print)


async def test_what_a_killed_wallet_answered_it_still_knows(tmp_path: Path) -> None:
    program = (
        "import asyncio, pathlib, sys\n"
        "from walletbridge.demo.wallet import serve\n"
        "ready = lambda port: print(port, flush=True)\n"
        "asyncio.run(serve('127.0.0.1:0', pathlib.Path(sys.argv[1]), ready=ready))\n"
    )
    path = tmp_path / "wallet.db"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, str(path), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    async with calling(int(await asyncio.wait_for(process.stdout.readline(), TIMEOUT))) as call:
        response = await call("PlaceBet", account="test1234", checks=OF_BET, trans_id="b1", amount=1000)
        process.kill()
        await process.wait()
    assert response == v1.PlaceBetResponse(outcome=v1.OUTCOME_OK, balance=499_000)

    ledger = Ledger(path)
    outcome = ledger.place_bet("test1234", OF_BET, "b1", 1000)
    ledger.close()
    assert (outcome.result, outcome.balance) == (Result.ALREADY_PROCESSED, 499_000)

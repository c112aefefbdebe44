"""A wallet with a proto of its own, on a real server: look-ups, questions for the balance, statuses and details."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.any_pb2 import Any as AnyMessage
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status
from tests.support.clock import FakeClock
from tests.support.mappings import BANK, BANK_MAPPING, bind, callback, schema_of, undo, write_bank
from tests.support.scripted_wallet import HOST, Hang, ScriptedWallet, Step, abort, raw, reply, running_wallet
from tests.support.waiting import until

from walletbridge.observe.trace import Trace
from walletbridge.protocol.callbacks import Callback, Command
from walletbridge.protocol.errors import OutcomeUnknown
from walletbridge.protocol.outcomes import Outcome, Result
from walletbridge.settings import Wallet as WalletSettings
from walletbridge.wallet.channel import Channel
from walletbridge.wallet.client import GrpcWallet

FOUND = reply(user={"id": 7, "is_active": True})
BLOCKED = reply(user={"id": 7, "is_active": False})
NOBODY = reply()
BALANCE = reply(status=1, balance="50.25")
OK = reply(status=1, balance="40.00")
AWAY = abort(grpc.StatusCode.UNAVAILABLE)


class Bench:
    """A client of the bank."""

    def __init__(self, port: int, mapping: Path, server: ScriptedWallet, *, connect_wait: float) -> None:
        self.server = server
        self.clock = FakeClock()
        self.channel = Channel(WalletSettings(target=f"{HOST}:{port}"), on_change=lambda _: None)
        self.client = GrpcWallet(self.channel, bind(mapping), calls_max=10, connect_wait=connect_wait, clock=self.clock)
        self.trace = Trace(calls=[])
        server.script("FindUser", FOUND)
        server.script("GetBalance", BALANCE)

    async def call(self, sample: Callback | str, *, seconds: float = 10.0) -> Outcome:
        self.trace = Trace(calls=[])
        sample = callback(sample) if isinstance(sample, str) else sample
        return await self.client.call(sample, deadline=self.clock() + seconds, trace=self.trace)

    async def unknown(self, sample: Callback | str, *, seconds: float = 10.0) -> OutcomeUnknown:
        with pytest.raises(OutcomeUnknown) as caught:
            await self.call(sample, seconds=seconds)
        return caught.value

    @property
    def called(self) -> list[str]:
        return [call.method.name for call in self.server.calls]


@asynccontextmanager
async def bank(folder: Path, mapping: str = BANK_MAPPING, *, connect_wait: float = 10) -> AsyncIterator[Bench]:
    path = write_bank(folder, mapping)
    async with running_wallet(schema_of(BANK).services["bank.Wallet"]) as (server, port):
        bench = Bench(port, path, server, connect_wait=connect_wait)
        try:
            yield bench
        finally:
            await bench.channel.close()


async def test_a_bet_looks_the_player_up_and_is_made(tmp_path: Path) -> None:
    async with bank(tmp_path) as bench:
        bench.server.script("Debit", OK)

        assert await bench.call("bet") == Outcome(Result.OK, 4000)
        assert bench.called == ["FindUser", "Debit"]
        debit = bench.server.calls[1]
        assert (debit.request.user_id, debit.request.amount, debit.request.reference) == (
            7,
            "1000.00",
            "bet:1676358190",
        )
        metadata = dict(debit.context.invocation_metadata())
        assert (metadata["x-client"], metadata["x-request"]) == ("walletbridge", "bet-1676358190")
        assert bench.trace.calls is not None
        assert [call.method for call in bench.trace.calls] == ["bank.Wallet/FindUser", "bank.Wallet/Debit"]
        assert (bench.trace.wallet_method, bench.trace.tries, bench.trace.grpc_status) == ("bank.Wallet/Debit", 1, "OK")


async def test_who_watches_sees_metadata_but_nothing_of_the_environment(tmp_path: Path) -> None:
    mapping = BANK_MAPPING.replace("  x-client: walletbridge\n", '  x-client: walletbridge\n  x-key: "{env.API_KEY}"\n')
    async with bank(tmp_path, mapping) as bench:
        bench.server.script("Debit", OK)
        await bench.call("bet")

        sent = dict(bench.server.calls[1].context.invocation_metadata())
        assert sent["x-key"] == "sesame"
        assert bench.trace.calls is not None
        shown = dict(bench.trace.calls[1].metadata)
        assert shown == {"x-client": "walletbridge", "x-key": "***", "x-request": "bet-1676358190"}
        assert "sesame" not in repr(bench.trace.calls)


async def test_a_player_is_looked_up_once_while_it_is_kept(tmp_path: Path) -> None:
    async with bank(tmp_path) as bench:
        bench.server.script("Debit", OK)
        for _ in range(3):
            await bench.call("bet")
        bench.clock.tick(301)
        await bench.call("bet")

        assert bench.called == ["FindUser", "Debit", "Debit", "Debit", "FindUser", "Debit"]


async def test_a_player_who_is_gone_is_looked_up_anew(tmp_path: Path) -> None:
    async with bank(tmp_path) as bench:
        bench.server.script("Debit", reply(status=2), OK)

        assert (await bench.call("bet")).result is Result.PLAYER_NOT_FOUND
        await bench.call("bet")
        assert bench.called == ["FindUser", "Debit", "FindUser", "Debit"]


@pytest.mark.parametrize(("found", "result"), [(NOBODY, 21), (BLOCKED, 22)])
async def test_a_look_up_s_refusal_is_the_answer_and_is_not_kept(tmp_path: Path, found: Step, result: int) -> None:
    async with bank(tmp_path) as bench:
        bench.server.script("FindUser", found, FOUND)
        bench.server.script("Debit", OK)

        assert await bench.call("bet") == Outcome(Result(result))
        assert bench.trace.tries == 0
        assert (await bench.call("bet")).result is Result.OK


async def test_whether_a_player_is_active_counts_only_where_it_is_asked(tmp_path: Path) -> None:
    """The resolver delivers a win to a player who was blocked meanwhile."""
    async with bank(tmp_path) as bench:
        bench.server.script("FindUser", BLOCKED)
        bench.server.script("Credit", OK)

        assert (await bench.call(callback("win", check="41"))).result is Result.OK
        assert (await bench.call("win")).result is Result.PLAYER_INACTIVE


async def test_a_blocked_player_of_whom_the_look_up_says_no_more_cannot_be_called_for(tmp_path: Path) -> None:
    status = "      - {grpc: status, values: {PERMISSION_DENIED: 22}}\npromises:"
    async with bank(tmp_path, BANK_MAPPING.replace("promises:", status, 1)) as bench:
        bench.server.script("FindUser", abort(grpc.StatusCode.PERMISSION_DENIED))

        assert (await bench.call("win")).result is Result.PLAYER_INACTIVE
        assert (await bench.unknown(callback("win", check="41"))).sent is False
        assert "Credit" not in bench.called


@pytest.mark.parametrize(
    ("step", "reason"),
    [
        (abort(grpc.StatusCode.INTERNAL), "the look-up player: the wallet answered INTERNAL"),
        (raw(b"\xff"), "the look-up player: the wallet's response is not one of this method"),
    ],
)
async def test_a_look_up_that_fails_leaves_the_movement_unsent(tmp_path: Path, step: Step, reason: str) -> None:
    async with bank(tmp_path) as bench:
        bench.server.script("FindUser", step)
        unknown = await bench.unknown("bet")

        assert (unknown.reason, unknown.sent) == (reason, False)
        assert (bench.trace.tries, bench.trace.wallet_method) == (1, "bank.Wallet/FindUser")
        assert "Debit" not in bench.called


async def test_a_look_up_that_never_comes_back_leaves_the_movement_unsent(tmp_path: Path) -> None:
    async with bank(tmp_path) as bench:
        bench.server.script("FindUser", AWAY)
        call = asyncio.ensure_future(bench.unknown("bet", seconds=0.5))
        while not call.done():
            await asyncio.sleep(0.01)
            bench.clock.tick(0.05)

        assert (await call).sent is False
        assert "Debit" not in bench.called


@pytest.mark.parametrize("command", ["bet", "win"])
async def test_a_movement_waits_no_longer_for_a_connection_for_its_look_up_than_for_itself(
    tmp_path: Path, command: str
) -> None:
    async with bank(tmp_path, connect_wait=0.03) as bench:
        assert await bench.channel.wait_until_ready(10)
        await bench.server.stop()
        await until(lambda: not bench.channel.is_ready)
        async with asyncio.timeout(1):
            unknown = await bench.unknown(command)

        assert (unknown.sent, bench.called) == (False, [])
        assert "there is no connection to the wallet" in unknown.reason


async def test_a_look_up_is_tried_again_while_the_wallet_is_away(tmp_path: Path) -> None:
    async with bank(tmp_path) as bench:
        bench.server.script("FindUser", AWAY, FOUND)
        bench.server.script("Debit", OK)

        assert (await bench.call("bet")).result is Result.OK
        assert bench.called == ["FindUser", "FindUser", "Debit"]


@pytest.mark.parametrize("status", [status for status in grpc.StatusCode if status is not grpc.StatusCode.OK])
async def test_a_movement_is_sent_once_whatever_its_status(tmp_path: Path, status: grpc.StatusCode) -> None:
    async with bank(tmp_path) as bench:
        bench.server.script("Credit", abort(status), OK)
        if status.name in {"NOT_FOUND", "ALREADY_EXISTS"}:
            assert (await bench.call("win")).result in {Result.PLAYER_NOT_FOUND, Result.ALREADY_PROCESSED}
        else:
            assert (await bench.unknown("win")).sent is True

        assert bench.called.count("Credit") == 1
        assert bench.trace.grpc_status == status.name


async def test_a_refusal_without_a_balance_asks_for_it(tmp_path: Path) -> None:
    async with bank(tmp_path) as bench:
        bench.server.script("Debit", reply(status=4, balance="1.00"))

        assert await bench.call("bet") == Outcome(Result.BALANCE_INSUFFICIENT, 5025)
        assert bench.called == ["FindUser", "Debit", "GetBalance"]
        assert (bench.trace.tries, bench.trace.wallet_method) == (1, "bank.Wallet/Debit")


async def test_what_was_made_stays_made_where_the_balance_cannot_be_read(tmp_path: Path) -> None:
    async with bank(tmp_path) as bench:
        for step in (abort(grpc.StatusCode.INTERNAL), reply(status=1, balance="?"), reply(status=2), raw(b"\xff")):
            bench.server.script("GetBalance", step)
            bench.server.script("Credit", OK)

            assert await bench.call(undo()) == Outcome(Result.OK, None)
            assert bench.trace.grpc_status == "OK"


async def test_a_look_up_that_fails_for_the_question_alone_is_not_the_command_s(tmp_path: Path) -> None:
    move = BANK_MAPPING.index("  cancel:\n")
    no_lookup = BANK_MAPPING[move:].replace("      lookup: player\n      method: Credit", "      method: Credit", 1)
    mapping = BANK_MAPPING[:move] + no_lookup.replace('"{player.user.id}"', "7", 1)
    async with bank(
        tmp_path, mapping.replace("        user_id: 7\n", '        user_id: 7\n        round: "{account}"\n', 1)
    ) as bench:
        bench.server.script("FindUser", abort(grpc.StatusCode.INTERNAL))
        bench.server.script("Credit", reply(status=6))

        assert await bench.call(undo()) == Outcome(Result.FAILED, None)
        assert (bench.trace.wallet_method, bench.trace.grpc_status, bench.trace.tries) == (
            "bank.Wallet/Credit",
            "OK",
            1,
        )
        assert bench.called == ["Credit", "FindUser"]


async def test_a_question_for_the_balance_ends_with_the_budget(tmp_path: Path) -> None:
    async with bank(tmp_path) as bench:
        hang = Hang()
        bench.server.script("GetBalance", hang)
        bench.server.script("Credit", OK)

        assert await bench.call(undo(), seconds=0.5) == Outcome(Result.OK, None)


async def test_a_caller_that_is_cancelled_during_the_question_still_hears_what_was_made(tmp_path: Path) -> None:
    async with bank(tmp_path) as bench:
        hang = Hang()
        bench.server.script("GetBalance", hang)
        bench.server.script("Credit", OK)
        call = asyncio.ensure_future(bench.call(undo()))
        await hang.arrived.wait()
        call.cancel()

        assert await call == Outcome(Result.OK, None)
        assert bench.client.in_flight == 0


async def test_a_caller_that_is_cancelled_during_the_look_up_knows_that_nothing_was_sent(tmp_path: Path) -> None:
    async with bank(tmp_path) as bench:
        hang = Hang()
        bench.server.script("FindUser", hang)
        call = asyncio.ensure_future(bench.unknown("bet"))
        await hang.arrived.wait()
        call.cancel()

        assert (await call).sent is False


async def test_an_undo_is_the_opposite_movement(tmp_path: Path) -> None:
    async with bank(tmp_path) as bench:
        bench.server.script("Credit", OK)
        bench.server.script("Debit", OK)
        await bench.call(undo(Command.BET, 250))
        await bench.call(undo(Command.WIN, 300))
        moves = [call for call in bench.server.calls if call.method.name in {"Credit", "Debit"}]

        assert [(move.method.name, move.request.amount, move.request.reference) for move in moves] == [
            ("Credit", "2.50", "cancel:7"),
            ("Debit", "3.00", "cancel:7"),
        ]


async def test_a_cancel_for_which_there_is_no_method_is_not_sent(tmp_path: Path) -> None:
    async with bank(tmp_path) as bench:
        unknown = await bench.unknown("cancel")

        assert (unknown.reason, unknown.sent) == ("the mapping binds no method to cancel", False)
        assert bench.called == []


@pytest.mark.parametrize(("domain", "result"), [("bank.example", Result.FAILED), ("other", None)])
async def test_a_reason_among_the_details_is_read(tmp_path: Path, domain: str, result: Result | None) -> None:
    details, packed = Status(code=9), AnyMessage()
    packed.Pack(ErrorInfo(reason="LIMIT", domain=domain))
    details.details.append(packed)
    trailer = ("grpc-status-details-bin", details.SerializeToString())
    async with bank(tmp_path) as bench:
        bench.server.script("Credit", abort(grpc.StatusCode.FAILED_PRECONDITION, trailer))
        if result is None:
            assert (await bench.unknown("win")).reason == "the wallet answered FAILED_PRECONDITION"
        else:
            assert (await bench.call("win")) == Outcome(result, 5025)


async def test_a_trailer_of_a_good_reply_is_read(tmp_path: Path) -> None:
    async def with_trailer(call: Any) -> bytes:
        call.context.set_trailing_metadata((("x-code", "41"),))
        return await OK(call)

    status = "      - field: status\n        values: {STATUS_OK: 0,"
    rule = "      - trailer: x-code\n        values: {'41': 41, '99': 99}\n"
    mapping = BANK_MAPPING.replace(status, rule + status)
    async with bank(tmp_path, mapping) as bench:
        bench.server.script("Credit", with_trailer)

        assert (await bench.call("win")).result is Result.ALREADY_PROCESSED


async def test_a_callback_that_the_request_cannot_hold_is_not_sent(tmp_path: Path) -> None:
    async with bank(tmp_path) as bench:
        unknown = await bench.unknown(callback("bet", type=3))

        assert "the table kinds has no line for the callback's value" in unknown.reason
        assert unknown.sent is False
        assert (await bench.unknown(callback("bet", trans_id="ä"))).sent is False
        assert "Debit" not in bench.called

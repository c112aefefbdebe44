"""An example wallet on a real socket: its words on the wire, and what faults make of them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
import grpc.aio
import pytest
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass
from tests.examples.books import Books
from tests.examples.catalog import WALLETS
from tests.examples.server import Declined, WalletServer
from tests.examples.service import Refused

from walletbridge.demo.wallet import Abort

PLAYER = "ann"


class Scripted:
    """A fault that a test sets."""

    def __init__(self) -> None:
        self.raised_before: Exception | None = None
        self.response: Any = None
        self.seconds = 0.0

    async def before(self, method: str, request: Message) -> None:
        del method, request
        await asyncio.sleep(self.seconds)
        if self.raised_before:
            raise self.raised_before

    async def after(self, method: str, request: Message, response: Message) -> Message:
        del method, request
        return self.response or response


class Caller:
    """Calls one wallet, with all that a test may look at or change."""

    def __init__(
        self, server: WalletServer, port: int, books: Books, fault: Scripted, channel: grpc.aio.Channel
    ) -> None:
        self.server = server
        self.port = port
        self.books = books
        self.fault = fault
        self._channel = channel

    async def call(self, method: str, *, seconds: float | None = None, **fields: Any) -> Any:
        proto = self.server._wallet.proto
        descriptor = proto.service.methods_by_name[method]
        call = self._channel.unary_unary(
            f"/{proto.service.full_name}/{method}",
            request_serializer=lambda message: message.SerializeToString(),
        )
        body = await call(proto.message(descriptor.input_type.name, **fields), timeout=seconds)
        return GetMessageClass(descriptor.output_type).FromString(body)

    async def debit(self, **options: Any) -> Any:
        return await self.call("Debit", user_id=PLAYER, amount=1, idempotency_key="bet:1", **options)

    @property
    def balance(self) -> int:
        return self.books.balances()[PLAYER][0]


@asynccontextmanager
async def serving(name: str) -> AsyncIterator[Caller]:
    books, fault = Books(":memory:"), Scripted()
    books.add_player(PLAYER, 1000)
    server = WalletServer(WALLETS[name](books), fault=fault)
    port = await server.start("127.0.0.1:0")
    try:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            yield Caller(server, port, books, fault, channel)
    finally:
        await server.stop()
        books.close()


async def test_it_answers_in_its_own_words() -> None:
    async with serving("debit-credit") as caller:
        response = await caller.debit()

        assert (response.success, response.balance, caller.balance) == (True, 9, 900)
        assert caller.server.calls == {"Debit": 1}


async def test_a_status_travels_with_its_details() -> None:
    async with serving("error-info") as caller:
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await caller.call("GetPlayer", name="players/eve")

        assert raised.value.code() is grpc.StatusCode.NOT_FOUND
        trailers = dict(raised.value.trailing_metadata() or ())
        assert b"PLAYER_NOT_FOUND" in trailers["grpc-status-details-bin"]


async def test_what_was_refused_may_have_left_something_behind() -> None:
    async with serving("error-info") as caller:
        with pytest.raises(grpc.aio.AioRpcError):
            await caller.call("ReverseTransaction", player=f"players/{PLAYER}", transaction_id="1")

        with caller.books.step():
            assert caller.books.is_refused("1")


async def test_a_wallet_declines_without_asking_its_books() -> None:
    async with serving("debit-credit") as caller:
        caller.fault.raised_before = Declined()
        response = await caller.debit()

        assert (response.success, response.message, caller.balance) == (False, "rejected", 1000)


@pytest.mark.parametrize("error", [Abort(grpc.StatusCode.ABORTED), Refused(grpc.StatusCode.ABORTED)])
async def test_a_fault_ends_the_call_with_a_status(error: Exception) -> None:
    async with serving("debit-credit") as caller:
        caller.fault.raised_before = error
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await caller.debit()

        assert (raised.value.code(), caller.balance) == (grpc.StatusCode.ABORTED, 1000)


async def test_a_fault_answers_with_what_is_no_message() -> None:
    async with serving("debit-credit") as caller:
        caller.fault.response = b"\xff\xff\xff"
        with pytest.raises(DecodeError):
            await caller.debit()

        assert caller.balance == 900


async def test_a_call_ends_also_when_its_caller_has_left() -> None:
    async with serving("debit-credit") as caller:
        caller.fault.seconds = 0.2
        with pytest.raises(grpc.aio.AioRpcError):
            await caller.debit(seconds=0.05)
        caller.fault.seconds = 0
        response = await caller.debit()
        async with asyncio.timeout(10):
            while caller.server._running:  # noqa: ASYNC110 - it sets no event
                await asyncio.sleep(0.01)

        assert (response.balance, caller.balance, caller.server.calls["Debit"]) == (9, 900, 2)


async def test_a_port_that_is_taken_is_an_error() -> None:
    async with serving("debit-credit") as caller:
        with pytest.raises(OSError, match="cannot listen"):
            await WalletServer(caller.server._wallet).start(f"127.0.0.1:{caller.port}")


@pytest.mark.parametrize("name", WALLETS)
async def test_every_wallet_can_say_what_its_mapping_does_not_name(name: str) -> None:
    """And what it declines with is another thing."""
    books = Books(":memory:")
    books.add_player(PLAYER, 1000)
    wallet = WALLETS[name](books)
    method = next(method for method in wallet.operations if method not in wallet.reads)
    response = GetMessageClass(wallet.proto.service.methods_by_name[method].output_type)()

    assert said(wallet.declined, method) != said(wallet.unlisted, method, response)
    books.close()


def said(words: Any, *arguments: Any) -> object:
    try:
        message: Message = words(*arguments)
    except Refused as refused:
        return refused.trailers
    return message.SerializePartialToString()

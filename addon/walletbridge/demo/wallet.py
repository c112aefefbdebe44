"""
The demo wallet as a gRPC server: `wallet.v1` over a `Ledger`.

The server adds no rules: it passes each request to the ledger's operation and translates the outcome to wallet.v1.
"""

import asyncio
import signal
from collections import Counter
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol

import grpc
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from walletbridge.demo.first_refusal import UnknownCheck
from walletbridge.demo.ledger import Ledger
from walletbridge.protocol.outcomes import Outcome, Result, TransactionState
from walletbridge.wallet.v1 import wallet_service_pb2 as v1

SERVICE = v1.DESCRIPTOR.services_by_name["WalletService"]
STOP_GRACE_SECONDS = 2.0

_PORTS = range(2**16)
_SIGNALS = (signal.SIGINT, signal.SIGTERM)

_OUTCOMES = {
    Result.OK: v1.OUTCOME_OK,
    Result.PLAYER_NOT_FOUND: v1.OUTCOME_PLAYER_NOT_FOUND,
    Result.PLAYER_INACTIVE: v1.OUTCOME_PLAYER_INACTIVE,
    Result.BALANCE_INSUFFICIENT: v1.OUTCOME_BALANCE_INSUFFICIENT,
    Result.ALREADY_PROCESSED: v1.OUTCOME_ALREADY_PROCESSED,
    Result.TRANSACTION_NOT_FOUND: v1.OUTCOME_TRANSACTION_NOT_FOUND,
    Result.FAILED: v1.OUTCOME_FAILED,
}
_STATES = {
    TransactionState.OK: v1.TRANSACTION_STATE_PROCESSED,
    TransactionState.CANCELED: v1.TRANSACTION_STATE_CANCELED,
}


class Abort(Exception):
    """Raised by a `Fault` to end the call with a gRPC status instead of a response. The ledger's changes stay made."""

    def __init__(self, code: grpc.StatusCode, details: str = "") -> None:
        super().__init__(code, details)
        self.code = code
        self.details = details


class Fault(Protocol):
    """A fault of a wallet, for tests and benches. `method` is a bare name such as `PlaceBet`."""

    async def before(self, method: str, request: Message) -> None:
        """Runs before the ledger's operation. May delay the call, or raise Abort."""

    async def after(self, method: str, request: Message, response: Message) -> Message:
        """Runs after the ledger's commit. May delay or replace the response, or raise Abort."""


class DemoWallet:
    """
    Serves `ledger`, one operation at a time, on its own thread.

    A started call finishes even if its caller has left, as in most wallets: a bet may be made after its deadline. The
    creator of the ledger closes it, after `stop`.
    """

    def __init__(self, ledger: Ledger, *, fault: Fault | None = None) -> None:
        self.calls: Counter[str] = Counter()
        """Number of calls by bare method name."""
        self._ledger = ledger
        self._fault = fault
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="demo-wallet")
        self._running: set[asyncio.Task[Message]] = set()
        self._server: Any = None

    async def start(self, listen: str, *, reuse_port: bool = False) -> int:
        """
        Listens on `listen` (`HOST:PORT`, port 0 for any free port) and returns the port.

        Raises ValueError if `listen` is no address, OSError if the address cannot be bound.
        """
        port = listen.rpartition(":")[2]
        # grpc reads a missing port as 443, and a port over 65535 modulo 65536.
        if not port.isdecimal() or int(port) not in _PORTS:
            raise ValueError(f"expected HOST:PORT to listen on, got {listen!r}")
        server = grpc.aio.server(options=(("grpc.so_reuseport", int(reuse_port)),))
        handlers = {method.name: self._handler(method) for method in SERVICE.methods}
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE.full_name, handlers),))
        try:
            bound: int = server.add_insecure_port(listen)
        except RuntimeError as error:
            raise OSError(f"cannot listen on {listen}: in use, or not an address of this machine") from error
        await server.start()
        self._server = server
        return bound

    async def stop(self, grace: float = 0) -> None:
        """
        Refuses new calls, waits `grace` seconds for open calls, and returns when the ledger has no operation running.
        """
        if self._server is not None:
            await self._server.stop(grace)
        for call in self._running:
            call.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        await asyncio.to_thread(self._worker.shutdown)

    def _handler(self, method: MethodDescriptor) -> Any:
        request_class, response_class = GetMessageClass(method.input_type), GetMessageClass(method.output_type)

        async def handle(request: Message, context: Any) -> Message:
            self.calls[method.name] += 1
            try:
                return await self._to_the_end(self._answer(method.name, request, response_class))
            except UnknownCheck as error:
                await context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
            except Abort as error:
                await context.abort(error.code, error.details)
            raise AssertionError("abort raises")

        return grpc.unary_unary_rpc_method_handler(
            handle, request_deserializer=request_class.FromString, response_serializer=response_class.SerializeToString
        )

    async def _to_the_end(self, answer: Coroutine[Any, Any, Message]) -> Message:
        call = asyncio.create_task(answer)
        self._running.add(call)
        call.add_done_callback(self._running.discard)
        return await asyncio.shield(call)

    async def _answer(self, method: str, request: Message, response_class: type[Message]) -> Message:
        if self._fault is not None:
            await self._fault.before(method, request)
        loop = asyncio.get_running_loop()
        outcome = await loop.run_in_executor(self._worker, _OPERATIONS[method], self._ledger, request)
        response = _response(response_class, outcome)
        if self._fault is not None:
            response = await self._fault.after(method, request, response)
        return response


def _response(response_class: Callable[..., Message], outcome: Outcome) -> Message:
    fields = {"outcome": _OUTCOMES[outcome.result], "balance": outcome.balance}
    if outcome.state is not None:
        fields["state"] = _STATES[outcome.state]
    return response_class(**fields)


def _authenticate(ledger: Ledger, request: v1.AuthenticateRequest) -> Outcome:
    return ledger.authenticate(request.account, request.checks)


def _get_balance(ledger: Ledger, request: v1.GetBalanceRequest) -> Outcome:
    return ledger.get_balance(request.account, request.checks)


def _place_bet(ledger: Ledger, request: v1.PlaceBetRequest) -> Outcome:
    return ledger.place_bet(request.account, request.checks, request.trans_id, request.amount, _requested_at(request))


def _settle_win(ledger: Ledger, request: v1.SettleWinRequest) -> Outcome:
    return ledger.settle_win(request.account, request.checks, request.trans_id, request.amount, _requested_at(request))


def _cancel_transaction(ledger: Ledger, request: v1.CancelTransactionRequest) -> Outcome:
    return ledger.cancel_transaction(request.account, request.checks, request.trans_id)


def _get_transaction_status(ledger: Ledger, request: v1.GetTransactionStatusRequest) -> Outcome:
    return ledger.get_transaction_status(request.account, request.checks, request.trans_id)


def _requested_at(request: v1.PlaceBetRequest | v1.SettleWinRequest) -> int | None:
    return request.requested_at.seconds if request.HasField("requested_at") else None


_OPERATIONS: dict[str, Callable[[Ledger, Any], Outcome]] = {
    "Authenticate": _authenticate,
    "GetBalance": _get_balance,
    "PlaceBet": _place_bet,
    "SettleWin": _settle_win,
    "CancelTransaction": _cancel_transaction,
    "GetTransactionStatus": _get_transaction_status,
}


async def serve(listen: str, db: Path, *, ready: Callable[[int], None], remembers_cancels: bool = True) -> None:
    """
    Serves the ledger in the file `db`, with the demo players, until SIGINT or SIGTERM; answers open calls first.

    Calls `ready` with the port. Raises ValueError and OSError as `DemoWallet.start` and `Ledger` do.
    """
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    ledger = Ledger(db, remembers_cancels=remembers_cancels)
    try:
        ledger.seed_demo_players()
        wallet = DemoWallet(ledger)
        port = await wallet.start(listen)
        try:
            for number in _SIGNALS:
                loop.add_signal_handler(number, stopping.set)
            ready(port)
            await stopping.wait()
        finally:
            await wallet.stop(STOP_GRACE_SECONDS)
            # Restore the signals only now: a repeated signal, from a terminal and its launcher, must not cut off open
            # calls.
            for number in _SIGNALS:
                loop.remove_signal_handler(number)
    finally:
        ledger.close()

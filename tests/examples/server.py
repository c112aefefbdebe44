"""
An example wallet as a gRPC server. What each call does is up to the wallet, and what goes wrong in it to a fault.
"""

import asyncio
from collections import Counter
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

import grpc
import grpc.aio
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from grpc_reflection.v1alpha import reflection
from tests.examples.service import ExampleWallet, Refused

from walletbridge.demo.wallet import Abort, Fault


class Declined(Exception):
    """Raised by a fault, before the books are asked, for a wallet that refuses for no reason."""


class WalletServer:
    """
    Serves one wallet, one operation at a time, on a thread of its own.

    A call that has begun runs to its end also when its caller has left. Whoever made the books closes them, when it
    has stopped.
    """

    def __init__(self, wallet: ExampleWallet, *, fault: Fault | None = None) -> None:
        self.calls: Counter[str] = Counter()
        """How often each method was called, by its bare name."""
        self._wallet = wallet
        self._fault = fault
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="example-wallet")
        self._running: set[asyncio.Task[Message]] = set()
        self._server: Any = None

    async def start(self, listen: str) -> int:
        """Listens on `listen` (`HOST:PORT`, port 0 for any free one) and returns the port. Raises OSError."""
        server = grpc.aio.server(options=(("grpc.so_reuseport", 0),))
        service = self._wallet.proto.service
        handlers = {name: self._handler(service.methods_by_name[name]) for name in self._wallet.operations}
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service.full_name, handlers),))
        reflection.enable_server_reflection([service.full_name], server, pool=self._wallet.proto.pool)
        try:
            bound: int = server.add_insecure_port(listen)
        except RuntimeError as error:
            raise OSError(f"cannot listen on {listen}") from error
        await server.start()
        self._server = server
        return bound

    async def stop(self, grace: float = 0) -> None:
        """Takes no new calls, gives those in flight `grace` seconds, and returns when the books are at rest."""
        if self._server is not None:
            await self._server.stop(grace)
        for call in self._running:
            call.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        await asyncio.to_thread(self._worker.shutdown)

    def _handler(self, method: MethodDescriptor) -> Any:
        async def handle(request: Message, context: Any) -> Message:
            self.calls[method.name] += 1
            try:
                return await self._to_the_end(self._answer(method.name, request))
            except Refused as refused:
                await context.abort(refused.code, refused.details, refused.trailers)
            except Abort as abort:
                await context.abort(abort.code, abort.details)
            raise AssertionError("abort raises")

        return grpc.unary_unary_rpc_method_handler(
            handle,
            request_deserializer=GetMessageClass(method.input_type).FromString,
            # A fault may answer with bytes that are no message.
            response_serializer=lambda said: said if isinstance(said, bytes) else said.SerializePartialToString(),
        )

    async def _to_the_end(self, answer: Coroutine[Any, Any, Message]) -> Message:
        call = asyncio.create_task(answer)
        self._running.add(call)
        call.add_done_callback(self._running.discard)
        return await asyncio.shield(call)

    async def _answer(self, method: str, request: Message) -> Message:
        try:
            if self._fault is not None:
                await self._fault.before(method, request)
        except Declined:
            return self._wallet.declined(method)
        loop = asyncio.get_running_loop()
        response: Any = await loop.run_in_executor(self._worker, self._operate, method, request)
        if self._fault is not None:
            response = await self._fault.after(method, request, response)
        if isinstance(response, Refused):
            raise response
        return cast("Message", response)

    def _operate(self, method: str, request: Message) -> Message | Refused:
        with self._wallet.books.step():
            try:
                return self._wallet.operations[method](request)
            except Refused as refused:
                # A refusal may have left something behind, which must be kept.
                return refused

"""A wallet.v1 server on a real socket: what each call comes to is written down beforehand, well-behaved or not."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import grpc
import grpc.aio
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from walletbridge.wallet.v1 import wallet_service_pb2 as v1

HOST = "127.0.0.1"
SERVICE = v1.DESCRIPTOR.services_by_name["WalletService"]


@dataclass(frozen=True, slots=True)
class Call:
    """A call that reached the server."""

    method: MethodDescriptor
    request: Any
    seconds_left: float
    """Of the caller's deadline, when the call came in."""
    context: Any


type Step = Callable[[Call], Awaitable[bytes]]
"""What a call comes to: the bytes of its response, or an abort."""


def reply(**fields: Any) -> Step:
    """A response with these fields. Any number may stand where an enum is expected."""

    async def step(call: Call) -> bytes:
        response: Message = GetMessageClass(call.method.output_type)(**fields)
        return response.SerializeToString()

    return step


OK = reply(outcome=v1.OUTCOME_OK, balance=400000)


def raw(body: bytes) -> Step:
    """A response that need not be a message."""

    async def step(_: Call) -> bytes:
        return body

    return step


def abort(status: grpc.StatusCode, *trailers: tuple[str, str | bytes]) -> Step:
    """Ends the call with a gRPC status."""

    async def step(call: Call) -> bytes:
        await call.context.abort(status, "said so in the test", trailers)
        raise AssertionError("abort raises")

    return step


def delayed(seconds: float, step: Step) -> Step:
    """Goes on after a while."""

    async def later(call: Call) -> bytes:
        await asyncio.sleep(seconds)
        return await step(call)

    return later


class Hang:
    """A step that waits until the test lets it go."""

    def __init__(self, then: Step = OK) -> None:
        self._then = then
        self.arrived = asyncio.Event()
        self._released = asyncio.Event()

    async def __call__(self, call: Call) -> bytes:
        self.arrived.set()
        await self._released.wait()
        return await self._then(call)

    def release(self) -> None:
        self._released.set()


class ScriptedWallet:
    """Serves every method of wallet.v1, or of another service. A method without a script answers OK."""

    def __init__(self, service: ServiceDescriptor = SERVICE) -> None:
        self._service = service
        self.calls: list[Call] = []
        self._steps: defaultdict[str, list[Step]] = defaultdict(lambda: [OK])
        self._server: Any = None

    def script(self, method: str, *steps: Step) -> None:
        """The next calls of `method`, by its bare name, go through `steps`; the last one counts again and again."""
        self._steps[method] = list(steps)

    @property
    def counts(self) -> Counter[str]:
        """How many calls of each method came in."""
        return Counter(call.method.name for call in self.calls)

    async def start(self, port: int = 0, *, credentials: grpc.ServerCredentials | None = None) -> int:
        """Listens and returns the port."""
        self._server = grpc.aio.server()
        handlers = {method.name: self._handler(method) for method in self._service.methods}
        self._server.add_generic_rpc_handlers(
            (grpc.method_handlers_generic_handler(self._service.full_name, handlers),)
        )
        address = f"{HOST}:{port}"
        if credentials is None:
            bound: int = self._server.add_insecure_port(address)
        else:
            bound = self._server.add_secure_port(address, credentials)
        await self._server.start()
        return bound

    async def stop(self) -> None:
        """Drops the calls in flight and the connections."""
        await self._server.stop(None)

    def _handler(self, method: MethodDescriptor) -> Any:
        async def handle(request: Message, context: Any) -> bytes:
            call = Call(method, request, context.time_remaining(), context)
            self.calls.append(call)
            steps = self._steps[method.name]
            return await (steps.pop(0) if len(steps) > 1 else steps[0])(call)

        return grpc.unary_unary_rpc_method_handler(
            handle, request_deserializer=GetMessageClass(method.input_type).FromString
        )


@asynccontextmanager
async def running_wallet(
    service: ServiceDescriptor = SERVICE, *, credentials: grpc.ServerCredentials | None = None
) -> AsyncIterator[tuple[ScriptedWallet, int]]:
    """A wallet and its port."""
    wallet = ScriptedWallet(service)
    port = await wallet.start(credentials=credentials)
    try:
        yield wallet, port
    finally:
        await wallet.stop()

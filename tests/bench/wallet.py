"""
A wallet that says OK to everything at once, so that what is measured is what stands in front of it.

`python -m` starts it.
"""

import asyncio
from typing import Any

import grpc
import grpc.aio
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message_factory import GetMessageClass
from tests.bench.by_hand import announce
from tests.bench.load import BALANCE_MINOR

from walletbridge.wallet.v1 import wallet_service_pb2 as v1

_SERVICE = v1.DESCRIPTOR.services_by_name["WalletService"]


async def serve() -> None:
    """Serves until it is ended from outside."""
    server = grpc.aio.server()
    handlers = {method.name: _handler(method) for method in _SERVICE.methods}
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(_SERVICE.full_name, handlers),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    announce([f"127.0.0.1:{port}"])
    await server.wait_for_termination()


def _handler(method: MethodDescriptor) -> Any:
    state = {"state": v1.TRANSACTION_STATE_PROCESSED} if method.name == "GetTransactionStatus" else {}
    message = GetMessageClass(method.output_type)(outcome=v1.OUTCOME_OK, balance=BALANCE_MINOR, **state)
    response = message.SerializeToString()

    async def handle(request: bytes, context: object) -> bytes:
        del request, context
        return response

    # Without serializers: bytes come in unread, bytes go out.
    return grpc.unary_unary_rpc_method_handler(handle)


if __name__ == "__main__":
    asyncio.run(serve())

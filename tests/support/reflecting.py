"""A real server with gRPC's reflection and nothing else."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
import grpc.aio
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from grpc_reflection.v1alpha import reflection_pb2
from tests.support.scripted_wallet import HOST

_NAME = "grpc.reflection.v1.ServerReflection"


@asynccontextmanager
async def reflecting(files: FileDescriptorSet, service: str) -> AsyncIterator[int]:
    """Serves the protos of one service, and gives the port."""
    data = [file.SerializeToString() for file in files.file]

    async def info(requests: AsyncIterator[Any], _: Any) -> AsyncIterator[Any]:
        async for request in requests:
            if request.HasField("list_services"):
                listed = {"service": [{"name": _NAME}, {"name": service}]}
                yield reflection_pb2.ServerReflectionResponse(list_services_response=listed)
            else:
                described = {"file_descriptor_proto": data}
                yield reflection_pb2.ServerReflectionResponse(file_descriptor_response=described)

    handler = grpc.stream_stream_rpc_method_handler(
        info,
        request_deserializer=reflection_pb2.ServerReflectionRequest.FromString,
        response_serializer=reflection_pb2.ServerReflectionResponse.SerializeToString,
    )
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(_NAME, {"ServerReflectionInfo": handler}),))
    port = server.add_insecure_port(f"{HOST}:0")
    await server.start()
    try:
        yield port
    finally:
        await server.stop(None)

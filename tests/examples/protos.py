"""Compiles an example's own wallet.proto, with the messages in a pool of their own."""

from functools import cache
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import grpc_tools
from google.protobuf.descriptor import ServiceDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.type import money_pb2
from grpc_tools import protoc

EXAMPLES = Path(__file__).parents[2] / "config" / "examples"


class Proto:
    """The types of one wallet.proto."""

    def __init__(self, pool: DescriptorPool, service: ServiceDescriptor) -> None:
        self.pool = pool
        self.service = service
        """The one service of the file."""

    def message(self, name: str, /, **fields: Any) -> Message:
        """A message of the file's package, by its bare name."""
        descriptor = self.pool.FindMessageTypeByName(f"{self.service.file.package}.{name}")
        return GetMessageClass(descriptor)(**fields)


@cache
def load_proto(example: str) -> Proto:
    """Compiles `config/examples/EXAMPLE/wallet.proto`. Raises ValueError where protoc refuses it."""
    pool = DescriptorPool()
    for file in _descriptors(EXAMPLES / example).file:
        pool.Add(file)
    (service,) = pool.FindFileByName("wallet.proto").services_by_name.values()
    return Proto(pool, service)


def _descriptors(folder: Path) -> FileDescriptorSet:
    with TemporaryDirectory() as output:
        path = Path(output) / "wallet.binpb"
        includes = [folder, Path(str(files(grpc_tools) / "_proto")), Path(money_pb2.__file__).parents[2]]
        arguments = ["protoc", *(f"-I{include}" for include in includes), "--include_imports"]
        if protoc.main([*arguments, f"--descriptor_set_out={path}", "wallet.proto"]):
            raise ValueError(f"{folder}: protoc refuses wallet.proto")
        return FileDescriptorSet.FromString(path.read_bytes())

"""
An operator's protos: their services, methods and messages, in their own descriptor pool.
"""

from collections.abc import Iterable
from functools import cache

from google.protobuf import (
    any_pb2,
    descriptor_pool,
    duration_pb2,
    empty_pb2,
    field_mask_pb2,
    struct_pb2,
    timestamp_pb2,
    wrappers_pb2,
)
from google.protobuf.descriptor import Descriptor, MethodDescriptor, ServiceDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass
from google.rpc import code_pb2, error_details_pb2, status_pb2
from google.type import money_pb2

_COMMON = (
    any_pb2,
    code_pb2,
    duration_pb2,
    empty_pb2,
    error_details_pb2,
    field_mask_pb2,
    money_pb2,
    status_pb2,
    struct_pb2,
    timestamp_pb2,
    wrappers_pb2,
)
"""Imported so that the default pool has them: a descriptor set may lack them."""


class BadSchema(ValueError):
    """Raised for protos that cannot be used; the text names the mistake and its place."""


class Schema:
    """The services that `files` describe. Raises BadSchema for files that do not fit together."""

    def __init__(self, files: FileDescriptorSet) -> None:
        pool = descriptor_pool.DescriptorPool()
        self.services: dict[str, ServiceDescriptor] = {}
        """By full name."""
        by_name = {file.name: file for file in files.file}
        added: set[str] = set()
        for file in by_name.values():
            _add(file, by_name, pool, added)
        for file in by_name.values():
            for service in file.service:
                name = f"{file.package}.{service.name}" if file.package else service.name
                self.services[name] = pool.FindServiceByName(name)

    @property
    def methods(self) -> dict[str, MethodDescriptor]:
        """By full name, such as `wallet.v1.WalletService/PlaceBet`."""
        return {
            f"{service.full_name}/{method.name}": method
            for service in self.services.values()
            for method in service.methods
        }


@cache
def message_class(descriptor: Descriptor) -> type[Message]:
    """The class of a message; the same class each time."""
    return GetMessageClass(descriptor)


def read_descriptor_set(data: bytes) -> FileDescriptorSet:
    """Reads a file of `protoc --descriptor_set_out` or `buf build`. Raises BadSchema."""
    try:
        files = FileDescriptorSet.FromString(data)
    except DecodeError:
        raise BadSchema(
            "is no descriptor set, such as `protoc --include_imports --descriptor_set_out` writes"
        ) from None
    if not files.file:
        raise BadSchema("describes no file")
    return files


def _add(
    file: FileDescriptorProto,
    by_name: dict[str, FileDescriptorProto],
    pool: descriptor_pool.DescriptorPool,
    added: set[str],
) -> None:
    """Adds `file` after its imports."""
    if file.name in added:
        return
    added.add(file.name)
    for name in file.dependency:
        _add(by_name.get(name) or _common(name, file.name), by_name, pool, added)
    try:
        pool.Add(file)
    except TypeError as error:
        raise BadSchema(f"{file.name}: {_first_line(error.args)}") from None


def _common(name: str, importer: str) -> FileDescriptorProto:
    """The common file `name`. Raises BadSchema where it is none."""
    found = FileDescriptorProto()
    try:
        descriptor_pool.Default().FindFileByName(name).CopyToProto(found)
    except KeyError:
        raise BadSchema(f"{importer} imports {name}, which is not there; is it built with its imports?") from None
    return found


def _first_line(arguments: Iterable[object]) -> str:
    text = " ".join(map(str, arguments))
    return text.partition("\n")[0]

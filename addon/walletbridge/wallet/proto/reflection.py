"""
Asks a running wallet for its protos, by gRPC's server reflection.
"""

import time
from collections.abc import Callable, Iterable
from typing import Any

import grpc
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet
from google.protobuf.message import DecodeError
from grpc_reflection.v1alpha import reflection_pb2

from walletbridge.settings import Wallet as WalletSettings
from walletbridge.wallet.channel import credentials, proxy_options
from walletbridge.wallet.proto.schema import BadSchema

ASK_SECONDS = 5.0
TOTAL_SECONDS = 30.0
"""For all questions together: a wallet may have many services and answer each slowly."""
FILES_MAX = 1000
SERVICES_MAX = 1000
_METHODS = (
    "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
)
"""The same on the wire. A server has one or both."""
_OWN = frozenset({"grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection"})


class NoReflection(BadSchema):
    """The wallet is there, but has no server reflection."""


def ask_for_protos(
    wallet: WalletSettings, services: Iterable[str], *, total_seconds: float = TOTAL_SECONDS
) -> FileDescriptorSet:
    """
    The files that declare `services` (if none is named, all services of the wallet), with their imports.

    Waits ASK_SECONDS for the connection, and `total_seconds` for all answers. Raises BadSchema where the wallet is
    away, is too slow, or lacks reflection or a service; SettingsError for a certificate that cannot be read.
    """
    if wallet.tls is None:
        channel = grpc.insecure_channel(wallet.target, options=proxy_options(wallet))
    else:
        channel = grpc.secure_channel(wallet.target, credentials(wallet.tls), options=proxy_options(wallet))
    with channel:
        try:
            grpc.channel_ready_future(channel).result(timeout=ASK_SECONDS)
        except grpc.FutureTimeoutError:
            raise BadSchema(
                f"{wallet.target} was not there within {ASK_SECONDS:g} s, so it cannot be asked for its protos by "
                "server reflection; start again when it is there, or give its .proto files or a descriptor set"
            ) from None
        ask = _asker(channel, wallet.target, total_seconds)
        names = list(services) or _services(ask)
        if len(names) > SERVICES_MAX:
            raise BadSchema(f"{wallet.target} names {len(names)} services, more than {SERVICES_MAX}")
        files: dict[str, FileDescriptorProto] = {}
        try:
            _gather(ask, names, files)
        except _OutOfTimeError:
            raise BadSchema(_too_slow(wallet.target, names, files, total_seconds)) from None
        return FileDescriptorSet(file=files.values())


class _OutOfTimeError(Exception):
    """All questions together took too long."""


def _too_slow(target: str, names: list[str], files: dict[str, FileDescriptorProto], seconds: float) -> str:
    """The message, with the numbers found: a person sees whether there are too many services."""
    found = {f"{file.package}.{service.name}".lstrip(".") for file in files.values() for service in file.service}
    return (
        f"{target} has told of {len(found.intersection(names))} of its {len(names)} services, in {len(files)} files, "
        f"within {seconds:g} s; give its .proto files or a descriptor set"
    )


type _Ask = Callable[..., Any]


def _asker(channel: Any, target: str, total_seconds: float) -> _Ask:
    ends_at = time.monotonic() + total_seconds

    def ask(**question: object) -> Any:
        left = ends_at - time.monotonic()
        if left <= 0:
            raise _OutOfTimeError
        request = reflection_pb2.ServerReflectionRequest(**question)
        status = grpc.StatusCode.UNIMPLEMENTED
        for path in _METHODS:
            call = channel.stream_stream(
                path,
                request_serializer=reflection_pb2.ServerReflectionRequest.SerializeToString,
                response_deserializer=reflection_pb2.ServerReflectionResponse.FromString,
            )
            try:
                for response in call(iter([request]), timeout=min(ASK_SECONDS, left)):
                    return response
            except grpc.RpcError as error:
                status = error.code()
            if status is not grpc.StatusCode.UNIMPLEMENTED:
                break
        if status is grpc.StatusCode.DEADLINE_EXCEEDED and left < ASK_SECONDS:
            raise _OutOfTimeError
        if status is grpc.StatusCode.UNIMPLEMENTED:
            raise NoReflection(f"{target} has no server reflection; give its .proto files or a descriptor set")
        raise BadSchema(f"{target} answers reflection with {status.name}")

    return ask


def _services(ask: _Ask) -> list[str]:
    return [found.name for found in ask(list_services="").list_services_response.service if found.name not in _OWN]


def _gather(ask: _Ask, services: Iterable[str], files: dict[str, FileDescriptorProto]) -> None:
    """Adds the services' files and their imports to `files`, by name; a server need not send imports along."""
    for service in services:
        response = ask(file_containing_symbol=service)
        if response.HasField("error_response"):
            raise BadSchema(f"the wallet has no service {service}, says its reflection")
        _keep(response, files)
    while missing := {name for file in files.values() for name in file.dependency} - files.keys():
        if len(files) + len(missing) > FILES_MAX:
            raise BadSchema(f"the wallet's protos are more than {FILES_MAX} files")
        for name in missing:
            response = ask(file_by_filename=name)
            if response.HasField("error_response"):
                raise BadSchema(f"the wallet's reflection does not have {name}, which its protos import")
            _keep(response, files)
            if name not in files:
                raise BadSchema(f"the wallet's reflection gives another file for {name}")


def _keep(response: Any, files: dict[str, FileDescriptorProto]) -> None:
    for data in response.file_descriptor_response.file_descriptor_proto:
        try:
            file = FileDescriptorProto.FromString(data)
        except DecodeError:
            raise BadSchema("the wallet's reflection answers with what is no file descriptor") from None
        files.setdefault(file.name, file)

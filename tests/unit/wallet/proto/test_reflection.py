"""Asks real servers for their protos."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import grpc.aio
import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet
from grpc_reflection.v1alpha import reflection_pb2
from tests.support.http_proxy import counting_proxy
from tests.support.mappings import SINK, compile_text
from tests.support.scripted_wallet import HOST

from walletbridge.settings import Wallet
from walletbridge.wallet.proto import reflection
from walletbridge.wallet.proto.reflection import ask_for_protos
from walletbridge.wallet.proto.schema import BadSchema, Schema

FILES = {file.name: file for file in compile_text(SINK).file}
Response = reflection_pb2.ServerReflectionResponse


def answer(request: Any, *, is_generous: bool) -> Any:
    """What a server says; a generous one gives a file with all that it imports."""
    if request.HasField("list_services"):
        services = [{"name": "grpc.reflection.v1.ServerReflection"}, {"name": "sink.Sinks"}]
        return Response(list_services_response={"service": services})
    wanted = "test.proto" if request.file_containing_symbol == "sink.Sinks" else request.file_by_filename
    if wanted not in FILES:
        return Response(error_response={"error_code": 5})
    files = list(FILES.values()) if is_generous else [FILES[wanted]]
    return Response(file_descriptor_response={"file_descriptor_proto": [file.SerializeToString() for file in files]})


@asynccontextmanager
async def server(version: str, reply: Callable[[Any], Any]) -> AsyncIterator[Wallet]:
    """A server with reflection of one version."""

    async def info(requests: AsyncIterator[Any], _: Any) -> AsyncIterator[Any]:
        async for request in requests:
            yield reply(request)

    handler = grpc.stream_stream_rpc_method_handler(
        info,
        request_deserializer=reflection_pb2.ServerReflectionRequest.FromString,
        response_serializer=Response.SerializeToString,
    )
    running = grpc.aio.server()
    name = f"grpc.reflection.{version}.ServerReflection"
    running.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(name, {"ServerReflectionInfo": handler}),))
    port = running.add_insecure_port(f"{HOST}:0")
    await running.start()
    yield Wallet(target=f"{HOST}:{port}")
    await running.stop(None)


async def ask(wallet: Wallet, *services: str) -> FileDescriptorSet:
    return await asyncio.to_thread(ask_for_protos, wallet, services)


@pytest.mark.parametrize("is_generous", [True, False])
@pytest.mark.parametrize("version", ["v1", "v1alpha"])
async def test_a_wallet_is_asked_for_what_it_serves(version: str, *, is_generous: bool) -> None:
    async with server(version, lambda request: answer(request, is_generous=is_generous)) as wallet:
        for services in ([], ["sink.Sinks"]):
            files = await ask(wallet, *services)

            assert {file.name for file in files.file} == FILES.keys()
            assert list(Schema(files).services) == ["sink.Sinks"]


async def test_a_proxy_in_the_environment_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    async with counting_proxy(monkeypatch) as requests, server("v1", partial(answer, is_generous=True)) as wallet:
        assert (await ask(wallet, "sink.Sinks")).file

    assert requests == []


async def test_a_service_that_it_does_not_have_is_told() -> None:
    async with server("v1", lambda request: answer(request, is_generous=True)) as wallet:
        with pytest.raises(BadSchema, match=r"the wallet has no service sink\.Sink, says its reflection"):
            await ask(wallet, "sink.Sink")


async def test_an_import_that_it_does_not_have_is_told() -> None:
    def reply(request: Any) -> Any:
        if request.file_by_filename:
            return Response(error_response={"error_code": 5})
        return answer(request, is_generous=False)

    async with server("v1", reply) as wallet:
        with pytest.raises(BadSchema, match=r"does not have google/.*, which its protos import"):
            await ask(wallet)


async def test_a_server_that_gives_something_else_is_not_asked_for_ever() -> None:
    def reply(request: Any) -> Any:
        if request.file_by_filename:
            other = FileDescriptorProto(name="other.proto").SerializeToString()
            return Response(file_descriptor_response={"file_descriptor_proto": [other]})
        return answer(request, is_generous=False)

    async with server("v1", reply) as wallet:
        with pytest.raises(BadSchema, match="gives another file"):
            await ask(wallet)


async def test_a_wallet_without_reflection_is_told() -> None:
    async with server("v0", lambda request: answer(request, is_generous=True)) as wallet:
        with pytest.raises(BadSchema, match=r"has no server reflection; give its \.proto files or a descriptor set"):
            await ask(wallet)


async def test_a_wallet_that_is_away_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reflection, "ASK_SECONDS", 0.2)
    expected = (
        rf"{HOST}:1 was not there within 0\.2 s, so it cannot be asked for its protos by server reflection; "
        r"start again when it is there, or give its \.proto files or a descriptor set"
    )
    with pytest.raises(BadSchema, match=expected):
        await ask(Wallet(target=f"{HOST}:1"))


async def test_a_descriptor_that_is_none_is_told() -> None:
    def reply(request: Any) -> Any:
        if request.HasField("list_services"):
            return answer(request, is_generous=False)
        return Response(file_descriptor_response={"file_descriptor_proto": [b"\xff\xff\xff"]})

    async with server("v1", reply) as wallet:
        with pytest.raises(BadSchema, match="answers with what is no file descriptor"):
            await ask(wallet)


async def test_no_more_services_are_asked_for_than_a_person_could_map() -> None:
    asked: list[str] = []

    def reply(request: Any) -> Any:
        if request.HasField("list_services"):
            return Response(list_services_response={"service": [{"name": f"s.S{n}"} for n in range(100_000)]})
        asked.append(request.file_containing_symbol)
        return answer(request, is_generous=True)

    async with server("v1", reply) as wallet:
        with pytest.raises(BadSchema, match="names 100000 services, more than 1000"):
            await asyncio.to_thread(ask_for_protos, wallet, [])
    assert asked == []


async def test_many_slow_answers_together_have_a_limit_and_what_was_found_is_said() -> None:
    names = [f"s.S{number}" for number in range(1000)]
    loop = asyncio.get_running_loop()
    asked = 0

    def reply(request: Any) -> Any:
        nonlocal asked
        if request.HasField("list_services"):
            return Response(list_services_response={"service": [{"name": name} for name in names]})
        asked += 1
        package, name = request.file_containing_symbol.split(".")
        file = FileDescriptorProto(name=f"{name}.proto", package=package)
        file.service.add(name=name)
        # Slow as a wallet is that works for each answer.
        time.sleep(0.1)
        return Response(file_descriptor_response={"file_descriptor_proto": [file.SerializeToString()]})

    async with server("v1", reply) as wallet:
        began = loop.time()
        with pytest.raises(BadSchema, match=r"has told of \d+ of its 1000 services, in \d+ files, within 1 s; give"):
            await asyncio.to_thread(ask_for_protos, wallet, [], total_seconds=1.0)

    assert loop.time() - began < 3.0
    assert 0 < asked < 20

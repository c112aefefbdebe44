"""An operator's protos in a pool of their own."""

import pytest
from google.protobuf.descriptor_pb2 import DescriptorProto, FileDescriptorProto, FileDescriptorSet
from tests.support.mappings import BANK, SINK, compile_text

from walletbridge.wallet.proto.schema import BadSchema, Schema, message_class, read_descriptor_set


def test_services_and_methods_are_found_by_their_full_names() -> None:
    schema = Schema(compile_text(SINK))

    assert list(schema.services) == ["sink.Sinks"]
    assert list(schema.methods) == ["sink.Sinks/Pour", "sink.Sinks/Watch"]


def test_two_protos_of_one_name_do_not_meet() -> None:
    one, other = Schema(compile_text(BANK)), Schema(compile_text(BANK.replace("string login = 1", "int64 login = 1")))

    found = [schema.methods["bank.Wallet/FindUser"].input_type for schema in (one, other)]
    assert message_class(found[0]) is message_class(found[0])
    assert message_class(found[0])(login="a") is not None
    with pytest.raises(TypeError):
        message_class(found[1])(login="a")


def test_what_everybody_has_may_be_left_out() -> None:
    whole = compile_text(SINK)
    own = FileDescriptorSet(file=[file for file in whole.file if file.name == "test.proto"])

    assert list(Schema(own).services) == ["sink.Sinks"]


def test_files_may_come_in_any_order() -> None:
    assert list(Schema(FileDescriptorSet(file=reversed(compile_text(SINK).file))).services) == ["sink.Sinks"]


@pytest.mark.parametrize(
    ("file", "problem"),
    [
        (FileDescriptorProto(name="a.proto", dependency=["b.proto"]), "a.proto imports b.proto, which is not there"),
        (
            FileDescriptorProto(name="a.proto", message_type=[DescriptorProto(name="M")] * 2),
            "a.proto: ",
        ),
    ],
)
def test_files_that_do_not_fit_together_are_told(file: FileDescriptorProto, problem: str) -> None:
    with pytest.raises(BadSchema, match=problem):
        Schema(FileDescriptorSet(file=[file]))


@pytest.mark.parametrize("data", [b"", b"\xff\xff", b"<html>"])
def test_bytes_that_are_no_descriptor_set_are_told(data: bytes) -> None:
    with pytest.raises(BadSchema):
        read_descriptor_set(data)


def test_a_descriptor_set_is_read() -> None:
    files = compile_text(BANK)

    assert read_descriptor_set(files.SerializeToString()) == files

"""The wallet contract: its names and numbers, its comments, and the code that is generated from it."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.descriptor_pb2 import DescriptorProto, EnumDescriptorProto, FileDescriptorProto, FileDescriptorSet

from walletbridge.wallet.v1 import wallet_service_pb2 as v1

ROOT = Path(__file__).parents[2]
COMMITTED = ROOT / "addon" / "walletbridge" / "wallet" / "v1"
PROTO = "wallet/v1/wallet_service.proto"

ACCOUNT = ["string account", "repeated Check checks"]
TRANSACTION = [*ACCOUNT, "string trans_id"]
MOVEMENT = [
    *TRANSACTION,
    "int64 amount",
    "string round_id",
    "int64 call_id",
    "int64 provider_id",
    "string game_code",
    "string game_name",
    "string game_type",
    "int64 type",
    "google.protobuf.Timestamp requested_at",
]
RESPONSE = ["Outcome outcome", "int64 balance"]

METHODS = ["Authenticate", "GetBalance", "PlaceBet", "SettleWin", "CancelTransaction", "GetTransactionStatus"]

# Fields are numbered from 1 in the order in which they stand here.
MESSAGES = {
    "AuthenticateRequest": ACCOUNT,
    "AuthenticateResponse": RESPONSE,
    "GetBalanceRequest": ACCOUNT,
    "GetBalanceResponse": RESPONSE,
    "PlaceBetRequest": MOVEMENT,
    "PlaceBetResponse": RESPONSE,
    "SettleWinRequest": [*MOVEMENT, "bool redelivered"],
    "SettleWinResponse": RESPONSE,
    "CancelTransactionRequest": [
        *[field for field in MOVEMENT if field not in {"int64 amount", "int64 call_id", "int64 type"}],
        "bool redelivered",
    ],
    "CancelTransactionResponse": RESPONSE,
    "GetTransactionStatusRequest": TRANSACTION,
    "GetTransactionStatusResponse": [*RESPONSE, "TransactionState state"],
}

ENUMS = {
    "Check": {
        "CHECK_UNSPECIFIED": 0,
        "CHECK_PLAYER_EXISTS": 21,
        "CHECK_PLAYER_ACTIVE": 22,
        "CHECK_BALANCE_SUFFICIENT": 31,
        "CHECK_NOT_PROCESSED": 41,
        "CHECK_TRANSACTION_EXISTS": 42,
    },
    "Outcome": {
        "OUTCOME_UNSPECIFIED": 0,
        "OUTCOME_OK": 1,
        "OUTCOME_PLAYER_NOT_FOUND": 21,
        "OUTCOME_PLAYER_INACTIVE": 22,
        "OUTCOME_BALANCE_INSUFFICIENT": 31,
        "OUTCOME_ALREADY_PROCESSED": 41,
        "OUTCOME_TRANSACTION_NOT_FOUND": 42,
        "OUTCOME_FAILED": 99,
    },
    "TransactionState": {
        "TRANSACTION_STATE_UNSPECIFIED": 0,
        "TRANSACTION_STATE_PROCESSED": 1,
        "TRANSACTION_STATE_CANCELED": 2,
    },
}


def protoc(*arguments: str) -> None:
    """Runs the compiler as the documented command does, but writes elsewhere."""
    command = [sys.executable, "-m", "grpc_tools.protoc", "-Iprotos", *arguments, PROTO]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


# The generated code.


def test_the_committed_code_is_what_the_proto_generates(tmp_path: Path) -> None:
    protoc(f"--python_out={tmp_path}", f"--pyi_out={tmp_path}")

    generated = {path.name: path.read_text() for path in (tmp_path / PROTO).parent.iterdir()}
    assert set(generated) == {"wallet_service_pb2.py", "wallet_service_pb2.pyi"}
    assert generated == {name: (COMMITTED / name).read_text() for name in generated}


def test_the_committed_descriptors_are_those_of_the_proto(tmp_path: Path) -> None:
    """The built-in mapping reads them; every compiler may order their bytes as it likes."""
    descriptors = tmp_path / "wallet.binpb"
    protoc("--include_imports", f"--descriptor_set_out={descriptors}")

    committed = (COMMITTED / "wallet_service.binpb").read_bytes()
    assert FileDescriptorSet.FromString(committed) == FileDescriptorSet.FromString(descriptors.read_bytes())


def test_only_messages_are_committed() -> None:
    """The methods are called by the descriptors' names, as those of an operator's own proto are."""
    assert list(COMMITTED.rglob("*_grpc*")) == []


# Names and numbers.

TYPES = {FieldDescriptor.TYPE_STRING: "string", FieldDescriptor.TYPE_INT64: "int64", FieldDescriptor.TYPE_BOOL: "bool"}


def written(field: FieldDescriptor) -> str:
    """`field` as the proto writes it, without its number."""
    referred = field.enum_type or field.message_type
    kind = referred.full_name.removeprefix("wallet.v1.") if referred else TYPES[field.type]
    return f"{'repeated ' if field.is_repeated else ''}{kind} {field.name}"


def fields_of(message: Descriptor) -> dict[int, str]:
    return {field.number: written(field) for field in message.fields}


def test_there_is_one_service_of_unary_methods() -> None:
    assert v1.DESCRIPTOR.package == "wallet.v1"
    (service,) = v1.DESCRIPTOR.services_by_name.values()
    assert service.full_name == "wallet.v1.WalletService"
    assert [(method.name, method.input_type.full_name, method.output_type.full_name) for method in service.methods] == [
        (name, f"wallet.v1.{name}Request", f"wallet.v1.{name}Response") for name in METHODS
    ]
    assert not any(method.client_streaming or method.server_streaming for method in service.methods)


def test_there_are_no_other_messages_and_enums() -> None:
    assert list(v1.DESCRIPTOR.message_types_by_name) == list(MESSAGES)
    assert list(v1.DESCRIPTOR.enum_types_by_name) == list(ENUMS)


@pytest.mark.parametrize(("name", "fields"), MESSAGES.items())
def test_a_message_has_its_fields(name: str, fields: list[str]) -> None:
    message = v1.DESCRIPTOR.message_types_by_name[name]

    assert fields_of(message) == dict(enumerate(fields, start=1))
    assert message.oneofs == []
    assert message.nested_types == []


@pytest.mark.parametrize(("name", "values"), ENUMS.items())
def test_an_enum_has_its_numbers(name: str, values: dict[str, int]) -> None:
    enum = v1.DESCRIPTOR.enum_types_by_name[name]

    assert {value.name: value.number for value in enum.values} == values


# Comments.

type SourcePath = tuple[int, ...]
"""How SourceCodeInfo names an element: field numbers of descriptor.proto and indexes, in turns."""


def elements(file: FileDescriptorProto) -> Iterator[tuple[str, SourcePath]]:
    """Everything that the file declares, by name."""
    yield "package", (FileDescriptorProto.PACKAGE_FIELD_NUMBER,)
    for index, service in enumerate(file.service):
        place = (FileDescriptorProto.SERVICE_FIELD_NUMBER, index)
        yield service.name, place
        for inner, method in enumerate(service.method):
            yield f"{service.name}.{method.name}", (*place, service.METHOD_FIELD_NUMBER, inner)
    for index, message in enumerate(file.message_type):
        yield from elements_of_message(message, (FileDescriptorProto.MESSAGE_TYPE_FIELD_NUMBER, index))
    for index, enum in enumerate(file.enum_type):
        yield from elements_of_enum(enum, (FileDescriptorProto.ENUM_TYPE_FIELD_NUMBER, index))


def elements_of_message(message: DescriptorProto, place: SourcePath) -> Iterator[tuple[str, SourcePath]]:
    yield message.name, place
    for index, field in enumerate(message.field):
        yield f"{message.name}.{field.name}", (*place, message.FIELD_FIELD_NUMBER, index)


def elements_of_enum(enum: EnumDescriptorProto, place: SourcePath) -> Iterator[tuple[str, SourcePath]]:
    yield enum.name, place
    for index, value in enumerate(enum.value):
        yield f"{enum.name}.{value.name}", (*place, enum.VALUE_FIELD_NUMBER, index)


def test_every_element_has_a_comment(tmp_path: Path) -> None:
    descriptors = tmp_path / "wallet.binpb"
    protoc("--include_source_info", f"--descriptor_set_out={descriptors}")
    (file,) = FileDescriptorSet.FromString(descriptors.read_bytes()).file

    commented = {
        tuple(location.path) for location in file.source_code_info.location if location.leading_comments.strip()
    }
    found = dict(elements(file))
    assert len(found) == 1 + 1 + len(METHODS) + sum(1 + len(inner) for inner in [*MESSAGES.values(), *ENUMS.values()])
    assert [name for name, place in found.items() if place not in commented] == []

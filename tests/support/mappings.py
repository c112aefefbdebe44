"""Protos and mapping files of wallets that are not wallet.v1, for tests."""

import subprocess
import sys
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.rpc import status_pb2
from tests.support.callbacks import body, make_callback

from walletbridge.protocol.callbacks import Callback, Command, Undo, decode
from walletbridge.protocol.errors import SettingsError
from walletbridge.settings import Wallet, yaml_nodes
from walletbridge.wallet.mapping.bound_wallet import BoundWallet
from walletbridge.wallet.mapping.loading import load
from walletbridge.wallet.mapping.request.context import Context, LookupValues
from walletbridge.wallet.mapping.request.sources import Role
from walletbridge.wallet.mapping.yaml_places import Notes, Place
from walletbridge.wallet.proto.schema import Schema

COMMON = Path(status_pb2.__file__).parents[2]

SINK = """
syntax = "proto3";
package sink;
import "google/protobuf/timestamp.proto";
import "google/type/money.proto";
enum Kind { KIND_UNSPECIFIED = 0; KIND_BET = 1; KIND_WIN = 2; }
message Inner { string text = 1; int64 units = 2; int32 nanos = 3; Inner deeper = 4; Kind kind = 5; int64 cents = 6; }
message Sink {
  string text = 1;
  bytes data = 2;
  int32 small = 3;
  int64 large = 4;
  uint32 unsigned_small = 5;
  uint64 unsigned_large = 6;
  double real = 7;
  float short_real = 8;
  bool flag = 9;
  Kind kind = 10;
  Inner inner = 11;
  google.protobuf.Timestamp at = 12;
  google.type.Money money = 13;
  repeated string texts = 14;
  repeated int32 numbers = 15;
  repeated Kind kinds = 16;
  repeated Inner inners = 17;
  map<string, string> labels = 18;
  map<int32, Inner> by_number = 19;
  optional string maybe = 20;
  optional int64 maybe_number = 21;
  optional bool maybe_flag = 22;
  oneof result { Inner done = 23; string refused = 24; }
  sint32 zigzag = 25;
  map<string, double> amounts = 26;
}
service Sinks {
  rpc Pour(Sink) returns (Sink);
  rpc Watch(Sink) returns (stream Sink);
}
"""

OLD = """
syntax = "proto2";
package old;
enum Code { OK = 0; NO_FUNDS = 1; REPEATED = 2; }
message Request { required string key = 1; optional string round = 2; required int64 sent = 3; }
message Inner { optional Code code = 1; }
message Reply { optional Code code = 1; optional bool success = 2 [default = true]; optional Inner inner = 3; }
message Strict { required int64 balance = 1; }
service Old { rpc Move(Request) returns (Reply); rpc Ask(Request) returns (Strict); }
"""


def compile_text(text: str) -> FileDescriptorSet:
    """Compiles a proto, without what is tested."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "test.proto").write_text(text)
        arguments = [f"-I{folder}", f"-I{COMMON}", "--include_imports", f"--descriptor_set_out={folder / 'out'}"]
        subprocess.run([sys.executable, "-m", "grpc_tools.protoc", *arguments, "test.proto"], check=True)
        return FileDescriptorSet.FromString((folder / "out").read_bytes())


@cache
def schema_of(text: str) -> Schema:
    """The schema of one proto."""
    return Schema(compile_text(text))


def sink() -> Descriptor:
    """A message with a field of each type."""
    return schema_of(SINK).methods["sink.Sinks/Pour"].input_type


def field(name: str) -> FieldDescriptor:
    """A field of the Sink."""
    return sink().fields_by_name[name]


def old(name: str) -> Descriptor:
    """The request or reply of the proto2 wallet."""
    method = schema_of(OLD).methods["old.Old/Move"]
    return method.input_type if name == "Request" else method.output_type


def place_of(text: str) -> Place:
    """A piece of a mapping file."""
    node = yaml_nodes.parse(text)
    assert node is not None
    return Place(node, "here", 1, Notes())


def context_for(
    role: Role = Role.BET,
    *,
    tables: Mapping[str, Mapping[str, Place]] | None = None,
    lookup: LookupValues | None = None,
    environ: Mapping[str, str] | None = None,
    decimals: int = 2,
) -> Context:
    """What a binding's compilation knows."""
    return Context(
        role=role,
        decimals=decimals,
        tables=tables or {},
        environ=environ or {},
        now=lambda: 1_700_000_000_123_456_789,
        lookup=lookup,
    )


def callback(command: str, **overrides: Any) -> Callback:
    """A callback of test1234."""
    return decode(body(make_callback(command, **overrides)), currency_decimals=2)


def undo(undone: Command = Command.BET, amount: int = 1050) -> Undo:
    """The opposite movement, as the journal makes it."""
    return Undo(
        account="test1234",
        checks=(42,),
        requested_at=None,
        trans_id=7,
        round_id="r",
        provider_id=1,
        game_code="g",
        game_name="G",
        game_type="Slots",
        undone=undone,
        amount=amount,
    )


BANK = """
syntax = "proto3";
package bank;
service Wallet {
  rpc Debit(Move) returns (Moved);
  rpc Credit(Move) returns (Moved);
  rpc GetBalance(Ask) returns (Told);
  rpc FindUser(Find) returns (Found);
  rpc GetTransfer(AskTransfer) returns (Transfer);
}
enum Status { STATUS_UNSPECIFIED = 0; STATUS_OK = 1; STATUS_NO_USER = 2; STATUS_BLOCKED = 3; STATUS_NO_FUNDS = 4;
  STATUS_REPEATED = 5; STATUS_REFUSED = 6; STATUS_NO_TRANSFER = 7; }
enum State { STATE_UNSPECIFIED = 0; STATE_BOOKED = 1; STATE_REVERSED = 2; STATE_PENDING = 3; }
enum Kind { KIND_UNSPECIFIED = 0; KIND_BET = 1; KIND_WIN = 2; KIND_UNDO = 3; }
message Move { int64 user_id = 1; string amount = 2; string reference = 3; Kind kind = 4; string round = 5;
  string currency = 6; }
message Moved { Status status = 1; string balance = 2; }
message Ask { int64 user_id = 1; }
message Told { Status status = 1; string balance = 2; }
message Find { string login = 1; }
message User { int64 id = 1; bool is_active = 2; }
message Found { User user = 1; }
message AskTransfer { string reference = 1; int64 user_id = 2; }
message Transfer { Status status = 1; State state = 2; }
"""

BANK_MAPPING = """\
schema:
  proto: [bank.proto]
service: bank.Wallet
metadata:
  x-client: walletbridge
tables:
  kinds: {1: KIND_BET, 2: KIND_WIN, 0: KIND_UNSPECIFIED}
lookups:
  player:
    method: FindUser
    request: {login: "{account}"}
    outcome:
      - {present: user, values: {true: next, false: 21}}
      - {field: user.is_active, values: {true: 0, false: 22}}
promises:
  late_bets_refused: false
  repeats: reported
  checks: [21, 22, 31, 41, 42]
commands:
  authenticate: &balance
    lookup: player
    method: GetBalance
    request:
      user_id: "{player.user.id}"
    outcome: &outcome
      field: status
      values:
        STATUS_UNSPECIFIED: unknown
        STATUS_OK: 0
        STATUS_NO_USER: 21
        STATUS_BLOCKED: 22
        STATUS_NO_FUNDS: 31
        STATUS_REPEATED: 41
        STATUS_REFUSED: 99
        STATUS_NO_TRANSFER: 42
    balance: "{balance:decimal}"
  balance: *balance
  bet:
    lookup: player
    method: Debit
    metadata:
      x-request: "bet-{trans_id}"
    request:
      user_id: "{player.user.id}"
      amount: "{amount:decimal}"
      reference: "bet:{trans_id}"
      kind: "{type:kinds}"
      round: "{round_id}"
      currency: EUR
    outcome: *outcome
    balance:
      made: "{balance:decimal}"
      refused: ask
  win:
    lookup: player
    method: Credit
    request:
      user_id: "{player.user.id}"
      amount: "{amount:decimal}"
      reference: "win:{trans_id}"
      kind: KIND_WIN
    outcome:
      - field: status
        values: {STATUS_OK: 0, STATUS_NO_USER: 21, STATUS_BLOCKED: 22, STATUS_REPEATED: 41, STATUS_REFUSED: 99,
          STATUS_UNSPECIFIED: unknown, STATUS_NO_FUNDS: unknown, STATUS_NO_TRANSFER: unknown}
      - grpc: reason
        domain: bank.example
        values: {LIMIT: 99}
      - grpc: status
        values: {NOT_FOUND: 21, ALREADY_EXISTS: 41}
    balance:
      made: "{balance:decimal}"
      refused: ask
  cancel:
    undo_bet:
      lookup: player
      method: Credit
      request:
        user_id: "{player.user.id}"
        amount: "{amount:decimal}"
        reference: "cancel:{trans_id}"
        kind: KIND_UNDO
      outcome: *outcome
    undo_win:
      lookup: player
      method: Debit
      request:
        user_id: "{player.user.id}"
        amount: "{amount:decimal}"
        reference: "cancel:{trans_id}"
      outcome: *outcome
  status:
    lookup: player
    method: GetTransfer
    request:
      reference: "bet:{trans_id}"
    outcome: *outcome
    state:
      field: state
      values:
        STATE_UNSPECIFIED: unknown
        STATE_BOOKED: OK
        STATE_REVERSED: CANCELED
        STATE_PENDING: unknown
"""


def write_bank(folder: Path, mapping: str = BANK_MAPPING, proto: str = BANK) -> Path:
    """The bank's files; returns the mapping's."""
    (folder / "bank.proto").write_text(proto)
    path = folder / "mapping.yaml"
    path.write_text(mapping)
    return path


def bind(path: Path, *, target: str = "nowhere", decimals: int = 2) -> BoundWallet:
    """Reads a mapping file."""
    return load(Wallet(target=target, mapping=path, currency_decimals=decimals), environ={"API_KEY": "sesame"})


def mistakes_in(path: Path, **more: Any) -> list[str]:
    """What is said of a mapping file, without its name; nothing where it is right."""
    try:
        bind(path, **more)
    except SettingsError as error:
        return [line.removeprefix(f"{path}:") for line in str(error).splitlines()]
    return []

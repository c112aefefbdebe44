"""First mapping files."""

import re
from pathlib import Path

import pytest
from tests.support.mappings import BANK, OLD, SINK, bind, compile_text, mistakes_in, schema_of

from walletbridge.connect.first_mapping import mapping_text
from walletbridge.rules.promises import Repeats
from walletbridge.wallet.proto.schema import Schema

ROOT = Path(__file__).parents[3]
V1 = (ROOT / "protos" / "wallet" / "v1" / "wallet_service.proto").read_text()
MORE = "service Other { rpc Ping(Ask) returns (Told); rpc Watch(Ask) returns (stream Told); }"


def write(folder: Path, proto: str) -> tuple[Path, str]:
    (folder / "test.binpb").write_bytes(compile_text(proto).SerializeToString())
    text = mapping_text(schema_of(proto), "descriptor_set: test.binpb")
    (folder / "mapping.yaml").write_text(text)
    return folder / "mapping.yaml", text


def test_wallet_v1_is_guessed_whole(tmp_path: Path) -> None:
    path, _ = write(tmp_path, V1)
    bound = bind(path)

    assert {name: binding.method.name.partition("/")[2] for name, binding in bound.bindings.items()} == {
        "authenticate": "Authenticate",
        "balance": "GetBalance",
        "bet": "PlaceBet",
        "win": "SettleWin",
        "cancel": "CancelTransaction",
        "status": "GetTransactionStatus",
    }
    assert bound.promises.checks == {21, 22, 31, 41, 42}


def test_what_nobody_said_is_not_promised(tmp_path: Path) -> None:
    promises = bind(write(tmp_path, V1)[0]).promises

    assert (promises.late_bets_refused, promises.repeats) == (False, Repeats.UNPROTECTED)


@pytest.mark.parametrize("proto", [BANK, BANK + MORE, SINK, OLD, V1])
def test_every_method_is_named_and_every_line_is_yaml(tmp_path: Path, proto: str) -> None:
    path, text = write(tmp_path, proto)

    for name in schema_of(proto).methods:
        assert re.search(rf"method: (?:{re.escape(name)}|{name.partition('/')[2]})\b", text), name
    assert not any("not YAML" in mistake for mistake in mistakes_in(path))
    assert "GUESS" in text
    assert "OPEN" in text


def test_open_questions_are_all_that_is_left(tmp_path: Path) -> None:
    """The bank's players have numbers, so its draft needs a look-up; all else can be answered in place."""
    _, text = write(tmp_path, BANK)
    answered = text.replace("repeats: unprotected", "repeats: reported")
    (tmp_path / "mapping.yaml").write_text(answered)

    assert mistakes_in(tmp_path / "mapping.yaml") == []


def test_a_stream_is_no_candidate(tmp_path: Path) -> None:
    _, text = write(tmp_path, BANK + MORE)

    assert "bank.Other/Watch  # Ask -> Told - a stream, which cannot be bound" in text
    assert list(Schema(compile_text(BANK + MORE)).services) == ["bank.Wallet", "bank.Other"]

"""Samples of replies: each comes to what its line of the table says."""

from pathlib import Path

import pytest
from tests.support.mappings import SINK, bind, callback, compile_text, write_bank

from walletbridge.connect.sample_replies import found, replies
from walletbridge.protocol.callbacks import Command
from walletbridge.settings import Wallet
from walletbridge.wallet.mapping.loading import load
from walletbridge.wallet.reading_replies import judge, read_outcome


def test_each_line_of_a_table_has_its_reply(tmp_path: Path) -> None:
    binding = bind(write_bank(tmp_path)).bindings["win"]
    made = dict(replies(binding))

    assert [words for words in made if "gRPC" in words] == [
        "gRPC reason is LIMIT",
        "gRPC status is NOT_FOUND",
        "gRPC status is ALREADY_EXISTS",
    ]
    assert judge(binding.method.outcome, made["gRPC reason is LIMIT"]).value == 99
    assert judge(binding.method.outcome, made["status is STATUS_REPEATED"]).value == 41
    assert made["gRPC status is NOT_FOUND"].message is None


def test_a_status_has_a_reply_for_each_state(tmp_path: Path) -> None:
    binding = bind(write_bank(tmp_path)).bindings["status"]
    states = {
        words: read_outcome(binding, callback("status"), reply)[0].state
        for words, reply in replies(binding)
        if words.endswith(("BOOKED", "REVERSED"))
    }

    assert states == {
        "status is STATUS_OK, state is STATE_BOOKED": "OK",
        "status is STATUS_OK, state is STATE_REVERSED": "CANCELED",
    }


@pytest.mark.parametrize("command", Command)
def test_the_contract_s_replies_are_read_as_its_mapping_says(command: Command) -> None:
    binding = load(Wallet(target="x")).bindings[command]
    words = [words for words, _ in replies(binding)]

    assert "outcome is OUTCOME_PLAYER_NOT_FOUND" in words
    assert len(words) == len(set(words))


def test_what_a_look_up_may_bring(tmp_path: Path) -> None:
    bound = bind(write_bank(tmp_path))

    assert found(bound.bindings["bet"]) == {"user.id": 7}
    assert found(load(Wallet(target="x")).bindings["bet"]) == {}


def test_oneofs_presence_and_trailers_have_replies(tmp_path: Path) -> None:
    mapping = tmp_path / "mapping.yaml"
    (tmp_path / "sink.binpb").write_bytes(compile_text(SINK).SerializeToString())
    binding = """
    method: Pour
    request: {text: "{account}", maybe: "KEY", large: AMOUNT}
    outcome:
      - {trailer: x-code, values: {twice: 41}}
      - {present: texts, values: {true: unknown, false: next}}
      - {present: maybe, values: {true: next, false: 21}}
      - {oneof: result, values: {done: 0, refused: next, none: unknown}}
      - {field: refused, values: {POOR: 31, REFUSED: 99, GONE: 42}}
    balance: "{inner.cents:minor}"
"""
    text = "schema: {descriptor_set: sink.binpb}\nservice: sink.Sinks\ncommands:\n"
    for name in ("authenticate", "balance", "bet", "win", "cancel"):
        amount = '"{amount:minor}"' if name in {"bet", "win"} else "1"
        key = "{trans_id}" if name in {"bet", "win", "cancel"} else "none"
        text += f"  {name}:{binding.replace('KEY', key).replace('AMOUNT', amount)}"
    mapping.write_text(
        text + "  status: journal\npromises: {late_bets_refused: true, repeats: reported, checks: [21, 31, 41]}\n"
    )
    bet = bind(mapping).bindings["bet"]
    results = {words: bet.method.outcome.of_ok(reply).value for words, reply in replies(bet)}

    assert results == {
        "x-code is twice": 41,
        "texts is true": "unknown",
        "maybe is false": 21,
        "result is done": 0,
        "result is none": "unknown",
        "refused is POOR": 31,
        "refused is REFUSED": 99,
        "refused is GONE": 42,
    }

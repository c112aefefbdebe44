"""What replies of a wallet with a proto of its own are taken for."""

from pathlib import Path
from typing import Any

import pytest
from tests.support.mappings import BANK_MAPPING, OLD, bind, callback, undo, write_bank

from walletbridge.protocol.callbacks import Command
from walletbridge.protocol.errors import OutcomeUnknown
from walletbridge.protocol.outcomes import Outcome, Result, TransactionState
from walletbridge.wallet.mapping.bound_wallet import BoundWallet
from walletbridge.wallet.reading_replies import judge, parse, read_outcome
from walletbridge.wallet.reply import Reply


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> BoundWallet:
    return bind(write_bank(tmp_path_factory.mktemp("bank")))


def read(bank: BoundWallet, name: str, sample: Any = None, /, **fields: Any) -> tuple[Outcome, bool]:
    binding = bank.bindings[name]
    return read_outcome(binding, sample or callback(name), Reply(binding.method.response(**fields)))


@pytest.mark.parametrize(
    ("name", "fields", "outcome", "asks"),
    [
        ("balance", {"status": 1, "balance": "10.50"}, Outcome(Result.OK, 1050), False),
        ("balance", {"status": 2}, Outcome(Result.PLAYER_NOT_FOUND, None), False),
        ("bet", {"status": 1, "balance": "10"}, Outcome(Result.OK, 1000), False),
        ("bet", {"status": 1, "balance": "10.001"}, Outcome(Result.OK, None), False),
        ("bet", {"status": 4, "balance": "10"}, Outcome(Result.BALANCE_INSUFFICIENT, None), True),
        ("bet", {"status": 3}, Outcome(Result.PLAYER_INACTIVE, 0), False),
        ("status", {"status": 1, "state": 1}, Outcome(Result.OK, 0, TransactionState.OK), False),
        ("status", {"status": 7}, Outcome(Result.TRANSACTION_NOT_FOUND, None), True),
    ],
)
def test_a_reply_is_read_as_the_mapping_says(
    bank: BoundWallet, name: str, fields: dict[str, Any], outcome: Outcome, *, asks: bool
) -> None:
    assert read(bank, name, **fields) == (outcome, asks)


@pytest.mark.parametrize(
    ("name", "fields", "reason"),
    [
        ("bet", {"status": 0}, "the wallet answered with status STATUS_UNSPECIFIED"),
        ("bet", {"status": 77}, "the wallet answered with status 77"),
        ("bet", {"status": 7}, "the wallet answered bet with TRANSACTION_NOT_FOUND"),
        ("status", {"status": 1, "state": 3}, "the wallet answered status with OK"),
        ("status", {"status": 1, "state": 9}, "the wallet answered status with OK"),
        ("balance", {"status": 1, "balance": "x"}, "the wallet's balance cannot be said exactly"),
    ],
)
def test_what_the_mapping_or_the_protocol_does_not_name_is_unknown(
    bank: BoundWallet, name: str, fields: dict[str, Any], reason: str
) -> None:
    with pytest.raises(OutcomeUnknown) as caught:
        read(bank, name, **fields)
    assert (caught.value.reason, caught.value.sent) == (reason, True)


@pytest.mark.parametrize(
    ("status", "result"), [("NOT_FOUND", Result.PLAYER_NOT_FOUND), ("ALREADY_EXISTS", Result.ALREADY_PROCESSED)]
)
def test_a_status_that_is_named_is_an_outcome_whose_balance_is_asked_for(
    bank: BoundWallet, status: str, result: Result
) -> None:
    outcome, asks = read_outcome(bank.bindings["win"], callback("win"), Reply(None, status))

    assert (outcome.result, asks) == (result, result is Result.ALREADY_PROCESSED)


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ("DEADLINE_EXCEEDED", "the wallet did not answer within the budget"),
        ("UNAVAILABLE", "the connection to the wallet broke"),
        ("PERMISSION_DENIED", "the wallet answered PERMISSION_DENIED"),
    ],
)
def test_any_other_status_is_unknown(bank: BoundWallet, status: str, reason: str) -> None:
    for name in ("bet", "win"):
        with pytest.raises(OutcomeUnknown) as caught:
            judge(bank.bindings[name].method.outcome, Reply(None, status))
        assert caught.value.reason == reason


def test_an_undo_may_come_to_more_than_a_cancel(bank: BoundWallet) -> None:
    outcome, _ = read(bank, "undo_win", undo(Command.WIN), status=4)

    assert outcome.result is Result.BALANCE_INSUFFICIENT


def test_a_reason_never_holds_a_wallet_s_words(tmp_path: Path) -> None:
    old = BANK_MAPPING[BANK_MAPPING.index("      - field: status") : BANK_MAPPING.index("      - grpc: reason")]
    words = "      - {field: balance, values: {fine: 0, gone: 21, twice: 41}}\n"
    bound = bind(write_bank(tmp_path, BANK_MAPPING.replace(old, words)))
    with pytest.raises(OutcomeUnknown) as caught:
        read(bound, "win", balance="sesame")

    assert caught.value.reason == "the wallet answered with balance a value that the mapping does not name"


def test_a_response_that_lacks_what_its_proto_requires_is_unknown(tmp_path: Path) -> None:
    (tmp_path / "old.proto").write_text(OLD)
    binding = """
    method: %s
    request: {key: "{account}:%s", sent: %s}
    outcome: {%s}
"""
    moves = "field: code, values: {OK: 0, NO_FUNDS: 31, REPEATED: 41}"
    text = (
        "schema: {proto: old.proto}\nservice: old.Old\n"
        "promises: {late_bets_refused: false, repeats: reported, checks: [31, 41]}\ncommands:\n"
        + "".join(
            f"  {name}:"
            + binding
            % (
                "Move" if name in {"bet", "win"} else "Ask",
                key,
                sent,
                moves if name in {"bet", "win"} else "field: balance, values: {'*': next, 5: 0}",
            )
            + ("" if name in {"bet", "win"} else '    balance: "{balance:minor}"\n')
            for name, key, sent in (
                ("authenticate", "a", 1),
                ("balance", "b", 1),
                ("bet", "{trans_id}", '"{amount:minor}"'),
                ("win", "{trans_id}", '"{amount:minor}"'),
                ("cancel", "{trans_id}", 1),
            )
        )
        + "  status: journal\n"
    )
    path = tmp_path / "mapping.yaml"
    path.write_text(text)
    method = bind(path).bindings["balance"].method

    with pytest.raises(OutcomeUnknown, match="lacks a required field"):
        parse(method, b"", {})
    with pytest.raises(OutcomeUnknown, match="is not one of this method"):
        parse(method, b"\xff", {})
    assert parse(method, b"\x08\x05", {}).message.balance == 5

"""Guesses by names and types."""

import pytest
from tests.support.mappings import BANK, SINK, field, schema_of

from walletbridge.connect.guessing import (
    METHODS,
    find,
    form_of,
    method_for,
    result_for,
    source_for,
    state_for,
    status_field,
    words_of,
)


@pytest.mark.parametrize("name", ["GetBalance", "get_balance", "GET_BALANCE", "getBalance"])
def test_a_name_is_taken_apart(name: str) -> None:
    assert words_of(name) == {"get", "balance"}


@pytest.mark.parametrize(
    ("command", "method"),
    [("balance", "GetBalance"), ("bet", "Debit"), ("win", "Credit"), ("cancel", None), ("authenticate", None)],
)
def test_a_method_is_guessed_by_its_name(command: str, method: str | None) -> None:
    found = method_for(command, schema_of(BANK).services["bank.Wallet"].methods)

    assert (found and found.name) == method
    assert command in METHODS


@pytest.mark.parametrize(
    ("name", "result"),
    [
        ("STATUS_OK", "0"),
        ("NOT_OK", "unknown"),
        ("INSUFFICIENT_FUNDS", "31"),
        ("PLAYER_NOT_FOUND", "21"),
        ("UNKNOWN_TRANSACTION", "42"),
        ("DUPLICATE_TRANSACTION", "41"),
        ("ACCOUNT_BLOCKED", "22"),
        ("DECLINED", "99"),
        ("STATUS_UNSPECIFIED", "unknown"),
        ("MAINTENANCE", "unknown"),
    ],
)
def test_a_result_is_guessed_and_never_a_success_by_default(name: str, result: str) -> None:
    assert result_for(name) == result


@pytest.mark.parametrize(
    ("name", "state"),
    [("BOOKED", "OK"), ("ROLLED_BACK", "CANCELED"), ("PENDING", "unknown"), ("NOT_PROCESSED", "unknown")],
)
def test_a_state_is_guessed(name: str, state: str) -> None:
    assert state_for(name) == state


def test_fields_are_guessed_by_name_and_type() -> None:
    move = schema_of(BANK).methods["bank.Wallet/Debit"].input_type.fields_by_name

    assert [source_for(move[name], "bet") for name in ("user_id", "amount", "reference", "kind", "round")] == [
        "{account}",
        "{amount:decimal}",
        "bet:{trans_id}",
        "",
        "{round_id}",
    ]
    assert source_for(move["amount"], "balance") == ""
    assert source_for(move["reference"], "undo") == "cancel:{trans_id}"
    assert source_for(move["reference"], "balance") == ""


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("text", "decimal"),
        ("large", "minor"),
        ("real", "double"),
        ("money", "money"),
        ("short_real", ""),
        ("texts", ""),
    ],
)
def test_the_form_of_an_amount_is_guessed_by_its_type(name: str, form: str) -> None:
    assert form_of(field(name)) == form


def test_fields_are_found_below_others() -> None:
    message = schema_of(SINK).methods["sink.Sinks/Pour"].input_type
    found = find(message, "cents")

    assert found is not None
    assert found[0] == "inner.cents"
    assert find(message, "nothing") is None
    told = status_field(schema_of(BANK).methods["bank.Wallet/GetTransfer"].output_type)
    assert told is not None
    assert told.name == "status"
    assert status_field(message) is None

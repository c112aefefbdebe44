"""The wallet's messages as people see them."""

import pytest

from walletbridge.wallet.text import request_text, response_text
from walletbridge.wallet.v1 import wallet_service_pb2 as v1

PLACE_BET = v1.PlaceBetResponse


def test_a_request_is_shown_field_by_field() -> None:
    request = v1.PlaceBetRequest(account="test1234", checks=[v1.CHECK_PLAYER_EXISTS], game_name="Größe")

    assert request_text(request) == 'account: "test1234"\nchecks: CHECK_PLAYER_EXISTS\ngame_name: "Größe"'
    assert request_text(v1.GetBalanceRequest()) == ""


@pytest.mark.parametrize("message", [None, b"bytes", "text", 7])
def test_what_is_no_message_is_said_to_be_none(message: object) -> None:
    assert request_text(message) == f"({type(message).__name__} cannot be shown as text)"


def test_a_response_is_read_by_its_type() -> None:
    body = v1.PlaceBetResponse(outcome=v1.OUTCOME_OK, balance=400000).SerializeToString()

    assert response_text(PLACE_BET, body) == "outcome: OUTCOME_OK\nbalance: 400000"
    assert response_text(PLACE_BET, b"") == ""


def test_other_bytes_are_shown_as_they_came() -> None:
    assert response_text(PLACE_BET, b"\xff\xff") == "(no PlaceBetResponse: ffff)"
    assert response_text(None, b"\x01") == "(the message's type is not known: 01)"

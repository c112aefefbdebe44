"""The built-in mapping: callbacks in the words of wallet.v1, and its responses in ours."""

from pathlib import Path
from typing import Any, cast

import pytest
from google.protobuf.message import Message
from msgspec.structs import replace
from tests.support.callbacks import DROPPED, body, make_callback

from walletbridge.protocol.callbacks import Bet, Callback, Command, Win, decode
from walletbridge.protocol.errors import OutcomeUnknown
from walletbridge.protocol.outcomes import LISTED, Outcome, Result, TransactionState
from walletbridge.rules.promises import Promises
from walletbridge.rules.stored_callback import cancel_of, to_json, win_of
from walletbridge.settings import Wallet
from walletbridge.wallet.mapping.loading import BUILT_IN, load
from walletbridge.wallet.reading_replies import parse, read_outcome
from walletbridge.wallet.v1 import wallet_service_pb2 as v1

BOUND = load(Wallet(target="nowhere"))
METHODS = {command: BOUND.bindings[command].method for command in Command}
PROTO = Path(__file__).parents[3] / "protos/wallet/v1/wallet_service.proto"

GAME = {
    "round_id": "818395446",
    "provider_id": 1,
    "game_code": "vswaysdogs",
    "game_name": "The Dog House Megaways",
    "game_type": "Slots",
}
ENUM = {
    Result.OK: v1.OUTCOME_OK,
    Result.PLAYER_NOT_FOUND: v1.OUTCOME_PLAYER_NOT_FOUND,
    Result.PLAYER_INACTIVE: v1.OUTCOME_PLAYER_INACTIVE,
    Result.BALANCE_INSUFFICIENT: v1.OUTCOME_BALANCE_INSUFFICIENT,
    Result.ALREADY_PROCESSED: v1.OUTCOME_ALREADY_PROCESSED,
    Result.TRANSACTION_NOT_FOUND: v1.OUTCOME_TRANSACTION_NOT_FOUND,
    Result.FAILED: v1.OUTCOME_FAILED,
}


def callback(command: str, **overrides: Any) -> Callback:
    return decode(body(make_callback(command, **overrides)), currency_decimals=2)


def request(command: str, **overrides: Any) -> Any:
    """The request as the wallet reads it off the wire."""
    message = METHODS[Command(command)].build(callback(command, **overrides), {})
    return type(message).FromString(message.SerializeToString())


def read(command: str, response: Message) -> Outcome:
    return read_bytes(command, response.SerializeToString())


def read_bytes(command: str, response: bytes) -> Outcome:
    binding = BOUND.bindings[command]
    outcome, asks = read_outcome(binding, callback(command), parse(binding.method, response, {}))
    assert not asks
    return outcome


def response(command: str, **fields: Any) -> Message:
    return METHODS[Command(command)].response(**fields)


# Requests


OF_ACCOUNT = {"account": "test1234"}
OF_GAME = {**OF_ACCOUNT, "trans_id": "1676358190", "requested_at": {"seconds": 1600000001}, **GAME}


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("authenticate", {**OF_ACCOUNT, "checks": [21]}),
        ("balance", {**OF_ACCOUNT, "checks": [21, 22]}),
        ("bet", {**OF_GAME, "checks": [21, 22, 41, 31], "amount": 100000, "call_id": 0, "type": 1}),
        ("win", {**OF_GAME, "checks": [21, 22, 41], "amount": 100000, "call_id": 0, "type": 2}),
        ("cancel", {**OF_GAME, "checks": [21, 22, 42]}),
        ("status", {**OF_ACCOUNT, "checks": [21, 42], "trans_id": "1676358190"}),
    ],
)
def test_every_field_of_a_callback_has_its_place(command: str, expected: dict[str, Any]) -> None:
    message = request(command)

    assert message == type(message)(**expected)


@pytest.mark.parametrize("command", Command)
def test_a_request_leaves_no_field_of_the_contract_out(command: Command) -> None:
    """With a value in every field of the callback, every field of the request has one."""
    overrides = {"call_id": 7} if command in {Command.BET, Command.WIN} else {}
    message = request(command, **overrides)

    fields = {field.name for field in message.DESCRIPTOR.fields}
    assert {field.name for field, _ in message.ListFields()} == fields - {"redelivered"}


def test_a_win_or_cancel_that_the_gateway_sends_again_says_so_and_when() -> None:
    """A wallet that refuses what is long past would refuse what it owes."""
    kept = decode(body(make_callback("win")), currency_decimals=2)
    assert isinstance(kept, Win)
    text, sent_at = to_json(kept), 1_700_000_000
    for again in (win_of(text, (41,), sent_at=sent_at), cancel_of(text, (42,), sent_at=sent_at)):
        message: Any = METHODS[again.command].build(again, {})

        assert (message.redelivered, message.requested_at.seconds) == (True, sent_at)


@pytest.mark.parametrize("command", Command)
def test_the_checks_keep_their_order_and_their_numbers(command: Command) -> None:
    """A number that the contract lacks is passed on as it is."""
    assert list(request(command, check="42, 21,77,2147483647,21").checks) == [42, 21, 77, 2147483647, 21]


@pytest.mark.parametrize("command", ["bet", "win", "cancel", "status"])
@pytest.mark.parametrize(
    ("trans_id", "text"), [(1, "1"), ("1", "1"), (-5, "-5"), ("Ä" * 64, "Ä" * 64), (10**63, "1" + "0" * 63)]
)
def test_a_transaction_is_text_to_the_wallet(command: str, trans_id: int | str, text: str) -> None:
    assert request(command, trans_id=trans_id).trans_id == text


@pytest.mark.parametrize("command", ["bet", "win"])
@pytest.mark.parametrize("amount", [0, 1, 2**63 - 1])
def test_an_amount_goes_over_in_minor_units(command: str, amount: int) -> None:
    movement: Any = replace(cast("Bet | Win", callback(command)), amount=amount)
    message: Any = METHODS[Command(command)].build(movement, {})

    assert message.amount == amount


@pytest.mark.parametrize("command", ["bet", "win", "cancel"])
def test_what_is_unset_stays_unset(command: str) -> None:
    unset = dict.fromkeys([*GAME, "timestamp"], DROPPED)
    message = request(command, **unset)

    assert not message.HasField("requested_at")
    assert (message.round_id, message.provider_id, message.game_code) == ("", 0, "")


@pytest.mark.parametrize("command", ["bet", "win", "cancel"])
@pytest.mark.parametrize("seconds", [0, -62_135_596_800, 253_402_300_799])
def test_any_time_that_a_timestamp_can_hold_goes_over(command: str, seconds: int) -> None:
    message = request(command, timestamp=seconds)

    assert message.HasField("requested_at")
    assert message.requested_at.seconds == seconds


# Methods


def test_its_promises_are_those_of_the_contract() -> None:
    assert BOUND.promises == Promises(late_bets_refused=True)
    assert (BOUND.source, BOUND.cautions) == (BUILT_IN, [])


def test_the_settings_know_better_whether_late_bets_are_refused() -> None:
    assert not load(Wallet(target="nowhere", late_bets_refused=False)).promises.late_bets_refused


def test_the_methods_are_those_of_the_contract() -> None:
    assert {command: method.path for command, method in METHODS.items()} == {
        Command.AUTHENTICATE: "/wallet.v1.WalletService/Authenticate",
        Command.BALANCE: "/wallet.v1.WalletService/GetBalance",
        Command.BET: "/wallet.v1.WalletService/PlaceBet",
        Command.WIN: "/wallet.v1.WalletService/SettleWin",
        Command.CANCEL: "/wallet.v1.WalletService/CancelTransaction",
        Command.STATUS: "/wallet.v1.WalletService/GetTransactionStatus",
    }
    text = PROTO.read_text()
    assert all(f"rpc {method.name.partition('/')[2]}(" in text for method in METHODS.values())


# Responses


@pytest.mark.parametrize("result", ENUM)
@pytest.mark.parametrize("command", Command)
def test_a_listed_outcome_is_read_and_any_other_is_unknown(command: Command, result: Result) -> None:
    fields = {"outcome": ENUM[result], "balance": -5}
    state = None
    if command is Command.STATUS:
        fields["state"] = v1.TRANSACTION_STATE_CANCELED
        state = TransactionState.CANCELED if result is Result.OK else None

    if result in LISTED[command]:
        assert read(command, response(command, **fields)) == Outcome(result, -5, state)
    else:
        with pytest.raises(OutcomeUnknown, match=f"^the wallet answered {command} with {result.name}$") as caught:
            read(command, response(command, **fields))
        assert caught.value.sent is True


@pytest.mark.parametrize("number", [0, 2, 20, 43, 98, 100, -1, 2**31 - 1])
@pytest.mark.parametrize("command", Command)
def test_an_outcome_that_the_contract_lacks_is_unknown(command: Command, number: int) -> None:
    with pytest.raises(
        OutcomeUnknown, match=f"^the wallet answered with outcome {number or 'OUTCOME_UNSPECIFIED'}$"
    ) as caught:
        read(command, response(command, outcome=number, balance=1))
    assert caught.value.sent is True


@pytest.mark.parametrize(
    ("number", "state"),
    [(v1.TRANSACTION_STATE_PROCESSED, TransactionState.OK), (v1.TRANSACTION_STATE_CANCELED, TransactionState.CANCELED)],
)
def test_a_state_is_read_in_the_provider_s_words(number: int, state: TransactionState) -> None:
    assert read("status", response("status", outcome=v1.OUTCOME_OK, state=number)).state is state


@pytest.mark.parametrize("number", [0, 3, 42, -1])
def test_ok_without_a_state_that_the_contract_lists_is_unknown(number: int) -> None:
    with pytest.raises(OutcomeUnknown, match="status"):
        read("status", response("status", outcome=v1.OUTCOME_OK, state=number))


@pytest.mark.parametrize("number", [0, 1, 2, 3])
def test_a_state_beside_a_refusal_means_nothing(number: int) -> None:
    refused = response("status", outcome=v1.OUTCOME_TRANSACTION_NOT_FOUND, balance=5, state=number)

    assert read("status", refused) == Outcome(Result.TRANSACTION_NOT_FOUND, 5)


@pytest.mark.parametrize("balance", [0, -1, 2**63 - 1, -(2**63)])
@pytest.mark.parametrize("command", ["authenticate", "balance", "bet", "win", "cancel"])
def test_a_balance_comes_over_whole(command: str, balance: int) -> None:
    assert read(command, response(command, outcome=v1.OUTCOME_OK, balance=balance)).balance == balance


@pytest.mark.parametrize("garbage", [b"\xff", b"\x08", b"\x0a\x7fshort", b"<html>502</html>", b"\x00"])
@pytest.mark.parametrize("command", Command)
def test_bytes_that_are_no_response_are_unknown(command: Command, garbage: bytes) -> None:
    with pytest.raises(OutcomeUnknown, match=r"^the wallet's response is not one of this method$") as caught:
        read_bytes(command, garbage)
    assert caught.value.sent is True


@pytest.mark.parametrize("command", Command)
def test_an_empty_response_is_unknown(command: Command) -> None:
    """It is a valid message, of which every field is unset."""
    with pytest.raises(OutcomeUnknown, match=r"^the wallet answered with outcome OUTCOME_UNSPECIFIED$"):
        read_bytes(command, b"")


def test_a_field_that_we_do_not_know_is_passed_over() -> None:
    later = response("bet", outcome=v1.OUTCOME_OK, balance=7).SerializeToString() + b"\x9a\x06\x03new"

    assert read_bytes("bet", later) == Outcome(Result.OK, 7)

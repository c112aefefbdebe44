"""
The messages of wallet.v1: callbacks to requests, responses to outcomes.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import DecodeError, Message

from walletbridge.callbacks import Authenticate, Balance, Bet, Callback, Cancel, Command, Status, Win
from walletbridge.errors import OutcomeUnknown
from walletbridge.outcomes import Outcome, Result, TransactionState, is_listed
from walletbridge.wallet.v1 import wallet_service_pb2 as v1

_SERVICE = v1.DESCRIPTOR.services_by_name["WalletService"]

_RESULTS = {
    v1.OUTCOME_OK: Result.OK,
    v1.OUTCOME_PLAYER_NOT_FOUND: Result.PLAYER_NOT_FOUND,
    v1.OUTCOME_PLAYER_INACTIVE: Result.PLAYER_INACTIVE,
    v1.OUTCOME_BALANCE_INSUFFICIENT: Result.BALANCE_INSUFFICIENT,
    v1.OUTCOME_ALREADY_PROCESSED: Result.ALREADY_PROCESSED,
    v1.OUTCOME_TRANSACTION_NOT_FOUND: Result.TRANSACTION_NOT_FOUND,
    v1.OUTCOME_FAILED: Result.FAILED,
}
"""Unspecified is not here: it is unknown, as is every number that a later contract may add."""

_STATES = {
    v1.TRANSACTION_STATE_PROCESSED: TransactionState.OK,
    v1.TRANSACTION_STATE_CANCELED: TransactionState.CANCELED,
}


@dataclass(frozen=True, slots=True)
class Method:
    """How one command is put to the wallet."""

    name: str
    """The full name, such as `wallet.v1.WalletService/PlaceBet`."""
    request: Callable[[Any], Message]
    response: type[Message]

    @property
    def path(self) -> str:
        """As gRPC names it on the wire."""
        return f"/{self.name}"

    def read(self, callback: Callback, body: bytes) -> Outcome:
        """
        Reads a response. Raises OutcomeUnknown for one that is no response, or none that the protocol lists.
        """
        try:
            response: Any = self.response.FromString(body)
        except DecodeError:
            raise OutcomeUnknown("the wallet's response is not one of this method", sent=True) from None
        result = _RESULTS.get(response.outcome)
        if result is None:
            raise OutcomeUnknown(f"the wallet answered with outcome {response.outcome}", sent=True)
        state = _STATES.get(response.state) if callback.command is Command.STATUS and result is Result.OK else None
        outcome = Outcome(result, response.balance, state)
        if not is_listed(callback.command, outcome):
            raise OutcomeUnknown(f"the wallet answered {callback.command} with {result.name}", sent=True)
        return outcome


def _authenticate(callback: Authenticate) -> Message:
    return v1.AuthenticateRequest(**_of_any(callback))


def _balance(callback: Balance) -> Message:
    return v1.GetBalanceRequest(**_of_any(callback))


def _bet(callback: Bet) -> Message:
    return v1.PlaceBetRequest(**_of_any(callback), **_of_game(callback), **_of_movement(callback))


def _win(callback: Win) -> Message:
    return v1.SettleWinRequest(**_of_any(callback), **_of_game(callback), **_of_movement(callback))


def _cancel(callback: Cancel) -> Message:
    return v1.CancelTransactionRequest(**_of_any(callback), **_of_game(callback))


def _status(callback: Status) -> Message:
    return v1.GetTransactionStatusRequest(**_of_any(callback), trans_id=callback.trans_key)


def _of_any(callback: Callback) -> dict[str, Any]:
    return {"account": callback.account, "checks": callback.checks}


def _of_game(callback: Bet | Win | Cancel) -> dict[str, Any]:
    requested_at = {} if callback.requested_at is None else {"requested_at": {"seconds": callback.requested_at}}
    return {
        "trans_id": callback.trans_key,
        "round_id": callback.round_id,
        "provider_id": callback.provider_id,
        "game_code": callback.game_code,
        "game_name": callback.game_name,
        "game_type": callback.game_type,
        **requested_at,
    }


def _of_movement(callback: Bet | Win) -> dict[str, Any]:
    return {"amount": callback.amount, "call_id": callback.call_id, "type": callback.type}


def _method(name: str, request: Callable[[Any], Message], response: type[Message]) -> Method:
    return Method(f"{_SERVICE.full_name}/{_SERVICE.methods_by_name[name].name}", request, response)


METHODS = {
    Command.AUTHENTICATE: _method("Authenticate", _authenticate, v1.AuthenticateResponse),
    Command.BALANCE: _method("GetBalance", _balance, v1.GetBalanceResponse),
    Command.BET: _method("PlaceBet", _bet, v1.PlaceBetResponse),
    Command.WIN: _method("SettleWin", _win, v1.SettleWinResponse),
    Command.CANCEL: _method("CancelTransaction", _cancel, v1.CancelTransactionResponse),
    Command.STATUS: _method("GetTransactionStatus", _status, v1.GetTransactionStatusResponse),
}

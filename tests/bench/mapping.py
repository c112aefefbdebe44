"""
What it costs that wallet.v1 is bound by a mapping file, beside messages written by hand, in one process.

    uv run python -m tests.bench.mapping
    uv run python -m tests.bench.mapping --callback-microseconds 300

Each line: the CPU of building a request and reading its reply, by hand and by the mapping, the least of many rounds
that take turns; and what the difference is of a whole callback, whose CPU `tests.bench --only serve` measures.
"""

import argparse
import time
from collections.abc import Callable
from typing import Any

from tests.support.callbacks import body, make_callback

from walletbridge.protocol.callbacks import Callback, Command, decode
from walletbridge.protocol.outcomes import Outcome, Result, TransactionState, is_listed
from walletbridge.settings import Wallet
from walletbridge.wallet.mapping.loading import load
from walletbridge.wallet.reading_replies import parse, read_outcome
from walletbridge.wallet.v1 import wallet_service_pb2 as v1

CALLS = 2_000
ROUNDS = 40
RATIO_MAX = 1.05

_RESULTS = {
    v1.OUTCOME_OK: Result.OK,
    v1.OUTCOME_PLAYER_NOT_FOUND: Result.PLAYER_NOT_FOUND,
    v1.OUTCOME_PLAYER_INACTIVE: Result.PLAYER_INACTIVE,
    v1.OUTCOME_BALANCE_INSUFFICIENT: Result.BALANCE_INSUFFICIENT,
    v1.OUTCOME_ALREADY_PROCESSED: Result.ALREADY_PROCESSED,
    v1.OUTCOME_TRANSACTION_NOT_FOUND: Result.TRANSACTION_NOT_FOUND,
    v1.OUTCOME_FAILED: Result.FAILED,
}
_STATES = {
    v1.TRANSACTION_STATE_PROCESSED: TransactionState.OK,
    v1.TRANSACTION_STATE_CANCELED: TransactionState.CANCELED,
}
_METHODS: dict[Command, tuple[Any, Any]] = {
    Command.AUTHENTICATE: (v1.AuthenticateRequest, v1.AuthenticateResponse),
    Command.BALANCE: (v1.GetBalanceRequest, v1.GetBalanceResponse),
    Command.BET: (v1.PlaceBetRequest, v1.PlaceBetResponse),
    Command.WIN: (v1.SettleWinRequest, v1.SettleWinResponse),
    Command.CANCEL: (v1.CancelTransactionRequest, v1.CancelTransactionResponse),
    Command.STATUS: (v1.GetTransactionStatusRequest, v1.GetTransactionStatusResponse),
}


def by_hand(callback: Any, reply: bytes) -> Outcome:
    """The conversion as one would write it for this proto alone."""
    request, response = _METHODS[callback.command]
    fields: dict[str, Any] = {"account": callback.account, "checks": callback.checks}
    if callback.command in {Command.BET, Command.WIN, Command.CANCEL}:
        fields |= _of_game(callback)
    if callback.command in {Command.BET, Command.WIN}:
        fields |= {"amount": callback.amount, "call_id": callback.call_id, "type": callback.type}
    if callback.command is Command.STATUS:
        fields["trans_id"] = callback.trans_key
    request(**fields).SerializeToString()
    message = response.FromString(reply)
    result = _RESULTS[message.outcome]
    state = _STATES.get(message.state) if callback.command is Command.STATUS and result is Result.OK else None
    outcome = Outcome(result, message.balance, state)
    assert is_listed(callback.command, outcome)
    return outcome


def _of_game(callback: Any) -> dict[str, Any]:
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


def by_mapping() -> Callable[[Callback, bytes], Outcome]:
    """The same by the built-in mapping."""
    bound = load(Wallet(target="nowhere"))

    def convert(callback: Callback, reply: bytes) -> Outcome:
        binding = bound.binding_of(callback)
        assert binding is not None
        binding.method.build(callback, {}).SerializeToString()
        return read_outcome(binding, callback, parse(binding.method, reply, {}))[0]

    return convert


def microseconds(convert: Callable[[Callback, bytes], Outcome], callback: Callback, reply: bytes) -> float:
    """The CPU of one conversion."""
    started = time.process_time_ns()
    for _ in range(CALLS):
        convert(callback, reply)
    return (time.process_time_ns() - started) / CALLS / 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--callback-microseconds", type=float, default=250.0, help="CPU of a whole callback")
    whole = parser.parse_args().callback_microseconds
    mapped = by_mapping()
    for command in Command:
        callback = decode(body(make_callback(command)), currency_decimals=2)
        fields = {"state": v1.TRANSACTION_STATE_PROCESSED} if command is Command.STATUS else {}
        reply = _METHODS[command][1](outcome=v1.OUTCOME_OK, balance=400000, **fields).SerializeToString()
        assert mapped(callback, reply) == by_hand(callback, reply)
        rounds = [
            (microseconds(by_hand, callback, reply), microseconds(mapped, callback, reply)) for _ in range(ROUNDS)
        ]
        hand, bound = (min(column) for column in zip(*rounds, strict=True))
        ratio = 1 + (bound - hand) / whole
        verdict = "" if ratio <= RATIO_MAX else f", above {RATIO_MAX}"
        print(  # noqa: T201 - the figures
            f"{command:12} by hand {hand:5.2f} us, by the mapping {bound:5.2f} us: "
            f"{ratio:.3f} of a callback of {whole:.0f} us{verdict}"
        )


if __name__ == "__main__":
    main()

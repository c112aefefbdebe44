"""Records as the gateway makes them."""

from typing import Any

from tests.support.callbacks import body, make_callback

from walletbridge.observe.trace import CacheUse, Trace, WalletCall
from walletbridge.protocol import answers
from walletbridge.protocol.answers import Answer
from walletbridge.protocol.callbacks import decode
from walletbridge.protocol.outcomes import Outcome, Result, TransactionState
from walletbridge.proxy.live_view.record import Record
from walletbridge.proxy.live_view.record_of import Seconds, answered
from walletbridge.rules.by_hand import Standing
from walletbridge.settings import Settings, Ui, Wallet
from walletbridge.wallet.mapping.loading import load as load_mapping
from walletbridge.wallet.v1 import wallet_service_pb2 as v1

SETTINGS = Settings(wallet=Wallet(target="wallet:50051"))
MASKED = Settings(wallet=Wallet(target="wallet:50051"), ui=Ui(mask_accounts=True))
PLACE_BET = "wallet.v1.WalletService/PlaceBet"
BOUND = load_mapping(SETTINGS.wallet)


def bet_trace(result: Result = Result.OK, balance: int = 400_000, **data: Any) -> tuple[Trace, Answer]:
    """A bet of 1000 units that went to the wallet, and its answer."""
    trace = Trace(calls=[])
    trace.callback = decode(body(make_callback("bet", **data)), currency_decimals=2)
    trace.outcome = Outcome(result, balance)
    trace.budget, trace.wallet_seconds, trace.tries = 1.75, 0.0021, 1
    response = v1.PlaceBetResponse(outcome=int(result) or v1.OUTCOME_OK, balance=balance)  # type: ignore[arg-type]
    request = BOUND.bindings[trace.callback.command].method.build(trace.callback, {})
    raw = response.SerializeToString()
    call = WalletCall(PLACE_BET, request, raw, "OK", "", 0.002, response_type=v1.PlaceBetResponse)
    trace.calls = [call]
    trace.standing = Standing("the bet was made", "yes", is_open=False, for_human="")
    return trace, answers.of_outcome(trace.callback, trace.outcome, currency_decimals=2)


def bet_record(
    result: Result = Result.OK, balance: int = 400_000, *, settings: Settings = SETTINGS, **data: Any
) -> Record:
    """The record of such a bet."""
    trace, answer = bet_trace(result, balance, **data)
    return answered(trace, answer, settings, Seconds(0.003))


def unknown_record(**fields: Any) -> Record:
    """A bet for which the wallet did not answer in time."""
    trace, _ = bet_trace()
    trace.outcome, trace.reason = None, "the wallet did not answer within the budget"
    trace.calls = [WalletCall(PLACE_BET, v1.PlaceBetRequest(), None, "DEADLINE_EXCEEDED", "too late", 1.75)]
    trace.standing = Standing("nobody knows whether the bet was made", "nothing", is_open=True, for_human="")
    for name, value in fields.items():
        setattr(trace, name, value)
    return answered(trace, answers.UNKNOWN, SETTINGS, Seconds(1.751))


def status_record(use: CacheUse | None = None) -> Record:
    """A status, answered by the wallet or from the cache."""
    trace = Trace(calls=[])
    trace.callback = decode(body(make_callback("status")), currency_decimals=2)
    trace.outcome, trace.cache, trace.budget = Outcome(Result.OK, state=TransactionState.OK), use, 3.75
    answer = answers.of_outcome(trace.callback, trace.outcome, currency_decimals=2)
    return answered(trace, answer, SETTINGS, Seconds(0.0001))


def plain_record(answer: Answer, reason: str = "", place: str = "", *, has_token: bool = True) -> Record:
    """A request that never became a callback."""
    return answered(Trace(calls=[], reason=reason, place=place), answer, SETTINGS, Seconds(0.0001), has_token=has_token)

"""
Makes the record of a callback from its trace and answer.
"""

from collections.abc import Sequence
from typing import NamedTuple

from walletbridge.observe.trace import Trace, WalletCall
from walletbridge.protocol.answers import Answer
from walletbridge.protocol.callbacks import Callback
from walletbridge.protocol.money import format_minor
from walletbridge.protocol.outcomes import Result
from walletbridge.proxy.live_view.mask import mask, mask_in_text
from walletbridge.proxy.live_view.one_line import words
from walletbridge.proxy.live_view.record import TEXT_MAX, Call, Journal, Milliseconds, Record, Stage
from walletbridge.settings import Settings
from walletbridge.wallet.text import request_text, response_text

_WITHOUT_BALANCE = frozenset({Result.PLAYER_NOT_FOUND, Result.PLAYER_INACTIVE})
_RAW_MAX = 4096
"""Bytes; a larger response is not kept."""
_OWN_PLACES = frozenset({"command", "account", "trans_id", "round_id", "amount", "checks"})


class Seconds(NamedTuple):
    """Times that only the receiver of the request knows."""

    total: float = 0.0
    held: float = 0.0


def answered(  # noqa: PLR0913 - everything that a record needs
    trace: Trace,
    answer: Answer,
    settings: Settings,
    seconds: Seconds,
    *,
    has_token: bool = True,
    is_replay: bool = False,
) -> Record:
    """Returns the record of an answered callback."""
    record = of_callback(trace.callback, settings)
    record.has_token, record.is_replay = has_token, is_replay
    record.http_status, record.result = answer.http_status, int(answer.result)
    record.reason, record.place = trace.reason, trace.place
    record.cache = trace.cache.value if trace.cache else ""
    record.tries = trace.tries
    record.times = _times(trace, record, seconds)
    if trace.calls:
        record.target = settings.wallet.target
        record.calls = _calls(trace.calls, trace.callback, settings)
    if trace.standing:
        record.journal = Journal(*trace.standing)
    if trace.outcome:
        record.is_known = True
        record.balance_minor = trace.outcome.balance or 0
        record.state = trace.outcome.state or ""
        has_balance = not record.state and trace.outcome.result not in _WITHOUT_BALANCE
        if has_balance and trace.outcome.balance is not None:
            record.balance = format_minor(trace.outcome.balance, settings.wallet.currency_decimals)
    record.find = words(record)
    return record


def waiting(callback: Callback | None, settings: Settings, stage: Stage, seconds: float, reason: str = "") -> Record:
    """Returns the record of a callback that a person holds, or that was dropped while held."""
    record = of_callback(callback, settings)
    record.stage, record.reason = stage, reason
    record.times = Milliseconds(held=_milliseconds(seconds), limit=record.times.limit)
    record.find = words(record)
    return record


def of_callback(callback: Callback | None, settings: Settings) -> Record:
    """Returns a record of the provider's fields; empty if they could not be read."""
    is_masked = settings.ui.mask_accounts
    if callback is None:
        return Record(is_masked=is_masked)
    amount = getattr(callback, "amount", None)
    return Record(
        command=callback.command.value,
        account=mask(callback.account) if is_masked else callback.account,
        trans_id=str(getattr(callback, "trans_id", "")),
        round_id=getattr(callback, "round_id", ""),
        amount="" if amount is None else format_minor(amount, settings.wallet.currency_decimals),
        checks=callback.checks,
        fields=tuple(
            (name, str(value))
            for name in callback.__struct_fields__
            if name not in _OWN_PLACES and (value := getattr(callback, name)) not in (None, "")
        ),
        times=Milliseconds(limit=_milliseconds(getattr(settings.deadlines, callback.command.value))),
        is_masked=is_masked,
    )


def _times(trace: Trace, record: Record, seconds: Seconds) -> Milliseconds:
    return Milliseconds(
        waiting=_milliseconds(trace.turn_seconds),
        journal=_milliseconds(trace.journal_seconds),
        wallet=_milliseconds(trace.wallet_seconds),
        total=_milliseconds(seconds.total),
        budget=_milliseconds(trace.budget),
        limit=record.times.limit,
        held=_milliseconds(seconds.held),
    )


def _calls(calls: Sequence[WalletCall], callback: Callback | None, settings: Settings) -> tuple[Call, ...]:
    made = [_call(call, keeps_raw=not settings.ui.mask_accounts) for call in calls]
    if callback is None or not settings.ui.mask_accounts:
        return tuple(made)
    return tuple(_masked(call, callback.account) for call in made)


def _call(call: WalletCall, *, keeps_raw: bool) -> Call:
    response = call.response
    is_kept = keeps_raw and response is not None and len(response) <= _RAW_MAX
    return Call(
        method=call.method,
        request=request_text(call.request)[:TEXT_MAX],
        response="" if response is None else response_text(call.response_type, response)[:TEXT_MAX],
        raw=response.hex() if is_kept and response is not None else "",
        status=call.status,
        details=call.details[:TEXT_MAX],
        milliseconds=_milliseconds(call.seconds),
        metadata=call.metadata,
    )


def _masked(call: Call, account: str) -> Call:
    return Call(
        method=call.method,
        request=mask_in_text(call.request, account),
        response=mask_in_text(call.response, account),
        status=call.status,
        details=mask_in_text(call.details, account),
        milliseconds=call.milliseconds,
        metadata=tuple((name, mask_in_text(value, account)) for name, value in call.metadata),
    )


def _milliseconds(seconds: float) -> float:
    return round(seconds * 1000, 1)

"""
Replays callbacks of saved flows through other settings or another version, against the recorded wallet responses.

It has no wallet and no journal, so no money can move. Recorded decisions of the journal or the cache stay valid.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import unified_diff

from mitmproxy.flow import Flow
from mitmproxy.http import HTTPFlow
from msgspec.structs import replace

from walletbridge.gateway.gateway import Gateway, Request
from walletbridge.observe.trace import Trace
from walletbridge.protocol.answers import Answer
from walletbridge.protocol.callbacks import Callback
from walletbridge.protocol.errors import OutcomeUnknown
from walletbridge.protocol.outcomes import Outcome, Result, TransactionState
from walletbridge.proxy.live_view.one_line import comment
from walletbridge.proxy.live_view.record import Call, Record, Stage, read
from walletbridge.settings import Settings
from walletbridge.wallet.mapping.bindings import Binding
from walletbridge.wallet.mapping.bound_wallet import BoundWallet
from walletbridge.wallet.mapping.loading import load as load_mapping
from walletbridge.wallet.mapping.request.context import Found
from walletbridge.wallet.reading_replies import parse, read_outcome
from walletbridge.wallet.text import request_text

_UNREADABLE = ("the wallet answered ", "the wallet's response ")
"""How the reason begins if a response could not be read; another mapping may be able to read it."""


@dataclass(frozen=True, slots=True)
class Compared:
    """A callback with the recorded and the new answer."""

    what: str
    then: tuple[int, bytes]
    now: tuple[int, bytes]
    request_diff: tuple[str, ...]
    """The changed lines of the request to the wallet; empty if it is equal, or if none was sent."""

    @property
    def is_same(self) -> bool:
        """Whether the answers are equal."""
        return self.then == self.now


@dataclass(frozen=True, slots=True)
class PassedOver:
    """A flow that cannot be compared."""

    reason: str


class RecordingWallet:
    """Answers as the wallet did then, and keeps the request that would be sent now."""

    def __init__(self, bound: BoundWallet) -> None:
        self._bound = bound
        self.record = Record()
        self.request = ""
        """The last request, as text."""

    async def outcome(self, callback: Callback, *, received_at: float, trace: Trace) -> Outcome:
        """Raises OutcomeUnknown if the outcome was unknown and still is."""
        del received_at, trace
        binding = self._bound.binding_of(callback)
        self.request = _request(self.record, callback, binding)
        return said(self.record, callback, binding)


def said(record: Record, callback: Callback, binding: Binding | None) -> Outcome:
    """
    Returns the wallet's outcome, read again from its response, or the recorded outcome of the journal or the cache.

    Raises OutcomeUnknown, and ValueError for a record that no gateway has written.
    """
    call = own_call(record, binding)
    is_read = record.is_known or record.reason.startswith(_UNREADABLE)
    if binding is not None and call is not None and call.raw and is_read:
        reply = parse(binding.method, bytes.fromhex(call.raw), {})
        outcome, asks = read_outcome(binding, callback, reply)
        return replace(outcome, balance=record.balance_minor) if asks else outcome
    if not record.is_known:
        raise OutcomeUnknown(record.reason or "unknown", sent=bool(call))
    state = TransactionState(record.state) if record.state else None
    return Outcome(Result(record.result), record.balance_minor, state)


def own_call(record: Record, binding: Binding | None) -> Call | None:
    """Returns the last call for the callback itself, not for an additional balance."""
    return _last_call(record, binding.method.name) if binding else None


def _last_call(record: Record, method: str) -> Call | None:
    return next((call for call in reversed(record.calls) if call.method == method), None)


def _request(record: Record, callback: Callback, binding: Binding | None) -> str:
    """Returns the request that would be sent now, as text, or the reason why none would be."""
    if binding is None:
        return "(made up from the journal)"
    try:
        return request_text(binding.method.build(callback, _found(record, binding)))
    except (LookupError, TypeError, ValueError) as error:
        return f"(cannot be built: {error})"


def _found(record: Record, binding: Binding) -> Found:
    """
    Returns the values of the recorded look-up. Raises LookupError if none was saved, ValueError if it is another
    wallet's.
    """
    lookup = binding.lookup
    if lookup is None:
        return {}
    call = _last_call(record, lookup.method.name)
    if call is None or not call.raw:
        raise LookupError(f"no answer of {lookup.method.name} was saved")
    try:
        message = parse(lookup.method, bytes.fromhex(call.raw), {}).message
    except OutcomeUnknown as unknown:
        raise ValueError(unknown.reason) from None
    return {path: get(message) for path, get in lookup.values.wanted.items()}


class DryRun:
    """The gateway without a wallet. Raises SettingsError if the mapping is not usable."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._bound = load_mapping(settings.wallet)
        self._wallet = RecordingWallet(self._bound)
        self._gateway = Gateway(
            self._wallet,
            _Silent(),
            currency_decimals=settings.wallet.currency_decimals,
            body_bytes_max=settings.limits.body_bytes,
            clock=lambda: 0.0,
        )

    async def compare(self, flow: Flow) -> Compared | PassedOver:
        """Compares one flow's answer with the gateway's."""
        found = self._callback_flow(flow)
        if isinstance(found, PassedOver):
            return found
        http_flow, record = found
        self._wallet.record, self._wallet.request = record, ""
        request = Request(
            method=http_flow.request.method,
            has_token=record.has_token,
            body=http_flow.request.raw_content,
            received_at=0.0,
        )
        trace = Trace()
        answer = await self._gateway.answer(request, trace)
        response = http_flow.response
        then = (response.status_code, response.raw_content or b"") if response else (0, b"")
        call = own_call(record, self._bound.binding_of(trace.callback)) if trace.callback else None
        return Compared(
            comment(record),
            then,
            (answer.http_status, answer.body),
            tuple(_diff(call.request, self._wallet.request)) if call else (),
        )

    def _callback_flow(self, flow: Flow) -> tuple[HTTPFlow, Record] | PassedOver:
        if not isinstance(flow, HTTPFlow) or flow.request.path.partition("?")[0] != self._settings.callback.path:
            return PassedOver("no callback")
        record = read(flow.metadata)
        if record is None:
            return PassedOver("saved without a record of what the wallet said")
        if record.stage is not Stage.ANSWERED or flow.response is None:
            return PassedOver("not answered")
        if flow.is_replay and not record.is_known:
            return PassedOver("a replay that was refused")
        return (flow, record) if not record.is_edited else PassedOver("answered by hand")


class _Silent:
    """A log that discards everything."""

    def answered(self, trace: Trace, answer: Answer, seconds: float) -> None:
        """See `CallbackLog`."""

    def failed(self, error: BaseException) -> None:
        """See `CallbackLog`."""


def _diff(then: str, now: str) -> Iterator[str]:
    lines: Iterable[str] = unified_diff(then.split("\n"), now.split("\n"), lineterm="", n=0)
    return (line for line in lines if not line.startswith(("---", "+++", "@@")))

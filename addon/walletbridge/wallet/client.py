"""
Calls the wallet over gRPC. This module alone decides what may be sent, how often, and how long a call may take.
"""

import asyncio
from collections.abc import Callable
from typing import Any

import grpc.aio
from cachetools import TTLCache
from msgspec import Struct
from msgspec.structs import replace

from walletbridge.observe.trace import Trace, WalletCall
from walletbridge.protocol.callbacks import Balance, Callback, Command
from walletbridge.protocol.checks import Check
from walletbridge.protocol.errors import NotSayable, OutcomeUnknown, Overloaded
from walletbridge.protocol.outcomes import Outcome, Result
from walletbridge.wallet.channel import Channel
from walletbridge.wallet.mapping.bindings import Binding, Lookup, Method
from walletbridge.wallet.mapping.bound_wallet import BoundWallet
from walletbridge.wallet.mapping.request.context import Found
from walletbridge.wallet.reading_replies import judge, parse, read_outcome
from walletbridge.wallet.reply import Reply, error_infos

READS = frozenset({Command.AUTHENTICATE, Command.BALANCE, Command.STATUS})
"""They change nothing, so they may be sent again."""

SAID_CHARACTERS_MAX = 300
"""The longest text that the log keeps of the wallet's message beside a status."""
RETRY_SECONDS = 0.05
RETRY_SECONDS_MAX = 0.4

_NOTHING_FOUND: Found = {}
_HIDDEN = "***"
_OK = grpc.StatusCode.OK.name
_AWAY = grpc.StatusCode.UNAVAILABLE.name
_CANCELLED = "the call was cancelled"


class _Call(Struct, frozen=True):
    """A call that is ready to be sent."""

    method: Method
    request: Any
    metadata: tuple[tuple[str, str], ...] | None
    trace: Trace
    """The callback's own; for a look-up or balance call, another one that shares its list of calls."""


class GrpcWallet:
    """
    A wallet of any proto, as its mapping binds it. Raises no exception but OutcomeUnknown.
    """

    def __init__(  # noqa: PLR0913 - what it calls, when, and how often
        self,
        channel: Channel,
        bound: BoundWallet,
        *,
        calls_max: int,
        connect_wait: float,
        clock: Callable[[], float],
        is_away: Callable[[], bool] = lambda: False,
    ) -> None:
        """
        `connect_wait`: how long a movement or cancel waits for a missing connection, in seconds. `is_away`: whether
        the connection has been gone for so long that reads stop waiting for it too.
        """
        self._channel = channel
        self._bound = bound
        self._calls_max = calls_max
        self._connect_wait = connect_wait
        self._clock = clock
        self._is_away = is_away
        methods = [binding.method for binding in bound.bindings.values()]
        methods += [lookup.method for lookup in bound.lookups.values()]
        self._stubs = {method.name: channel.method(method.path) for method in methods}
        self._found: dict[str, TTLCache[str, Found]] = {
            lookup.name: TTLCache(lookup.cache_size, lookup.cache_seconds, timer=clock)
            for lookup in bound.lookups.values()
            if lookup.cache_seconds
        }
        self.in_flight = 0
        """How many commands are in flight, each with all its calls; at most `calls_max`."""

    async def call(self, callback: Callback, *, deadline: float, trace: Trace) -> Outcome:
        """See `Wallet.call`. Raises Overloaded beyond `calls_max` commands: a queue would use up the budget."""
        if self.in_flight >= self._calls_max:
            raise Overloaded(f"{self._calls_max} wallet calls are in flight")
        binding = self._bound.binding_of(callback)
        if binding is None:
            raise OutcomeUnknown(f"the mapping binds no method to {callback.command}", sent=False)
        self.in_flight += 1
        started = self._clock()
        tries = trace.tries
        try:
            found = _NOTHING_FOUND
            if binding.lookup is not None:
                found_or_refused = await self._look_up(binding.lookup, callback, deadline, trace)
                if isinstance(found_or_refused, Outcome):
                    return found_or_refused
                found = found_or_refused
            return await self._command(binding, callback, found, deadline, trace)
        except asyncio.CancelledError:
            # Cancelled while it waited for a connection or the next try.
            raise OutcomeUnknown(_CANCELLED, sent=trace.tries > tries) from None
        finally:
            self.in_flight -= 1
            trace.wallet_seconds += self._clock() - started

    async def _command(
        self, binding: Binding, callback: Callback, found: Found, deadline: float, trace: Trace
    ) -> Outcome:
        """Makes the command's own call and, where the balance must be asked for, the call for it."""
        call = _prepare(binding.method, callback, found, trace)
        reply = await (self._read if callback.command in READS else self._send)(call, deadline)
        outcome, asks = read_outcome(binding, callback, reply)
        if binding.lookup is not None and outcome.result is Result.PLAYER_NOT_FOUND:
            self._forget(binding.lookup, callback)
        if asks:
            # The result stands, even where the balance call fails.
            outcome = replace(outcome, balance=await self._ask_balance(callback, deadline, trace))
            if outcome.balance is None and callback.command is Command.AUTHENTICATE:
                raise OutcomeUnknown("the wallet did not say the balance", sent=True)
        return outcome

    async def _ask_balance(self, callback: Callback, deadline: float, trace: Trace) -> int | None:
        """The player's balance by the command `balance`; None where that call fails."""
        question = Balance(account=callback.account, checks=(Check.PLAYER_EXISTS,), requested_at=callback.requested_at)
        binding = self._bound.bindings[Command.BALANCE]
        aside = Trace(calls=trace.calls)
        try:
            found = _NOTHING_FOUND
            if binding.lookup is not None:
                found_or_refused = await self._look_up(binding.lookup, question, deadline, aside)
                if isinstance(found_or_refused, Outcome):
                    return None
                found = found_or_refused
            reply = await self._read(_prepare(binding.method, question, found, aside), deadline)
            outcome, _ = read_outcome(binding, question, reply)
        except (OutcomeUnknown, asyncio.CancelledError):
            return None
        return outcome.balance if outcome.result is Result.OK else None

    async def _look_up(self, lookup: Lookup, callback: Callback, deadline: float, trace: Trace) -> Found | Outcome:
        """
        The look-up's values, from its cache or the wallet, or its refusal (21 or 22).

        Raises OutcomeUnknown with `sent=False`: the command itself was not sent.
        """
        kept = self._found.get(lookup.name)
        if kept is not None and (known := kept.get(callback.account)) is not None:
            return known
        aside = Trace(calls=trace.calls)
        # As patient as the command itself: without a connection, a movement or cancel is not tried again.
        waits = callback.command in READS
        try:
            reply = await self._read(_prepare(lookup.method, callback, _NOTHING_FOUND, aside), deadline, waits=waits)
            result = judge(lookup.method.outcome, reply)
        except OutcomeUnknown as unknown:
            # No other call follows, so the log and the breaker get this one.
            trace.tries += aside.tries
            trace.wallet_method, trace.grpc_status = aside.wallet_method, aside.grpc_status
            raise OutcomeUnknown(f"the look-up {lookup.name}: {unknown.reason}", sent=False) from None
        # 22 matters only where the callback asks for check 22; without a player (21) no command can be called.
        if result is Result.PLAYER_NOT_FOUND or (
            result is Result.PLAYER_INACTIVE and Check.PLAYER_ACTIVE in callback.checks
        ):
            return Outcome(result)
        if result not in {Result.OK, Result.PLAYER_INACTIVE} or reply.message is None:
            raise OutcomeUnknown(f"the look-up {lookup.name} came to {result.name}", sent=False)
        found = {path: get(reply.message) for path, get in lookup.values.wanted.items()}
        if kept is not None and result is Result.OK:
            kept[callback.account] = found
        return found

    def _forget(self, lookup: Lookup, callback: Callback) -> None:
        """Drops the cached look-up: an account that is unknown now may be another player next time."""
        kept = self._found.get(lookup.name)
        if kept is not None:
            kept.pop(callback.account, None)

    async def _read(self, call: _Call, deadline: float, *, waits: bool = True) -> Reply:
        """
        Sends a read, and repeats it while the wallet is unavailable, until the deadline or until `is_away`.

        `waits`: whether to repeat it also where there is no connection.
        """
        pause = RETRY_SECONDS
        while True:
            end: Reply | OutcomeUnknown
            try:
                end = await self._send(call, deadline)
            except OutcomeUnknown as unknown:
                if unknown.sent or not waits:
                    raise
                end = unknown
            if isinstance(end, Reply) and end.status != _AWAY:
                return end
            if self._is_away() or deadline - self._clock() <= pause:
                if isinstance(end, Reply):
                    return end
                raise end
            await asyncio.sleep(pause)
            # An unsent try burdens nothing: it repeats quickly, to notice soon that the wallet is back or given up.
            pause = min(2 * pause, RETRY_SECONDS_MAX) if isinstance(end, Reply) else RETRY_SECONDS

    async def _send(self, call: _Call, deadline: float) -> Reply:
        """Sends the call once, if there is a connection and time left. Raises OutcomeUnknown."""
        left = deadline - self._clock()
        if not self._channel.is_ready and left > 0:
            # Only a call that was never made is certainly not executed, so nothing is queued inside gRPC.
            if not await self._channel.wait_until_ready(min(left, self._connect_wait), first=left):
                raise OutcomeUnknown("there is no connection to the wallet", sent=False)
            left = deadline - self._clock()
        if left <= 0:
            raise OutcomeUnknown("the budget was used up before the wallet was called", sent=False)
        method, trace = call.method, call.trace
        trace.tries += 1
        trace.wallet_method = method.name
        watched = _watch(call)
        started = self._clock() if watched else 0.0
        try:
            sent = self._stubs[method.name](call.request, timeout=left, metadata=call.metadata)
            response = await sent
            trace.grpc_status = _OK
            if watched:
                watched.response = response
            trailers = {}
            if method.outcome.reads_trailers_of_ok:
                trailers = dict(await sent.trailing_metadata() or ())
        except grpc.aio.AioRpcError as error:
            status = error.code().name
            trace.grpc_status = status
            if watched:
                watched.details = error.details() or ""
            reply = Reply(None, status, dict(error.trailing_metadata() or ()))
            reasons = [f"({info.reason})" for info in error_infos(reply) if info.reason]
            trace.wallet_said = _said(" ".join([*reasons, error.details() or ""]), call)
            return reply
        except asyncio.CancelledError:
            # The caller was cancelled or the channel closed. Either way the wallet may be executing the call.
            trace.grpc_status = grpc.StatusCode.CANCELLED.name
            raise OutcomeUnknown(_CANCELLED, sent=True) from None
        finally:
            if watched:
                watched.status, watched.seconds = trace.grpc_status, self._clock() - started
        return parse(method, response, trailers)


def _prepare(method: Method, callback: Callback, found: Found, trace: Trace) -> _Call:
    """Builds the call. Raises OutcomeUnknown, with `sent=False`, where it cannot hold the callback."""
    try:
        request = method.build(callback, found)
        metadata = None
        if method.metadata:
            metadata = tuple((name, compute(callback, found)) for name, compute in method.metadata)
    except NotSayable as error:
        raise OutcomeUnknown(f"the callback cannot be put to {method.name}: {error}", sent=False) from None
    except (TypeError, ValueError):
        # From protobuf, whose message may hold values of the callback.
        raise OutcomeUnknown(f"the callback does not fit {method.name}", sent=False) from None
    return _Call(method, request, metadata, trace)


def _said(text: str, call: _Call) -> str:
    """The wallet's message on one line, cut, with hidden metadata masked where the wallet repeats it."""
    for name, value in call.metadata or ():
        if name in call.method.hidden and value:
            text = text.replace(value, _HIDDEN)
    return " ".join(text[:SAID_CHARACTERS_MAX].split())


def _watch(call: _Call) -> WalletCall | None:
    """Adds a record of the call to the trace; None where the trace keeps no calls."""
    if call.trace.calls is None:
        return None
    method = call.method
    sent = call.metadata or ()
    watched = WalletCall(
        method.name,
        call.request,
        metadata=tuple((name, _HIDDEN if name in method.hidden else value) for name, value in sent),
        response_type=method.response,
    )
    call.trace.calls.append(watched)
    return watched

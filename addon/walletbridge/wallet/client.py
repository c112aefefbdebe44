"""
Calls the wallet over gRPC. What may be sent, how often and for how long is decided here and nowhere else.
"""

import asyncio
from collections.abc import Callable

import grpc.aio

from walletbridge.callbacks import Callback, Command
from walletbridge.errors import OutcomeUnknown, Overloaded
from walletbridge.outcomes import Outcome
from walletbridge.trace import Trace, WalletCall
from walletbridge.wallet.channel import Channel
from walletbridge.wallet.messages import METHODS, Method

READS = frozenset({Command.AUTHENTICATE, Command.BALANCE, Command.STATUS})
"""Change nothing, and so may be sent again."""

RETRY_SECONDS = 0.05
RETRY_SECONDS_MAX = 0.4

_MEANINGS = {
    grpc.StatusCode.CANCELLED: "the call was cancelled",
    grpc.StatusCode.DEADLINE_EXCEEDED: "the wallet did not answer within the budget",
    grpc.StatusCode.UNAVAILABLE: "the connection to the wallet broke",
    grpc.StatusCode.UNIMPLEMENTED: "the wallet has no such method",
}
"""
What a status is called in the log. It decides nothing: whatever the status, a call that was sent may have moved money,
so every one of them but OK is an unknown outcome.
"""


class GrpcWallet:
    """
    A wallet that speaks wallet.v1. No exception but OutcomeUnknown leaves it.
    """

    def __init__(
        self,
        channel: Channel,
        *,
        calls_max: int,
        connect_wait: float,
        clock: Callable[[], float],
    ) -> None:
        """`connect_wait`, in seconds: how long a movement or cancel waits for a connection that is not there."""
        self._channel = channel
        self._calls_max = calls_max
        self._connect_wait = connect_wait
        self._clock = clock
        self._calls = {command: channel.method(method.path) for command, method in METHODS.items()}
        self.in_flight = 0
        """How many calls hold a place; at most `calls_max`."""

    async def call(self, callback: Callback, *, deadline: float, trace: Trace) -> Outcome:
        """See `Wallet.call`. Beyond `calls_max` calls in flight nothing is sent: a queue would eat the budget."""
        if self.in_flight >= self._calls_max:
            raise Overloaded(f"{self._calls_max} wallet calls are in flight")
        method = METHODS[callback.command]
        self.in_flight += 1
        started = self._clock()
        tries = trace.tries
        try:
            if callback.command in READS:
                return await self._read(method, callback, deadline, trace)
            return await self._send(method, callback, deadline, trace)
        except asyncio.CancelledError:
            # While it waited for a connection or for the next try.
            raise OutcomeUnknown(_MEANINGS[grpc.StatusCode.CANCELLED], sent=trace.tries > tries) from None
        finally:
            self.in_flight -= 1
            trace.wallet_seconds += self._clock() - started

    async def _read(self, method: Method, callback: Callback, deadline: float, trace: Trace) -> Outcome:
        """Sends a read, again and again while the wallet is away, inside the budget."""
        pause = RETRY_SECONDS
        while True:
            try:
                return await self._send(method, callback, deadline, trace)
            except OutcomeUnknown:
                left = deadline - self._clock()
                if trace.grpc_status not in {"", grpc.StatusCode.UNAVAILABLE.name} or left <= pause:
                    raise
            await asyncio.sleep(pause)
            pause = min(2 * pause, RETRY_SECONDS_MAX)

    async def _send(self, method: Method, callback: Callback, deadline: float, trace: Trace) -> Outcome:
        """Sends the call once, if there is a connection and something is left of the budget."""
        left = deadline - self._clock()
        if not self._channel.is_ready and left > 0:
            # Not having called is the only proof of not having been executed, so nothing is queued inside gRPC.
            if not await self._channel.wait_until_ready(min(left, self._connect_wait), first=left):
                raise OutcomeUnknown("there is no connection to the wallet", sent=False)
            left = deadline - self._clock()
        if left <= 0:
            raise OutcomeUnknown("the budget was used up before the wallet was called", sent=False)
        trace.tries += 1
        trace.wallet_method = method.name
        request = method.request(callback)
        watched = _watch(trace, method, request)
        started = self._clock() if watched else 0.0
        try:
            response = await self._calls[callback.command](request, timeout=left)
        except grpc.aio.AioRpcError as error:
            status = error.code()
            trace.grpc_status = status.name
            if watched:
                watched.details = error.details() or ""
            raise OutcomeUnknown(_MEANINGS.get(status, f"the wallet answered {status.name}"), sent=True) from None
        except asyncio.CancelledError:
            # Closing the channel does this as well as a cancelled caller. Either way the wallet may be at work on it.
            trace.grpc_status = grpc.StatusCode.CANCELLED.name
            raise OutcomeUnknown(_MEANINGS[grpc.StatusCode.CANCELLED], sent=True) from None
        else:
            trace.grpc_status = grpc.StatusCode.OK.name
            if watched:
                watched.response = response
        finally:
            if watched:
                watched.status, watched.seconds = trace.grpc_status, self._clock() - started
        return method.read(callback, response)


def _watch(trace: Trace, method: Method, request: object) -> WalletCall | None:
    """The place for what comes of a call, if anybody watches."""
    if trace.calls is None:
        return None
    call = WalletCall(method.name, request)
    trace.calls.append(call)
    return call

"""
Stands between the callbacks and the wallet's client, and refuses at once what would only wait: calls of a wallet that
is down, and calls beyond the places that there are for their kind. What is refused was not sent.
"""

from collections.abc import Callable, Collection

import grpc

from walletbridge.callbacks import Callback, Command
from walletbridge.errors import OutcomeUnknown, Overloaded, WalletDown
from walletbridge.outcomes import Outcome
from walletbridge.trace import Trace
from walletbridge.wallet.breaker import Breaker
from walletbridge.wallet.places import Places
from walletbridge.wallet.port import Wallet

REFUSED = frozenset(Command) - {Command.CANCEL}
"""What an open breaker refuses. A cancel is tried whatever is known of the wallet: it settles what is unknown."""

_DEADLINE = grpc.StatusCode.DEADLINE_EXCEEDED.name
_BROKEN = grpc.StatusCode.UNAVAILABLE.name
_OURS = grpc.StatusCode.CANCELLED.name
"""We ended the call ourselves, which says nothing of the wallet."""


type OnRefused = Callable[[Command, OutcomeUnknown], None]


class Watched:
    """A `Wallet` that tells the breaker what comes of its calls."""

    def __init__(self, wallet: Wallet, breaker: Breaker, *, clock: Callable[[], float]) -> None:
        self._wallet = wallet
        self._breaker = breaker
        self._clock = clock

    async def call(self, callback: Callback, *, deadline: float, trace: Trace) -> Outcome:
        """See `Wallet.call`."""
        tries, started = trace.tries, self._clock()
        try:
            outcome = await self._wallet.call(callback, deadline=deadline, trace=trace)
        except OutcomeUnknown:
            if trace.tries > tries:
                self._failed(trace.grpc_status, self._clock() - started)
            raise
        self._breaker.answered()
        return outcome

    def _failed(self, status: str, waited: float) -> None:
        if status == _DEADLINE:
            self._breaker.timed_out(waited)
        elif status == _BROKEN:
            self._breaker.broke()
        elif status != _OURS:
            # Whatever it said, it is there.
            self._breaker.answered()


class Guard:
    """A `Wallet` that refuses what an open breaker or a lack of places forbids."""

    def __init__(  # noqa: PLR0913 - all by which it decides, and whom it tells
        self,
        wallet: Wallet,
        places: Places,
        breaker: Breaker,
        *,
        refused: Collection[Command] = REFUSED,
        on_behalf_of: Command | None = None,
        on_refused: OnRefused = lambda _, __: None,
    ) -> None:
        """
        `refused`: the commands that an open breaker refuses. `on_behalf_of`: the command for which all calls are made,
        questions included, if it is always the same one. `on_refused` hears of each call that is refused, and why.
        """
        self._wallet = wallet
        self._places = places
        self._breaker = breaker
        self._refused = refused
        self._on_behalf_of = on_behalf_of
        self._on_refused = on_refused

    async def call(self, callback: Callback, *, deadline: float, trace: Trace) -> Outcome:
        """See `Wallet.call`."""
        command = self._on_behalf_of or callback.command
        if command in self._refused and self._breaker.is_open:
            raise self._refusal(command, WalletDown("the wallet is down"))
        if not self._places.take(command):
            raise self._refusal(command, Overloaded(f"{self._places.most(command)} wallet calls are in flight"))
        try:
            return await self._wallet.call(callback, deadline=deadline, trace=trace)
        finally:
            self._places.give_back()

    def _refusal(self, command: Command, unknown: OutcomeUnknown) -> OutcomeUnknown:
        self._on_refused(command, unknown)
        return unknown

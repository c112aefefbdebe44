"""
Stands between the callbacks and the wallet's client, and refuses calls that would only wait: calls of a wallet that is
down, all but a few calls of a command that hangs, and calls beyond the places of their class. A refused call was not
sent.
"""

import time
from collections.abc import Callable, Collection

import grpc

from walletbridge.observe.trace import Trace
from walletbridge.protocol.callbacks import Callback, Command
from walletbridge.protocol.errors import OutcomeUnknown, Overloaded, WalletDown
from walletbridge.protocol.outcomes import Outcome
from walletbridge.wallet.port import Wallet
from walletbridge.wallet.protection.breaker import Breaker
from walletbridge.wallet.protection.call_slots import Places

REFUSED = frozenset(Command) - {Command.CANCEL}
"""The commands that an open breaker refuses. A cancel is tried even then: it settles an unknown outcome."""

TRIALS = 4
"""How many calls of a command that hangs are tried at a time."""

_DEADLINE = grpc.StatusCode.DEADLINE_EXCEEDED.name
_BROKEN = grpc.StatusCode.UNAVAILABLE.name
_OURS = grpc.StatusCode.CANCELLED.name
"""The gateway ended the call itself: no sign of the wallet's state."""


type OnRefused = Callable[[Command, OutcomeUnknown], None]


class Watched:
    """A `Wallet` that reports the end of each call to the breaker."""

    def __init__(
        self,
        wallet: Wallet,
        breaker: Breaker,
        *,
        clock: Callable[[], float],
        on_failed: Callable[[], None] = lambda: None,
    ) -> None:
        """`on_failed` is called after each failed call, whether the breaker counts it or not."""
        self._wallet = wallet
        self._breaker = breaker
        self._clock = clock
        self._on_failed = on_failed

    async def call(self, callback: Callback, *, deadline: float, trace: Trace) -> Outcome:
        """See `Wallet.call`."""
        tries, started = trace.tries, self._clock()
        try:
            outcome = await self._wallet.call(callback, deadline=deadline, trace=trace)
        except OutcomeUnknown:
            if trace.tries > tries:
                self._failed(callback.command, trace.grpc_status, self._clock() - started)
            raise
        self._breaker.answered(callback.command)
        return outcome

    def _failed(self, command: Command, status: str, waited: float) -> None:
        if status == _DEADLINE:
            self._breaker.timed_out(command, waited)
            self._on_failed()
        elif status == _BROKEN:
            self._breaker.broke(command)
            self._on_failed()
        elif status != _OURS:
            # Any other status shows that the wallet is there.
            self._breaker.answered(command)


class Guard:
    """A `Wallet` that refuses the calls that the breaker or the places forbid."""

    def __init__(  # noqa: PLR0913 - all that its decisions need, and the reports
        self,
        wallet: Wallet,
        places: Places,
        breaker: Breaker,
        *,
        refused: Collection[Command] = REFUSED,
        on_behalf_of: Command | None = None,
        on_refused: OnRefused = lambda _, __: None,
        slot_wait: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """
        `refused`: the commands that an open breaker refuses. `on_behalf_of`: the one command for which all calls are
        made, questions included; None for each call's own. `on_refused` gets each refused command and the reason.
        `slot_wait`: how long a call may wait for a place, in seconds.
        """
        self._wallet = wallet
        self._places = places
        self._breaker = breaker
        self._refused = refused
        self._on_behalf_of = on_behalf_of
        self._on_refused = on_refused
        self._slot_wait = slot_wait
        self._clock = clock

    async def call(self, callback: Callback, *, deadline: float, trace: Trace) -> Outcome:
        """See `Wallet.call`."""
        command = self._on_behalf_of or callback.command
        self._expect_answers(command)
        places = self._places
        if not places.take(command):
            if not await places.wait(command, min(self._slot_wait, deadline - self._clock())):
                raise self._refusal(command, Overloaded(f"no place for a call of the wallet: {places.taken} in flight"))
            try:
                # The wallet may have been lost during the wait.
                self._expect_answers(command)
            except OutcomeUnknown:
                places.give_back(command)
                raise
        try:
            return await self._wallet.call(callback, deadline=deadline, trace=trace)
        finally:
            places.give_back(command)

    def _expect_answers(self, command: Command) -> None:
        """Raises WalletDown where a call would only wait."""
        breaker = self._breaker
        if command in self._refused and breaker.is_open:
            raise self._refusal(command, WalletDown("the wallet is down"))
        if breaker.is_stuck(command) and self._refused and self._places.taken_by(command) >= self._trials(command):
            raise self._refusal(command, WalletDown(f"the wallet does not answer {command}"))

    def _trials(self, command: Command) -> int:
        """
        How many calls at a time test whether a command still hangs. Of balance none: the probe asks for balances. Of
        cancel more: it settles unknown outcomes.
        """
        match command:
            case Command.BALANCE:
                return 0
            case Command.CANCEL:
                return self._places.few
            case _:
                return TRIALS

    def _refusal(self, command: Command, unknown: OutcomeUnknown) -> OutcomeUnknown:
        self._on_refused(command, unknown)
        return unknown

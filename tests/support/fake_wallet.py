"""A wallet without a network: what it answers is written down beforehand."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from walletbridge.observe.trace import Trace
from walletbridge.protocol.callbacks import Callback
from walletbridge.protocol.outcomes import Outcome, Result

OK = Outcome(Result.OK, 400000)

type Step = Outcome | Exception | Callable[[], Awaitable[Outcome]]
"""What a call comes to: an outcome, an exception, or whatever is awaited first."""


@dataclass(frozen=True, slots=True)
class Call:
    """A call that reached the wallet."""

    callback: Callback
    deadline: float


class FakeWallet:
    """A `Wallet` that goes through its steps, one for each call; the last one again and again."""

    def __init__(self, *steps: Step) -> None:
        self._steps = list(steps) or [OK]
        self.calls: list[Call] = []

    async def call(self, callback: Callback, *, deadline: float, trace: Trace) -> Outcome:
        self.calls.append(Call(callback, deadline))
        trace.tries += 1
        trace.wallet_method = "wallet.v1.WalletService/Fake"
        trace.grpc_status = "OK"
        step = self._steps.pop(0) if len(self._steps) > 1 else self._steps[0]
        if isinstance(step, Exception):
            raise step
        return step if isinstance(step, Outcome) else await step()


class Held:
    """A step that waits until the test lets it go. Must be made inside a running event loop."""

    def __init__(self) -> None:
        self.arrived = asyncio.Event()
        self._outcome: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()

    async def __call__(self) -> Outcome:
        self.arrived.set()
        return await asyncio.shield(self._outcome)

    def release(self, outcome: Outcome = OK) -> None:
        self._outcome.set_result(outcome)

    def fail(self, error: Exception) -> None:
        self._outcome.set_exception(error)

"""
One callback on its way through the gateway, and the hook by which mitmproxy's core is told of it.
"""

from dataclasses import dataclass, field

from mitmproxy.proxy.commands import StartHook

from walletbridge.answers import Answer
from walletbridge.gateway import Request
from walletbridge.serve.lane.heads import Head
from walletbridge.trace import Trace


@dataclass(slots=True, eq=False)
class Exchange:
    """A request, and its answer once there is one."""

    head: Head
    request: Request
    is_early: bool
    """Answered while its body is still to come."""
    answer: Answer | None = None
    """None until the gateway has answered, and where it could not."""
    trace: Trace = field(default_factory=Trace)


@dataclass
class WalletbridgeCallbackHook(StartHook):  # type: ignore[no-untyped-call]
    """A callback wants its answer. Ends when `exchange.answer` is there."""

    exchange: Exchange

"""
What the lane's layers hear and ask for beside what mitmproxy's own do.
"""

from dataclasses import dataclass

from mitmproxy.proxy import commands, events

from walletbridge.serve.lane.port import Exchange


class Expired(events.Event):
    """The time is up for what the client was to do."""


@dataclass
class WalletbridgeCallbackHook(commands.StartHook):  # type: ignore[no-untyped-call]
    """A callback wants its answer. Ends when `exchange.answer` is there."""

    exchange: Exchange

"""
The event and the command that the lane's layers add to mitmproxy's own.
"""

from dataclasses import dataclass

from mitmproxy.proxy import commands, events

from walletbridge.serve.lane.port import Exchange


class Expired(events.Event):
    """The deadline of the connection has passed."""


@dataclass
class WalletbridgeCallbackHook(commands.StartHook):  # type: ignore[no-untyped-call]
    """Asks the gateway for a callback's answer. Completes once `exchange.answer` is set; at once without a gateway."""

    exchange: Exchange

"""
Calls only the addons that have a hook for an event. mitmproxy itself tries each of some forty addons, with a guard
around each, and a callback causes eight events.

mitmproxy documents no cheaper way, so this module replaces mitmproxy's function. mitmproxy's version is bounded.
"""

import inspect
from collections.abc import Callable
from typing import Any

from mitmproxy.addonmanager import AddonManager, safecall
from mitmproxy.exceptions import AddonHalt
from mitmproxy.hooks import Hook

type _Hook = Callable[..., Any]


class Triggers:
    """Replaces `AddonManager.trigger_event`."""

    def __init__(self, manager: AddonManager) -> None:
        self._manager = manager
        self._chain: list[object] = []
        self._having: dict[str, list[tuple[object, _Hook | None]]] = {}

    async def trigger_event(self, event: Hook) -> None:
        """Calls the hooks for an event in the order of the addons."""
        chain = self._manager.chain
        if chain != self._chain:
            # An addon was added, removed or moved.
            self._chain = list(chain)
            self._having.clear()
        having = self._having.get(event.name)
        if having is None:
            having = self._having[event.name] = _having(chain, event.name)
        arguments = event.args()
        for addon, hook in having:
            try:
                if hook is None:
                    await self._manager.invoke_addon(addon, event)
                    continue
                said = hook(*arguments)
                if said is not None and inspect.isawaitable(said):
                    await said
            except AddonHalt:
                return
            except Exception:
                # Handle the error as mitmproxy does.
                with safecall():
                    raise


def _having(chain: list[object], name: str) -> list[tuple[object, _Hook | None]]:
    """Returns the addons with this hook. Addons that hold other, changing addons have None for it."""
    hooks = [(addon, None if hasattr(addon, "addons") else getattr(addon, name, None)) for addon in chain]
    return [(addon, hook) for addon, hook in hooks if callable(hook) or hasattr(addon, "addons")]


def trigger_directly(manager: AddonManager) -> None:
    """Replaces `trigger_event`."""
    manager.trigger_event = Triggers(manager).trigger_event  # type: ignore[method-assign]

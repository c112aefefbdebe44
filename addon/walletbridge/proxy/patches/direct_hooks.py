"""
Events of mitmproxy, brought to those of its addons that have a hook for them. By itself it asks each of some forty,
with a guard around each, and a callback is eight events.

No documented way makes this cheaper: the function that does it is replaced. Its version is bounded.
"""

import inspect
from collections.abc import Callable
from typing import Any

from mitmproxy.addonmanager import AddonManager, safecall
from mitmproxy.exceptions import AddonHalt
from mitmproxy.hooks import Hook

type _Hook = Callable[..., Any]


class Triggers:
    """Stands for `AddonManager.trigger_event`."""

    def __init__(self, manager: AddonManager) -> None:
        self._manager = manager
        self._chain: list[object] = []
        self._having: dict[str, list[tuple[object, _Hook | None]]] = {}

    async def trigger_event(self, event: Hook) -> None:
        """Calls the hooks for an event, in the order of the addons."""
        chain = self._manager.chain
        if chain != self._chain:
            # An addon has come, gone or moved.
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
                # mitmproxy says what is to be done with it.
                with safecall():
                    raise


def _having(chain: list[object], name: str) -> list[tuple[object, _Hook | None]]:
    """Who has such a hook; without it those that hold other addons, which come and go."""
    hooks = [(addon, None if hasattr(addon, "addons") else getattr(addon, name, None)) for addon in chain]
    return [(addon, hook) for addon, hook in hooks if callable(hook) or hasattr(addon, "addons")]


def trigger_directly(manager: AddonManager) -> None:
    """From here on."""
    manager.trigger_event = Triggers(manager).trigger_event  # type: ignore[method-assign]

"""
Limits the number of flows: removes the oldest settled ones first, and none that a person works on.
"""

from mitmproxy.addons.view import View
from mitmproxy.flow import Flow

from walletbridge.proxy.live_view.record import marker_in
from walletbridge.proxy.live_view.related import words_of

AT_ONCE_MAX = 50
"""Flows removed at once: few enough not to delay callbacks, enough that not every callback has to trim."""


class KeepFlows:
    """Trims a view."""

    def __init__(self, view: View, flows_max: int) -> None:
        self._view = view
        self._flows_max = flows_max

    def trim(self) -> None:
        """Removes flows if there are too many."""
        over = self._view.store_count() - self._flows_max  # type: ignore[no-untyped-call]
        if over <= 0:
            return
        wanted = over + min(AT_ONCE_MAX, self._flows_max // 100)
        focus = self._view.focus.flow
        # Start at the oldest and stop early, because callbacks wait. `resolve` would list all flows.
        flows = self._view._store.values()  # noqa: SLF001 - see above
        ended = (flow for flow in flows if is_removable(flow) and flow is not focus)
        unresolved: list[Flow] = []
        chosen: list[Flow] = []
        for flow in ended:
            (unresolved if "is=unresolved " in words_of(flow) else chosen).append(flow)
            if len(chosen) == wanted:
                break
        for flow in [*chosen, *unresolved[: wanted - len(chosen)]]:
            # Remove singly: for several at once, mitmproxy shows a message.
            self._view.remove([flow])


def is_removable(flow: Flow) -> bool:
    """Whether no person needs the flow: it has ended, is not held, and has no person's marker."""
    return not flow.live and not flow.intercepted and not is_marked_by_hand(flow)


def is_marked_by_hand(flow: Flow) -> bool:
    """Whether a person set the marker."""
    if not flow.marked:
        return False
    return flow.marked != marker_in(flow.metadata)

"""
The content view of callbacks. If it fails, it shows the original body and the error.
"""

from collections.abc import Callable, Iterable
from datetime import datetime

from mitmproxy.contentviews import Contentview, Metadata
from mitmproxy.flow import Flow
from mitmproxy.http import HTTPFlow

from walletbridge.proxy.live_view.page import page
from walletbridge.proxy.live_view.record import KEY, read
from walletbridge.proxy.live_view.related import line_of, related

_OURS = 2.0
_NOT_OURS = -1.0


class WalletBridgeView(Contentview):
    """Shows the record in a callback's flow."""

    def __init__(self, newest_flows: Callable[[], Iterable[Flow]] = tuple) -> None:
        """`newest_flows` returns the kept flows, the newest first."""
        self._newest_flows = newest_flows

    @property
    def name(self) -> str:
        """The view's name in the UI."""
        return "walletbridge"

    def render_priority(self, data: bytes, metadata: Metadata) -> float:
        """Above all other views if the flow has a record."""
        del data
        return _OURS if metadata.flow is not None and KEY in metadata.flow.metadata else _NOT_OURS

    def prettify(self, data: bytes, metadata: Metadata) -> str:
        """Returns the page of a callback. Raises nothing."""
        try:
            return self._page(data, metadata)
        except Exception as error:  # noqa: BLE001 - people must see the body after any error
            return f"(no view: {type(error).__name__}: {error})\n\n{data.decode(errors='replace')}"

    def _page(self, data: bytes, metadata: Metadata) -> str:
        flow = metadata.flow
        record = read(flow.metadata) if flow else None
        if flow is None or record is None:
            raise ValueError("the flow holds no record that can be read")
        is_request = isinstance(flow, HTTPFlow) and metadata.http_message is flow.request
        lines = [line_of(one) for one in related(record, flow, self._newest_flows())]
        received = datetime.fromtimestamp(flow.timestamp_start).astimezone().isoformat(" ", "milliseconds")
        return page(record, data, is_request=is_request, related=lines, received=received)

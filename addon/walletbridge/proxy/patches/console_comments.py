"""
Shows comments in the list of mitmproxy's console, which has none.

mitmproxy documents no way to extend that list, so this module wraps the function that draws a flow. mitmproxy's version
is bounded. A flow without a record is drawn unchanged.
"""

from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any

from mitmproxy.flow import Flow
from mitmproxy.master import Master

from walletbridge.proxy.live_view.one_line import comment
from walletbridge.proxy.live_view.record import KEY, read

WIDTH = 70
"""Characters of a comment: with the time, it fills a console line of 80 columns."""


def show_comments(master: Master) -> None:
    """Shows comments in the console; does nothing elsewhere."""
    if not hasattr(master, "keymap"):
        return
    from mitmproxy.tools.console import common  # noqa: PLC0415 - only the console has its libraries loaded

    if not hasattr(common.format_flow, "shows_comments"):
        common.format_flow = with_comment(common.format_flow)


def with_comment(draw: Callable[..., Any]) -> Callable[..., Any]:
    """Returns `format_flow` with an additional line that shows the comment of a callback."""
    import urwid  # noqa: PLC0415 - see above

    @wraps(draw)
    def drawn(flow: Flow, *arguments: Any, **named: Any) -> Any:
        plain = draw(flow, *arguments, **named)
        if not flow.comment or KEY not in flow.metadata:
            return plain
        return urwid.Pile([plain, urwid.Text(("text", _line(flow)), wrap="clip")])

    drawn.shows_comments = True  # type: ignore[attr-defined]
    return drawn


def _line(flow: Flow) -> str:
    """Returns the local time of the request and the comment. A person's own comment is not shortened."""
    record = read(flow.metadata)
    is_ours = record is not None and flow.comment == comment(record)
    text = comment(record, WIDTH) if record is not None and is_ours else flow.comment
    return f"{datetime.fromtimestamp(flow.timestamp_created).astimezone():%H:%M:%S} {text}"

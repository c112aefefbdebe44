"""
Comments in the list of mitmproxy's console, which shows none by itself.

No documented way adds anything to that list: the function that draws a flow is wrapped. Its version is bounded, and a
flow that cannot be drawn with its comment is drawn without.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from mitmproxy.flow import Flow
from mitmproxy.master import Master

from walletbridge.ui.record import KEY

_INDENT = "   "


def show_comments(master: Master) -> None:
    """In the console; elsewhere nothing is done."""
    if not hasattr(master, "keymap"):
        return
    from mitmproxy.tools.console import common  # noqa: PLC0415 - only the console has its libraries loaded

    if not hasattr(common.format_flow, "shows_comments"):
        common.format_flow = with_comment(common.format_flow)


def with_comment(draw: Callable[..., Any]) -> Callable[..., Any]:
    """`format_flow`, with a line below a callback that says what came of it."""
    import urwid  # noqa: PLC0415 - see above

    @wraps(draw)
    def drawn(flow: Flow, *arguments: Any, **named: Any) -> Any:
        plain = draw(flow, *arguments, **named)
        if not flow.comment or KEY not in flow.metadata:
            return plain
        return urwid.Pile([plain, urwid.Text(("text", _INDENT + flow.comment), wrap="clip")])

    drawn.shows_comments = True  # type: ignore[attr-defined]
    return drawn

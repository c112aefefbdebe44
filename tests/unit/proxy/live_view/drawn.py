"""
Draws flows as the console's list does, with and without our line, and prints what came. `python -m` starts it: the
console's libraries want a process of their own.
"""

import json
from typing import Any

from mitmproxy.test import tflow
from mitmproxy.tools.console import common
from tests.unit.proxy.live_view.records import bet_record

from walletbridge.proxy.live_view.one_line import comment
from walletbridge.proxy.live_view.record import write
from walletbridge.proxy.patches.console_comments import show_comments


class Console:
    """A master that has keys, as only the console's has."""

    keymap = object()


def lines(flow: Any) -> list[str]:
    """The flow at 80 columns."""
    widget = common.format_flow(flow, render_mode=common.RenderMode.LIST)
    return [line.decode().rstrip() for line in widget.render((80,)).text]


def main() -> None:
    """Prints JSON."""
    flow, other = tflow.tflow(resp=True), tflow.tflow(resp=True)
    record = bet_record(account="a" * 100, amount=10**12)
    flow.comment, other.comment = comment(record), "a person's own"
    write(flow.metadata, record)
    drawn = {"comment": flow.comment, "plain": lines(flow), "other": lines(other)}
    master: Any = Console()
    show_comments(object())  # type: ignore[arg-type]
    drawn["elsewhere"] = lines(flow)
    show_comments(master)
    show_comments(master)
    print(json.dumps({**drawn, "shown": lines(flow), "other shown": lines(other)}))  # noqa: T201 - read by a test


if __name__ == "__main__":
    main()

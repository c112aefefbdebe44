"""
Widens the comment column of mitmweb's page, which is too narrow to read.

mitmproxy documents no way to change the page, so a handler of walletbridge precedes its own and adds style rules.
mitmproxy's version is bounded. A page without `</head>` is served unchanged.
"""

from typing import Any

from mitmproxy.master import Master

STYLE = (
    b"<style>.flow-table .col-path{width:17%}.flow-table .col-timestamp{width:195px}"
    # mitmproxy 12.3 takes a column's width from its `col`, 12.2 from the first row's cells.
    b".flow-table col.col-comment,.flow-table tr .col-comment{width:auto;text-align:left;padding-right:8px}"
    b".flow-table td.col-timestamp{text-align:left}.flow-table .col-status{width:64px}</style>"
)
_HEAD_END = b"</head>"


def widen_comments(master: Master) -> None:
    """Installs the handler. Does nothing outside mitmweb."""
    application: Any = getattr(master, "app", None)
    if application is None:
        return
    from mitmproxy.tools.web.app import IndexHandler  # noqa: PLC0415 - only mitmweb has its libraries loaded

    class WideIndex(IndexHandler):  # type: ignore[no-untyped-call]
        """Requires a login: mitmproxy wraps the methods of every handler."""

        def get(self) -> None:
            self.write(widened(self.render_string("../index.html")))

        post = get

    application.add_handlers(r".*", [(r"/", WideIndex)])


def widened(page: bytes) -> bytes:
    """Returns the page with the style rules."""
    return page.replace(_HEAD_END, STYLE + _HEAD_END, 1)

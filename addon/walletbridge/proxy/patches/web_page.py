"""
mitmweb's page with room for comments, whose column is too narrow to be read.

No documented way changes its page: its first handler is put behind one of ours, which adds a few rules of style. Its
version is bounded, and where that fails the page is served as it is.
"""

from typing import Any

from mitmproxy.master import Master

STYLE = (
    b"<style>.flow-table .col-path{width:17%}.flow-table .col-timestamp{width:195px}"
    # mitmproxy 12.3 takes a column's width from its `col`, 12.2 from the cells of the first row.
    b".flow-table col.col-comment,.flow-table tr .col-comment{width:auto;text-align:left;padding-right:8px}"
    b".flow-table td.col-timestamp{text-align:left}.flow-table .col-status{width:64px}</style>"
)
_HEAD_END = b"</head>"


def widen_comments(master: Master) -> None:
    """In mitmweb; elsewhere nothing is done."""
    application: Any = getattr(master, "app", None)
    if application is None:
        return
    from mitmproxy.tools.web.app import IndexHandler  # noqa: PLC0415 - only mitmweb has its libraries loaded

    class WideIndex(IndexHandler):  # type: ignore[no-untyped-call]
        """With its own login: mitmproxy wraps the methods of every handler."""

        def get(self) -> None:
            self.write(widened(self.render_string("../index.html")))

        post = get

    application.add_handlers(r".*", [(r"/", WideIndex)])


def widened(page: bytes) -> bytes:
    """The page with the rules of style."""
    return page.replace(_HEAD_END, STYLE + _HEAD_END, 1)

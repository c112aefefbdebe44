"""mitmweb's page, of which a browser shows the rest."""

from walletbridge.proxy.patches.web_page import STYLE, widen_comments, widened


def test_the_style_stands_in_the_head_once() -> None:
    page = b"<html><head><title>x</title></head><body></head></body></html>"

    assert widened(page) == page.replace(b"</title>", b"</title>" + STYLE)


def test_another_page_stays_as_it_is() -> None:
    assert widened(b"no page") == b"no page"


def test_outside_mitmweb_nothing_is_done() -> None:
    widen_comments(object())  # type: ignore[arg-type]

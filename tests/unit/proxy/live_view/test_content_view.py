"""The content view never fails: what it cannot show, it shows as it came."""

from collections.abc import Iterable

import pytest
from mitmproxy import contentviews
from mitmproxy.contentviews import Metadata
from mitmproxy.contentviews._registry import ContentviewRegistry
from mitmproxy.flow import Flow
from mitmproxy.http import HTTPFlow
from mitmproxy.test import taddons, tflow
from tests.unit.proxy.live_view.records import bet_record

from walletbridge.proxy.live_view import content_view as view_module
from walletbridge.proxy.live_view.content_view import WalletBridgeView
from walletbridge.proxy.live_view.one_line import comment
from walletbridge.proxy.live_view.record import KEY, Record, write


def make_flow(record: Record | None = None) -> HTTPFlow:
    flow = tflow.tflow(resp=True)
    flow.request.content = b'{"command":"bet"}'
    if record:
        flow.comment = comment(record)
        write(flow.metadata, record)
    return flow


def test_it_is_chosen_for_callbacks_alone() -> None:
    view = WalletBridgeView()

    assert view.render_priority(b"", Metadata(flow=make_flow(bet_record()))) > 1
    assert view.render_priority(b"", Metadata(flow=make_flow())) < 0
    assert view.render_priority(b"", Metadata()) < 0


def test_mitmproxy_chooses_it_by_itself() -> None:
    registry = ContentviewRegistry()  # type: ignore[no-untyped-call]
    for other in contentviews.registry.values():
        registry.register(other)
    registry.register(WalletBridgeView())
    flow = make_flow(bet_record())

    with taddons.context():  # type: ignore[no-untyped-call]
        shown = contentviews.prettify_message(flow.request, flow, registry=registry)

    assert (shown.view_name, shown.text.partition("\n")[0]) == ("walletbridge", "The wallet took the stake.")


def test_request_and_answer_have_their_own_bodies() -> None:
    flow = make_flow(bet_record())
    view = WalletBridgeView()

    assert "request body" in view.prettify(b"{}", Metadata(flow=flow, http_message=flow.request))
    assert "answer body" in view.prettify(b"{}", Metadata(flow=flow, http_message=flow.response))


def test_other_callbacks_of_the_transaction_and_round_are_shown() -> None:
    bet = make_flow(bet_record())
    win = make_flow(bet_record(trans_id=2))
    stranger = make_flow(bet_record(account="somebody", trans_id=3))
    flows: list[Flow] = [win, stranger, bet]
    view = WalletBridgeView(lambda: flows)

    text = view.prettify(b"", Metadata(flow=bet, http_message=bet.request))
    assert f"{win.comment}" in text
    assert "somebody" not in text


@pytest.mark.parametrize("written", ["nonsense", 7, '{"stage":"x"}'])
def test_a_record_that_cannot_be_read_leaves_the_body(written: object) -> None:
    flow = make_flow()
    flow.metadata[KEY] = written
    text = WalletBridgeView().prettify(b'{"command":"bet"}', Metadata(flow=flow))

    assert text == '(no view: ValueError: the flow holds no record that can be read)\n\n{"command":"bet"}'


def test_a_view_that_raises_leaves_the_body(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> str:
        raise RuntimeError("broken on purpose")

    monkeypatch.setattr(view_module, "page", broken)
    flow = make_flow(bet_record())
    text = WalletBridgeView().prettify(b"\xff{}", Metadata(flow=flow, http_message=flow.request))

    assert text == "(no view: RuntimeError: broken on purpose)\n\n\ufffd{}"


def test_flows_that_cannot_be_listed_leave_the_body() -> None:
    def broken() -> Iterable[Flow]:
        raise OSError("no flows")

    flow = make_flow(bet_record())
    assert WalletBridgeView(broken).prettify(b"{}", Metadata(flow=flow)) == "(no view: OSError: no flows)\n\n{}"

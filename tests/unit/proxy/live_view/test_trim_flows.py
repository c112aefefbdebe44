"""The number of flows is bounded, and nothing goes that somebody is at work on."""

from collections.abc import Iterator

import pytest
from mitmproxy.addons.view import View
from mitmproxy.flow import Flow
from mitmproxy.test import taddons, tflow
from tests.unit.proxy.live_view.records import bet_record, unknown_record

from walletbridge.proxy.live_view.one_line import marker
from walletbridge.proxy.live_view.record import Record, write
from walletbridge.proxy.live_view.trim_flows import KeepFlows, is_marked_by_hand


@pytest.fixture
def view() -> Iterator[View]:
    view = View()
    with taddons.context(view):  # type: ignore[no-untyped-call]
        yield view


def settled(record: Record | None = None) -> Flow:
    flow = tflow.tflow(resp=True)
    flow.live = False
    record = record or bet_record()
    flow.marked = record.marker = marker(record)
    write(flow.metadata, record)
    return flow


def fill(view: View, *flows: Flow) -> list[Flow]:
    """In front of them one that has the focus, as the first always has."""
    all_flows = [settled(), *flows]
    view.add(all_flows)
    return all_flows


def test_the_oldest_settled_go_first(view: View) -> None:
    _, *flows = fill(view, *(settled() for _ in range(9)))
    KeepFlows(view, 8).trim()

    assert view.store_count() == 8  # type: ignore[no-untyped-call]
    assert flows[0] not in view
    assert flows[1] not in view
    assert flows[2] in view


def test_below_the_limit_nothing_goes(view: View) -> None:
    fill(view, settled())
    KeepFlows(view, 2).trim()

    assert view.store_count() == 2  # type: ignore[no-untyped-call]


def test_what_is_live_held_or_marked_never_goes(view: View) -> None:
    live, held, marked, odd = (settled() for _ in range(4))
    live.live, held.intercepted, marked.marked = True, True, ":default:"
    odd.metadata.clear()
    _, *flows = fill(view, live, held, marked, odd, settled())
    KeepFlows(view, 1).trim()

    assert [flow in view for flow in flows] == [True, True, True, True, False]
    assert live.live
    assert not held.error


def test_what_is_unresolved_goes_last(view: View) -> None:
    unresolved = settled(unknown_record())
    _, *flows = fill(view, unresolved, settled(), settled())
    KeepFlows(view, 2).trim()
    assert [flow in view for flow in flows] == [True, False, False]

    KeepFlows(view, 1).trim()
    assert unresolved not in view


def test_among_many_that_are_unresolved_they_go_so_that_not_every_callback_looks_for_some(view: View) -> None:
    _, *flows = fill(view, *(settled(unknown_record()) for _ in range(998)), settled(), settled())
    KeepFlows(view, 1000).trim()

    assert view.store_count() == 990  # type: ignore[no-untyped-call]
    assert [flow in view for flow in flows] == [*[False] * 9, *[True] * 989, False, False]


def test_many_go_at_once_so_that_not_every_callback_looks_for_some(view: View) -> None:
    fill(view, *(settled() for _ in range(1000)))
    KeepFlows(view, 1000).trim()

    assert view.store_count() == 990  # type: ignore[no-untyped-call]


def test_our_own_marker_protects_nothing_and_a_persons_does() -> None:
    flow = settled()
    assert not is_marked_by_hand(flow)
    flow.marked = ""
    assert not is_marked_by_hand(flow)
    flow.marked = ":grapes:"
    assert is_marked_by_hand(flow)

"""Browsers are told of flows, gathered and bounded."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest
from mitmproxy.addons.view import View
from mitmproxy.flow import Flow
from mitmproxy.test import taddons, tflow
from tests.support.waiting import until

from walletbridge.proxy.patches import web_updates
from walletbridge.proxy.patches.web_updates import BEHIND_MAX, WebUpdates, gather_updates


class Browser:
    """A connection to mitmweb that nobody reads from."""

    def __init__(self) -> None:
        self._send_queue: asyncio.Queue[bytes] = asyncio.Queue()

    def send(self, message: bytes) -> None:
        self._send_queue.put_nowait(message)

    def _broadcast_flow(self, kind: str, flow: Flow, content: Any) -> None:
        self.send(f"{kind} {flow.comment} {content}".encode())

    def told(self) -> list[str]:
        return [self._send_queue.get_nowait().decode() for _ in range(self._send_queue.qsize())]


class Connections:
    """mitmweb's class for them."""

    def __init__(self, *browsers: Browser) -> None:
        self.connections = set(browsers)

    @staticmethod
    def _json_dumps(message: object) -> bytes:
        return json.dumps(message).encode()


@pytest.fixture
def view(monkeypatch: pytest.MonkeyPatch) -> Iterator[View]:
    monkeypatch.setattr(web_updates, "GATHER_SECONDS", 0)
    view = View()
    with taddons.context(view):  # type: ignore[no-untyped-call]
        yield view


async def test_changes_of_a_flow_are_told_once_as_it_is_by_then(view: View) -> None:
    one, other, flow = Browser(), Browser(), tflow.tflow()
    view.add([flow])
    updates = WebUpdates(Connections(one, other), view, lambda _: "content")
    updates.broadcast_flow("flows/add", flow)
    for flow.comment in ("held", "answered"):
        updates.broadcast_flow("flows/update", flow)
    await until(one._send_queue.qsize)

    assert one.told() == other.told() == ["flows/add answered content"]
    updates.broadcast_flow("flows/update", flow)
    await until(one._send_queue.qsize)
    assert one.told() == ["flows/update answered content"]


async def test_a_flow_that_was_removed_meanwhile_does_not_come_back(view: View) -> None:
    browser, flow, stays = Browser(), tflow.tflow(), tflow.tflow()
    view.add([flow, stays])
    updates = WebUpdates(Connections(browser), view, lambda _: "content")
    updates.broadcast_flow("flows/add", flow)
    updates.broadcast_flow("flows/add", stays)
    view.remove([flow])
    updates.tell()

    assert len(browser.told()) == 1


async def test_where_nobody_looks_nothing_is_done(view: View) -> None:
    updates = WebUpdates(Connections(), view, lambda _: pytest.fail("nobody wanted to know"))
    updates.broadcast_flow("flows/add", tflow.tflow())
    updates.tell()

    assert updates._changed == {}


async def test_a_browser_that_is_far_behind_loads_anew(view: View) -> None:
    """And the others are told as ever."""
    slow, quick, flow = Browser(), Browser(), tflow.tflow()
    view.add([flow])
    updates = WebUpdates(Connections(slow, quick), view, lambda _: "content")
    for _ in range(3 * BEHIND_MAX):
        updates.broadcast_flow("flows/update", flow)
        updates.tell()
        quick.told()
        assert slow._send_queue.qsize() <= BEHIND_MAX

    slow.told()
    for _ in range(BEHIND_MAX):
        slow.send(b"x")
    updates.broadcast_flow("flows/update", flow)
    updates.tell()
    assert slow.told() == ['{"type": "flows/reset"}']
    assert len(quick.told()) == 1


def test_outside_mitmweb_nothing_is_done(view: View) -> None:
    gather_updates(object(), view)  # type: ignore[arg-type]

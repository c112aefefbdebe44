"""A browser gets the list of flows as mitmweb has it, and others have their turns meanwhile."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
import pytest
from mitmproxy.flow import Flow
from mitmproxy.options import Options
from mitmproxy.test import tflow
from mitmproxy.tools.web.app import flow_to_json
from mitmproxy.tools.web.master import WebMaster
from tornado.escape import json_decode, json_encode
from tornado.httpserver import HTTPServer
from tornado.testing import bind_unused_port

from walletbridge.proxy.patches.web_list import PART, list_in_parts


@dataclass
class Page:
    """mitmweb, and what its browser asks."""

    client: aiohttp.ClientSession
    url: str
    password: str
    asked: list[str] = field(default_factory=list)

    async def flows(self, password: str = "") -> tuple[int, object]:
        login = {"Authorization": f"Bearer {password or self.password}"}
        async with self.client.get(f"{self.url}/flows", headers=login) as answer:
            content = await answer.read()
            return answer.status, json_decode(content) if answer.ok else content


@asynccontextmanager
async def opened(*flows: Flow) -> AsyncIterator[Page]:
    """Without a proxy."""
    master = WebMaster(Options(), with_termlog=False)
    master.view.add(flows)
    socket, port = bind_unused_port()
    server = HTTPServer(master.app)
    server.add_socket(socket)
    async with aiohttp.ClientSession() as client:
        page = Page(client, f"http://127.0.0.1:{port}", master.web_url.partition("token=")[2])
        list_in_parts(master, before=lambda: page.asked.append("flows"))
        yield page
    server.stop()
    await server.close_all_connections()
    master.events.done()  # type: ignore[no-untyped-call]


@pytest.mark.parametrize("count", [0, 1, PART, 2 * PART + 1])
async def test_the_list_is_the_one_that_mitmweb_has(count: int) -> None:
    flows = [tflow.tflow(resp=True) for _ in range(count)]
    for number, flow in enumerate(flows):
        flow.request.timestamp_start = number
        flow.comment = "</script>\udcff"
    async with opened(*flows) as page:
        assert await page.flows() == (200, json_decode(json_encode([flow_to_json(flow) for flow in flows])))
        assert page.asked == ["flows"]


async def test_it_wants_the_login() -> None:
    async with opened(tflow.tflow()) as page:
        status, content = await page.flows("wrong")

        assert status == 403
        assert b"address" not in bytes(str(content), "utf-8")
        assert page.asked == []


async def test_others_have_their_turns_between_its_parts() -> None:
    async with opened(*(tflow.tflow(resp=True) for _ in range(10 * PART))) as page:
        turns, asking = 0, asyncio.ensure_future(page.flows())
        while not asking.done():
            turns += bool(page.asked)
            await asyncio.sleep(0)

        assert turns >= 10


def test_outside_mitmweb_nothing_is_done() -> None:
    list_in_parts(object(), before=lambda: None)  # type: ignore[arg-type]

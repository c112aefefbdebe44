"""Accounts go from bodies once the answer has gone out, and not before."""

import asyncio
from typing import Any

import pytest
from mitmproxy.flow import Flow
from mitmproxy.test import taddons, tflow
from tests.support.callbacks import body, make_callback
from tests.support.waiting import until

from walletbridge.proxy.live_view import mask_later
from walletbridge.proxy.live_view.mask_later import Masking

BET = body(make_callback("bet"))


class Updates:
    """What the UI is told of."""

    def __init__(self) -> None:
        self.flows: list[Flow] = []

    def update(self, flows: list[Flow]) -> None:
        self.flows += flows


async def test_bodies_are_masked_when_the_flow_has_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mask_later, "POLL_SECONDS", 0)
    flow: Any = tflow.tflow(resp=True)
    flow.request.content, flow.response.content = BET, b'{"account":"test1234"}'
    flow.backup()
    updates, work = Updates(), Masking()
    with taddons.context(updates):  # type: ignore[no-untyped-call]
        work.later(flow, "test1234")
        for _ in range(3):
            await asyncio.sleep(0)
        assert flow.request.content == BET
        flow.live = False
        await until(lambda: updates.flows == [flow])

    assert b"test1234" not in flow.request.content
    assert flow.response.content == b'{"account":"t***4"}'
    assert not flow.modified()

"""The addon inside a mitmproxy that has a view, with a scripted wallet behind it."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from mitmproxy import http
from mitmproxy.addons.proxyserver import Proxyserver
from mitmproxy.addons.view import View
from mitmproxy.test import taddons, tflow, tutils
from tests.support.callbacks import body, make_callback
from tests.support.scripted_wallet import HOST, ScriptedWallet, running_wallet

from walletbridge.proxy import addon as addon_module
from walletbridge.proxy import flows
from walletbridge.proxy.addon import WalletBridge
from walletbridge.proxy.live_view.live_view import LiveView
from walletbridge.proxy.live_view.record import Record, read
from walletbridge.transactions import journalled

TOKEN = "a-token-that-nobody-sees"  # noqa: S105 - not a secret, it only plays one
VARIABLE = "WALLETBRIDGE_CALLBACK_TOKEN"


class Listeners(Proxyserver):
    """mitmproxy's own, as if it listened."""

    name = "proxyserver"

    def listen_addrs(self) -> list[Any]:
        return [("127.0.0.1", 8080)]


@dataclass
class House:
    """What a test looks at."""

    addon: WalletBridge
    context: Any
    view: View
    folder: Path
    wallet: ScriptedWallet

    @property
    def live(self) -> LiveView:
        assert self.addon._live
        return self.addon._live

    async def send(self, flow: http.HTTPFlow) -> http.HTTPFlow:
        """What mitmproxy does with a request and its answer."""
        self.view.requestheaders(flow)  # type: ignore[no-untyped-call]
        self.addon.requestheaders(flow)
        self.live.requestheaders(flow)
        await self.addon.request(flow)
        await self.live.request(flow)
        if flow.response:
            self.addon.response(flow)
            await self.live.response(flow)
        flow.live = False
        return flow

    async def bet(self, **data: Any) -> http.HTTPFlow:
        """Sends a bet."""
        return await self.send(make_flow(body(make_callback("bet", **data))))

    async def command(self, name: str, *arguments: Any) -> Any:
        """Runs a command, and what it starts to its end."""
        said = self.context.master.commands.call(name, *arguments)
        await asyncio.gather(*self.live._commands._tasks)
        return said


def make_flow(content: bytes, *, token: str = TOKEN, host: str = "gateway.example:8443") -> http.HTTPFlow:
    """A callback whose body has come."""
    fields = [(b"Host", host.encode()), (b"Callback-Token", token.encode()), (b"Content-Type", b"application/json")]
    request = tutils.treq(
        method=b"POST", path=b"/callback", content=content, headers=http.Headers(fields), port=9, host="127.0.0.1"
    )
    return tflow.tflow(req=request)


def record_of(flow: http.HTTPFlow) -> Record:
    """Its record, which must be there."""
    record = read(flow.metadata)
    assert record
    return record


@asynccontextmanager
async def ui_house(
    folder: Path, monkeypatch: pytest.MonkeyPatch, *, has_upstream: bool = False, **sections: Any
) -> AsyncIterator[House]:
    """The addon at work, and people who may look."""
    monkeypatch.setattr(addon_module, "FLUSH_SECONDS", 0)
    monkeypatch.setattr(flows, "HELD_POLL_SECONDS", 0.005)
    # A disk may be busy with something else.
    monkeypatch.setattr(journalled, "END_SECONDS", 30)
    monkeypatch.setenv(VARIABLE, TOKEN)
    view, addon = View(), WalletBridge(has_upstream=has_upstream)
    config = folder / "walletbridge.yaml"
    async with running_wallet() as (wallet, port):
        settings = {"wallet": {"target": f"{HOST}:{port}", "connect_wait": 5}, **sections}
        config.write_text(json.dumps(settings))
        with taddons.context(Listeners(), view, addon) as context:  # type: ignore[no-untyped-call]
            addon.configure({"listen_port"})
            context.options.update(walletbridge_config=str(config))
            addon.running()
            yield House(addon, context, view, folder, wallet)
            await addon.done()

"""The addon inside a mitmproxy without a view, with a scripted wallet behind it."""

import json
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from mitmproxy import http
from mitmproxy.addons.proxyserver import Proxyserver
from mitmproxy.flow import Flow
from mitmproxy.test import taddons, tflow, tutils
from tests.support.callbacks import body, make_callback
from tests.support.scripted_wallet import HOST, ScriptedWallet, reply, running_wallet

from walletbridge.proxy import addon as addon_module
from walletbridge.proxy import flows
from walletbridge.proxy.addon import WalletBridge
from walletbridge.transactions import journalled
from walletbridge.wallet.v1 import wallet_service_pb2 as v1

TOKEN = "a-token-that-nobody-sees"  # noqa: S105 - not a secret, it only plays one
VARIABLE = "WALLETBRIDGE_CALLBACK_TOKEN"
BET = body(make_callback("bet"))
OK_BODY = b'{"result":0,"status":"OK","data":{"balance":4000}}'
UNKNOWN = (500, b'{"result":99,"status":"ERROR"}')
WRONG_TOKEN = (200, b'{"result":100,"status":"ERROR"}')
PROCESSED = reply(outcome=v1.OUTCOME_OK, state=v1.TRANSACTION_STATE_PROCESSED)
TIMEOUT = 10.0


class Listeners(Proxyserver):
    """mitmproxy's own, as if it listened."""

    name = "proxyserver"

    def listen_addrs(self) -> list[Any]:
        return [("127.0.0.1", 8080), ("::1", 8081, 0, 0)]


class Updates:
    """What the UI is told of."""

    def __init__(self) -> None:
        self.flows: list[Flow] = []

    def update(self, flows: list[Flow]) -> None:
        self.flows += flows


@dataclass
class House:
    """The addon inside a mitmproxy."""

    addon: WalletBridge
    context: Any
    folder: Path
    wallet: ScriptedWallet = field(default_factory=ScriptedWallet)
    updates: Updates = field(default_factory=Updates)

    def configure(self, **options: Any) -> None:
        self.context.options.update(**options)

    def write(self, text: str, name: str = "walletbridge.yaml") -> Path:
        path = self.folder / name
        path.write_text(text)
        return path

    async def answer(self, flow: http.HTTPFlow) -> tuple[int, bytes]:
        """What mitmproxy would send to the client after the head and the body have come."""
        self.addon.requestheaders(flow)
        if flow.response is None:
            await self.addon.request(flow)
        return answer_of(flow)


def answer_of(flow: http.HTTPFlow) -> tuple[int, bytes]:
    assert flow.response
    return flow.response.status_code, flow.response.content or b""


def make_flow(
    content: bytes = BET,
    *,
    path: str = "/callback",
    method: str = "POST",
    tokens: tuple[str, ...] = (TOKEN,),
    headers: tuple[tuple[bytes, bytes], ...] = (),
) -> http.HTTPFlow:
    """A request whose body has come."""
    fields = [(b"Callback-Token", token.encode()) for token in tokens]
    request = tutils.treq(
        method=method.encode(),
        path=path.encode(),
        content=content,
        headers=http.Headers([(b"Host", b"gateway"), (b"Content-Type", b"application/json"), *fields, *headers]),
    )
    return tflow.tflow(req=request)


@contextmanager
def quick() -> Iterator[None]:
    """No sockets here to which answers could still be on their way, and a disk that may be busy with something else."""
    # A gateway that ends takes SIGINT for itself.
    handler = signal.getsignal(signal.SIGINT)
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(journalled, "END_SECONDS", 30)
        monkeypatch.setattr(addon_module, "FLUSH_SECONDS", 0)
        monkeypatch.setattr(flows, "HELD_POLL_SECONDS", 0.005)
        monkeypatch.setenv(VARIABLE, TOKEN)
        yield
    signal.signal(signal.SIGINT, handler)


@asynccontextmanager
async def loaded(folder: Path, *, has_upstream: bool = True) -> AsyncIterator[House]:
    """The addon before it has settings."""
    addon, updates = WalletBridge(has_upstream=has_upstream), Updates()
    with taddons.context(Listeners(), addon, updates) as context:  # type: ignore[no-untyped-call]
        house = House(addon, context, folder, updates=updates)
        # A mitmproxy that starts configures every addon, whatever it was told.
        addon.configure({"listen_port"})
        yield house
        await addon.done()


@asynccontextmanager
async def running(folder: Path, *, has_upstream: bool = True, **sections: Any) -> AsyncIterator[House]:
    """The addon at work, with its wallet there."""
    async with running_wallet() as (wallet, port), loaded(folder, has_upstream=has_upstream) as house:
        house.wallet = wallet
        settings = {"wallet": {"target": f"{HOST}:{port}", "connect_wait": 5}, **sections}
        house.configure(walletbridge_config=str(house.write(json.dumps(settings))))
        house.addon.running()
        yield house


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """The log of an addon that has ended."""
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]

"""The master of `serve`: which addons it has, and what mitmproxy is told of the settings."""

import asyncio

import pytest
from mitmproxy.options import Options
from mitmproxy.proxy.mode_specs import ReverseMode

from walletbridge.proxy.addon import WalletBridge
from walletbridge.serve.certificates import Certificates
from walletbridge.serve.lane.server import LaneMode
from walletbridge.serve.master import LeanMaster, _options
from walletbridge.settings import Address, Settings, Wallet

SETTINGS = Settings(wallet=Wallet(target="127.0.0.1:1"))


async def test_the_lane_chooses_before_mitmproxy_does() -> None:
    gateway = WalletBridge()
    master = LeanMaster(Options(), SETTINGS, gateway)
    names = [type(addon).__name__ for addon in master.addons.chain]

    assert names.index("Lane") < names.index("NextLayer")
    assert not any(isinstance(addon, Certificates) for addon in master.addons.chain)
    assert len(names) < 10
    assert gateway in master.addons.chain
    await asyncio.sleep(0)


@pytest.mark.parametrize(
    ("address", "host", "port"),
    [(Address("127.0.0.1", 0), "127.0.0.1", 0), (Address("::1", 8080), "::1", 8080), (Address("host", 1), "host", 1)],
)
def test_the_mode_says_where_to_listen(address: Address, host: str, port: int) -> None:
    [mode, other, *fixed] = _options(
        ["mode=reverse:https://legacy:8443", "a=mode=reverse:b", "termlog_verbosity=warn"], address
    )
    parsed = LaneMode.parse(mode.removeprefix("mode="))

    assert isinstance(parsed, ReverseMode)
    assert (parsed.custom_listen_host, parsed.custom_listen_port) == (host, port)
    assert (parsed.scheme, parsed.address) == ("https", ("legacy", 8443))
    assert other == "a=mode=reverse:b"
    assert fixed == ["websocket=false", "http2=false"]

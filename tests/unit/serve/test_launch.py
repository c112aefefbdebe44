"""How mitmproxy is started with the gateway in it."""

import asyncio
import os
import pty
import signal
import socket
import struct
import sys
from contextlib import suppress
from fcntl import ioctl
from pathlib import Path
from termios import TIOCSWINSZ
from typing import Any

import aiohttp
import pytest
from mitmproxy.addons import intercept, view
from mitmproxy.tools.dump import DumpMaster
from tests.support.callbacks import make_callback
from tests.support.scripted_wallet import HOST, running_wallet
from tests.support.waiting import until

from walletbridge.proxy.addon import WalletBridge
from walletbridge.serve.launch import _arguments, _web_options, _with, free_port
from walletbridge.settings import Address, Limits, Settings, Wallet
from walletbridge.settings.addresses import Upstream

VARIABLE = "WALLETBRIDGE_CALLBACK_TOKEN"
TOKEN = "a-token-that-nobody-sees"  # noqa: S105 - not a secret, it only plays one
CONFIG = Path("/etc/wallet bridge.yaml")
TIMEOUT = 60.0


def options(**sections: Any) -> dict[str, str]:
    """What mitmproxy is told of these settings."""
    arguments = _arguments(CONFIG, Settings(wallet=Wallet(target="127.0.0.1:1"), **sections), ["more=1=2"])
    assert set(arguments[::2]) == {"--set"}
    return dict(argument.split("=", 1) for argument in arguments[1::2])


# Options


def test_the_settings_decide_where_mitmproxy_listens() -> None:
    found = options(listen=Address("::1", 8088), upstream=Upstream("https://legacy:8443"))

    assert (found["listen_host"], found["listen_port"]) == ("::1", "8088")
    assert found["mode"] == "reverse:https://legacy:8443"
    assert found["walletbridge_config"] == str(CONFIG)
    assert found["more"] == "1=2"


def test_without_an_upstream_bodies_are_bounded_for_all_paths() -> None:
    """Far above our own limit, whose answer is ours. The upstream's answers may be of any size."""
    assert int(options(limits=Limits(body_bytes=1000))["body_size_limit"]) >= 10_000
    assert "body_size_limit" not in options(upstream=Upstream("http://legacy:80"))


def test_the_live_view_listens_where_the_settings_say() -> None:
    assert _web_options(Address("127.0.0.1", 8081))[:2] == ["web_host=127.0.0.1", "web_port=8081"]


def test_the_live_view_gets_a_free_port_that_is_known() -> None:
    """As it is, mitmweb could not say which one it was given."""
    assert int(_web_options(Address("127.0.0.1", 0))[1].removeprefix("web_port=")) > 0


@pytest.mark.parametrize(("isatty", "opens"), [(True, "true"), (False, "false")])
def test_a_browser_is_opened_on_a_terminal_only(monkeypatch: pytest.MonkeyPatch, *, isatty: bool, opens: str) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: isatty)

    assert _web_options(Address("127.0.0.1", 8081))[2] == f"web_open_browser={opens}"


def test_a_free_port_is_free() -> None:
    port = free_port(HOST)

    with socket.create_server((HOST, port)):
        assert port > 0


async def test_the_gateway_stands_behind_what_lets_a_person_edit() -> None:
    """A callback that is intercepted must not be at the wallet before its edit."""
    from mitmproxy.options import Options  # noqa: PLC0415 - the name is taken here

    gateway = WalletBridge()
    master = _with(DumpMaster, [gateway], with_dumper=False)(Options())
    chain = master.addons.chain

    assert chain[-1] is gateway
    edits = [place for place, addon in enumerate(chain) if isinstance(addon, intercept.Intercept | view.View)]
    assert all(place < chain.index(gateway) for place in edits)


async def test_a_server_is_not_burdened_with_a_ui() -> None:
    program = "import sys, walletbridge.serve.launch; print({'tornado', 'urwid'} & set(sys.modules))"
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", program, stdout=asyncio.subprocess.PIPE)
    output, _ = await process.communicate()

    assert output == b"set()\n"


# In a terminal


class Terminal:
    """A terminal, and what a program has drawn on it."""

    def __init__(self) -> None:
        self._ours, self.theirs = pty.openpty()
        ioctl(self.theirs, TIOCSWINSZ, struct.pack("HHHH", 40, 160, 0, 0))
        self.screen = b""
        asyncio.get_running_loop().add_reader(self._ours, self._read)

    def _read(self) -> None:
        with suppress(OSError):  # nobody draws on it any more
            self.screen += os.read(self._ours, 65536)
            return
        self.close()

    def close(self) -> None:
        if asyncio.get_running_loop().remove_reader(self._ours):
            os.close(self._ours)


async def first_answer(url: str) -> tuple[int, Any]:
    """The answer to a bet, as soon as somebody listens."""
    async with aiohttp.ClientSession() as client:
        while True:
            try:
                async with client.post(url, json=make_callback("bet"), headers={"Callback-Token": TOKEN}) as response:
                    return response.status, await response.json()
            except aiohttp.ClientConnectorError:
                await asyncio.sleep(0.05)


async def test_the_console_shows_callbacks_and_ends_with_a_signal(tmp_path: Path) -> None:
    terminal = Terminal()
    async with running_wallet() as (wallet, wallet_port), asyncio.timeout(TIMEOUT):
        port = free_port(HOST)
        config = tmp_path / "walletbridge.yaml"
        config.write_text(f"listen: {HOST}:{port}\nwallet: {{target: '{HOST}:{wallet_port}', connect_wait: 5}}\n")
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "walletbridge", "tui", "--config", str(config)),
            stdin=terminal.theirs,
            stdout=terminal.theirs,
            stderr=asyncio.subprocess.PIPE,
            env={**os.environ, VARIABLE: TOKEN, "TERM": "xterm-256color", "HOME": str(tmp_path)},
        )
        os.close(terminal.theirs)
        try:
            answer = await first_answer(f"http://{HOST}:{port}/callback")
            await until(lambda: b"POST" in terminal.screen)
        finally:
            process.send_signal(signal.SIGTERM)
            _, errors = await process.communicate()
    terminal.close()

    assert answer == (200, {"result": 0, "status": "OK", "data": {"balance": 4000}})
    assert wallet.counts == {"PlaceBet": 1}
    unexpected = [line for line in errors.splitlines() if os.geteuid() or b"runs as root" not in line]
    assert (process.returncode, unexpected) == (0, [])
    assert TOKEN.encode() not in terminal.screen

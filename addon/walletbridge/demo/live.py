"""
`walletbridge demo`: the wallet, the gateway under mitmweb and some traffic in one process, to watch in a browser.
"""

import asyncio
import os
import socket
from contextlib import closing, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from walletbridge.demo.ledger import Ledger
from walletbridge.demo.once import TOKEN_VARIABLE
from walletbridge.demo.traffic import play
from walletbridge.demo.wallet import DemoWallet
from walletbridge.serve.launch import Kind, free_port, launch
from walletbridge.settings import load, read_tokens

HOST = "127.0.0.1"
GATEWAY_PORT = 8080
UI_PORT = 8081
WALLET_PORT = 50051
DEMO_TOKEN = "demo"  # noqa: S105 - guards play money on a loopback address


class Demo:
    """Runs the wallet and the traffic beside the gateway. mitmproxy calls this addon after the gateway's addon."""

    def __init__(self, ledger: Ledger, *, wallet_port: int, url: str, token: str) -> None:
        self._ledger = ledger
        self._wallet = DemoWallet(ledger)
        self._wallet_port = wallet_port
        self._url = url
        self._token = token
        self._task: asyncio.Task[None] | None = None

    def running(self) -> None:
        """Starts the wallet and the traffic."""
        self._task = asyncio.ensure_future(self._run())

    async def done(self) -> None:
        """Stops the traffic, then the wallet. The gateway has already finished its calls."""
        if self._task:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        await self._wallet.stop(0)

    async def _run(self) -> None:
        await self._wallet.start(f"{HOST}:{self._wallet_port}")
        await play(self._url, self._token)


def run_live() -> None:
    """Runs until a signal arrives. Raises SettingsError if the environment variable holds no valid token."""
    os.environ.setdefault(TOKEN_VARIABLE, DEMO_TOKEN)
    gateway, ui, wallet = (_port(preferred) for preferred in (GATEWAY_PORT, UI_PORT, WALLET_PORT))
    url = f"http://{HOST}:{gateway}/callback"
    with TemporaryDirectory(prefix="walletbridge-") as name, closing(Ledger(Path(name) / "wallet.db")) as ledger:
        folder = Path(name)
        config = folder / "walletbridge.yaml"
        config.write_text(
            f"listen: {HOST}:{gateway}\nwallet: {{target: '{HOST}:{wallet}'}}\nui: {{listen: '{HOST}:{ui}'}}\n"
        )
        settings = load(config)
        token = read_tokens(settings.callback, os.environ)[0].decode()
        ledger.seed_demo_players()
        print(f"callbacks: {url} (token: the value of {TOKEN_VARIABLE}, {DEMO_TOKEN!r} if it was not set)")  # noqa: T201
        print(f"wallet: {HOST}:{wallet} (wallet.v1)", flush=True)  # noqa: T201 - the output of the command
        demo = Demo(ledger, wallet_port=wallet, url=url, token=token)
        # The demo has its own configuration folder: the user's settings do not apply, and no file remains.
        launch(Kind.WEB, config, settings, addons=[demo], options=[f"confdir={folder / 'mitmproxy'}"])


def _port(preferred: int) -> int:
    """Returns the preferred port, or any free port if that one is taken."""
    try:
        with socket.create_server((HOST, preferred)):
            return preferred
    except OSError:
        return free_port(HOST)

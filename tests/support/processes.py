"""
The gateway as real processes, in both ways of running it, and the wallet behind it, whose faults a test decides.
"""

import asyncio
import json
import os
import sys
import sysconfig
from collections.abc import AsyncIterator, Coroutine, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, cast

import aiohttp
from google.protobuf.message import Message
from tests.support.callbacks import body
from tests.support.waiting import until

from walletbridge.demo.gateway_process import GatewayProcess
from walletbridge.demo.ledger import Ledger
from walletbridge.demo.wallet import DemoWallet

ROOT = Path(__file__).parents[2]
SCRIPTS = Path(sysconfig.get_path("scripts"))
TOKEN = "a-token-that-nobody-may-see"  # noqa: S105 - not a secret, it only plays one
TOKEN_VARIABLE = "WALLETBRIDGE_CALLBACK_TOKEN"  # noqa: S105 - the name of a variable
NOWHERE = "http://127.0.0.1:9"
"""An upstream at which nobody listens."""
UNKNOWN = (500, b'{"result":99,"status":"ERROR"}')


class Way(StrEnum):
    """How the gateway is run."""

    SERVE = "serve"
    """`walletbridge serve`."""
    MITMDUMP = "mitmdump"
    """`mitmdump -s addon/main.py`."""


def write_settings(folder: Path, *, wallet_port: int, **sections: Any) -> Path:
    """A settings file in `folder`; its `sections` replace the defaults. JSON is YAML, too."""
    path = folder / "walletbridge.yaml"
    settings = {"listen": "127.0.0.1:0", "wallet": {"target": f"127.0.0.1:{wallet_port}"}, **sections}
    path.write_text(json.dumps(settings))
    return path


def arguments(way: Way, config: Path | None, *, upstream: str = NOWHERE, options: Sequence[str] = ()) -> list[str]:
    """The command line. `options` are mitmdump's own and do nothing for `serve`, whose upstream is in the settings."""
    if way is Way.SERVE:
        return [sys.executable, "-m", "walletbridge", "serve", "--config", str(config)]
    settings = ["--set", f"walletbridge_config={config}"] if config else []
    listen = ["--mode", f"reverse:{upstream}", "--listen-host", "127.0.0.1", "--listen-port", "0"]
    return [str(SCRIPTS / "mitmdump"), *listen, *options, "-s", str(ROOT / "addon" / "main.py"), *settings]


def environment(home: Path, *, token: str | None = TOKEN, **more: str) -> dict[str, str]:
    """What a process sees: a home of its own, so that nothing of the user's applies, and the token."""
    environ = {**os.environ, "HOME": str(home), **more}
    environ.pop(TOKEN_VARIABLE, None)
    return environ if token is None else {**environ, TOKEN_VARIABLE: token}


@asynccontextmanager
async def running(
    command: Sequence[str], home: Path, *, stdout: Path | None = None, **environ: str
) -> AsyncIterator[GatewayProcess]:
    """A gateway that listens and has found its wallet; it is stopped afterwards, if it has not ended by then."""
    with (stdout or home / "stdout.txt").open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=asyncio.subprocess.PIPE,
            env=environment(home, **environ),
        )
    gateway = GatewayProcess(process, cast("asyncio.StreamReader", process.stderr))
    try:
        await gateway.wait_until_listening()
        await until(lambda: has_logged(gateway, "wallet connected"))
        yield gateway
    finally:
        await gateway.stop()


@asynccontextmanager
async def running_both(
    folder: Path, *, wallet_port: int, upstream: str = NOWHERE, **sections: Any
) -> AsyncIterator[dict[Way, GatewayProcess]]:
    """The gateway in both ways of running it, with equal settings."""
    async with AsyncExitStack() as stack:

        def start(way: Way) -> Any:
            home = folder / way
            home.mkdir()
            config = write_settings(home, wallet_port=wallet_port, upstream=upstream, **sections)
            return stack.enter_async_context(running(arguments(way, config, upstream=upstream), home))

        yield dict(zip(Way, await at_once(start(way) for way in Way), strict=True))


async def end_of(command: Sequence[str], home: Path, *, token: str | None = TOKEN, **environ: str) -> tuple[int, str]:
    """Runs a command to its end; returns its exit code and all that it printed."""
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=environment(home, token=token, **environ),
    )
    try:
        output, _ = await asyncio.wait_for(process.communicate(), 100)
    finally:
        if process.returncode is None:
            process.kill()
    return await process.wait(), output.decode()


@dataclass(slots=True)
class Script:
    """What the wallet does besides answering, by the account that is asked for."""

    seconds: dict[str, float] = field(default_factory=dict)
    """How long it takes before it looks into its ledger."""
    begun: dict[str, int] = field(default_factory=dict)
    ended: dict[str, int] = field(default_factory=dict)

    async def before(self, method: str, request: Message) -> None:
        """See `Fault`."""
        del method
        account = _account(request)
        self.begun[account] = self.begun.get(account, 0) + 1
        await asyncio.sleep(self.seconds.get(account, 0))

    async def after(self, method: str, request: Message, response: Message) -> Message:
        """See `Fault`."""
        del method
        account = _account(request)
        self.ended[account] = self.ended.get(account, 0) + 1
        return response


def _account(request: Any) -> str:
    return str(request.account)


@dataclass(frozen=True, slots=True)
class RunningWallet:
    """The demo wallet with all that a test may look at or change."""

    wallet: DemoWallet
    ledger: Ledger
    script: Script
    port: int

    @property
    def calls(self) -> int:
        """How many calls it has had, of any method."""
        return self.wallet.calls.total()

    def balance(self, account: str) -> int:
        """In minor units, by the ledger."""
        return int(next(row["balance_minor"] for row in self.ledger.dump()["players"] if row["account"] == account))

    def movements(self, account: str) -> int:
        """How often money moved."""
        return sum(row["account"] == account for row in self.ledger.dump()["movements"])


@asynccontextmanager
async def running_wallet(
    folder: Path, *accounts: str, port: int = 0, script: Script | None = None
) -> AsyncIterator[RunningWallet]:
    """A wallet whose `accounts` have 1000 units each."""
    ledger, script = Ledger(folder / "wallet.db"), script or Script()
    for account in accounts:
        ledger.add_player(account, 100_000)
    wallet = DemoWallet(ledger, fault=script)
    bound = await wallet.start(f"127.0.0.1:{port}")
    try:
        yield RunningWallet(wallet, ledger, script, bound)
    finally:
        await wallet.stop()
        ledger.close()


async def post(
    client: aiohttp.ClientSession, url: str, callback: dict[str, Any] | bytes, *, token: str = TOKEN
) -> tuple[int, bytes]:
    """Sends a callback; returns the status and the body of the answer."""
    data = callback if isinstance(callback, bytes) else body(callback)
    async with client.post(url, data=data, headers=headers(token)) as response:
        return response.status, await response.read()


def headers(token: str = TOKEN) -> dict[str, str]:
    """The provider's request headers. PROTOCOL: Transport."""
    return {"Callback-Token": token, "Accept": "application/json", "Content-Type": "application/json"}


def raw_post(data: bytes, *, path: str = "/callback", version: str = "1.1", token: str = TOKEN) -> bytes:
    """The bytes of a callback as it stands on the wire."""
    head = (
        f"POST {path} HTTP/{version}\r\nHost: gateway\r\nCallback-Token: {token}\r\nContent-Length: {len(data)}\r\n\r\n"
    )
    return head.encode() + data


async def read_answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """Reads one answer with a Content-Length from a connection; its status and its body."""
    head = await reader.readuntil(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    length = next(int(line[15:]) for line in lines if line.lower().startswith(b"content-length:"))
    return int(lines[0].split()[1]), await reader.readexactly(length)


def address_of(gateway: GatewayProcess) -> tuple[str, int]:
    """For asyncio.open_connection."""
    host, _, port = gateway.address.rpartition(":")
    return host, int(port)


@asynccontextmanager
async def connected(gateway: GatewayProcess) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A bare connection to the gateway."""
    reader, writer = await asyncio.open_connection(*address_of(gateway))
    try:
        yield reader, writer
    finally:
        writer.transport.abort()
        with suppress(OSError):
            await writer.wait_closed()


def has_logged(gateway: GatewayProcess, event: str, account: str = "") -> bool:
    """Whether one of the last lines of the log tells of `event`, of a callback of `account` if that is given."""
    return any(f'"event": "{event}"' in line and account in line for line in gateway.lines)


async def at_once[T](coroutines: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """Their results; where one fails, the others are cancelled first, so that no process stays behind."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(coroutine) for coroutine in coroutines]
    return [task.result() for task in tasks]

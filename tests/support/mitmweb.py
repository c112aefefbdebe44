"""The gateway under mitmweb as a real process, and mitmweb's own API, which is what its page in a browser uses."""

import asyncio
import re
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from tests.support.processes import NOWHERE, ROOT, SCRIPTS, running, write_settings
from tests.support.waiting import until

from walletbridge.demo.gateway_process import GatewayProcess
from walletbridge.serve.launch import free_port

HOST = "127.0.0.1"
_XSRF = "0123456789abcdef0123456789abcdef"
PASSWORD = "let-me-look"  # noqa: S105 - mitmweb's own, of a test


@dataclass(frozen=True, slots=True)
class Mitmweb:
    """A mitmweb with the gateway in it."""

    gateway: GatewayProcess
    client: aiohttp.ClientSession
    address: str
    """With its login."""
    url: str
    folder: Path
    """With the settings and the journal."""

    async def flows(self) -> list[dict[str, Any]]:
        """What the list shows."""
        found: list[dict[str, Any]] = await self._json("GET", "/flows")
        return found

    async def comments(self) -> list[str]:
        """Of each flow."""
        return [flow["comment"] for flow in await self.flows()]

    async def page(self, flow: dict[str, Any], part: str = "request") -> dict[str, Any]:
        """What the content view shows of a flow."""
        found: dict[str, Any] = await self._json("GET", f"/flows/{flow['id']}/{part}/content/auto")
        return found

    async def edit(self, flow: dict[str, Any], part: str, content: bytes) -> None:
        """Changes a body."""
        async with self.client.post(
            f"{self.url}/flows/{flow['id']}/{part}/content.data", data=content, headers=self._login()
        ) as answer:
            assert answer.ok

    async def do(self, flow: dict[str, Any], what: str) -> None:
        """A button: `resume`, `kill`, `replay`."""
        await self._json("POST", f"/flows/{flow['id']}/{what}")

    async def mark(self, flow: dict[str, Any], marker: str) -> None:
        """Marks a flow, as a person does."""
        await self._json("PUT", f"/flows/{flow['id']}", {"marked": marker})

    async def command(self, name: str, *arguments: str) -> dict[str, Any]:
        """A command of mitmproxy; its `value` or its `error`."""
        said: dict[str, Any] = await self._json("POST", f"/commands/{name}", {"arguments": list(arguments)})
        return said

    async def option(self, **options: Any) -> None:
        """Sets options."""
        await self._json("PUT", "/options", options)

    async def events(self) -> str:
        """The event log."""
        return "\n".join(entry["message"] for entry in await self._json("GET", "/events"))

    async def held(self) -> dict[str, Any]:
        """The flow that is held, once there is one."""
        found: list[dict[str, Any]] = []

        async def look() -> bool:
            found[:] = [flow for flow in await self.flows() if flow["intercepted"]]
            return bool(found)

        await until_async(look)
        return found[0]

    def _login(self) -> dict[str, str]:
        # Against forged requests mitmweb wants the same value twice.
        forgery = {"Cookie": f"_mitmproxy_xsrf={_XSRF}", "X-XSRFToken": _XSRF}
        return {"Authorization": f"Bearer {self.address.partition('token=')[2]}", **forgery}

    async def _json(self, method: str, path: str, body: Any = None) -> Any:
        async with self.client.request(method, self.url + path, json=body, headers=self._login()) as answer:
            assert answer.ok, await answer.text()
            is_json = "json" in answer.headers.get("Content-Type", "")
            return await answer.json() if is_json else await answer.text()


@asynccontextmanager
async def running_web(
    folder: Path, *, wallet_port: int, options: Sequence[str] = (), **sections: Any
) -> AsyncIterator[Mitmweb]:
    """`walletbridge web`. It takes no options of mitmproxy: they are set once it runs."""
    port = free_port(HOST)
    ui = {"listen": f"{HOST}:{port}", **sections.pop("ui", {})}
    config = write_settings(folder, wallet_port=wallet_port, ui=ui, **sections)
    command = [sys.executable, "-m", "walletbridge", "web", "--config", str(config)]
    output = folder / "stdout.txt"
    async with running(command, folder, stdout=output) as gateway, aiohttp.ClientSession() as client:
        await until(lambda: "mitmweb: " in output.read_text())
        address = re.findall(r"mitmweb: (\S+)\n", output.read_text())[0]
        web = Mitmweb(gateway, client, address, f"http://{HOST}:{port}", folder)
        for option in options:
            name, _, value = option.partition("=")
            await web.option(**{name: value})
        yield web


@asynccontextmanager
async def running_script(
    folder: Path, *, wallet_port: int, options: Sequence[str] = (), upstream: str = NOWHERE, **sections: Any
) -> AsyncIterator[Mitmweb]:
    """`mitmweb -s addon/main.py`."""
    port = free_port(HOST)
    config = write_settings(folder, wallet_port=wallet_port, **sections)
    own = [f"web_port={port}", f"web_host={HOST}", f"web_password={PASSWORD}", "web_open_browser=false"]
    own += [f"walletbridge_config={config}", *options]
    listen = ["--mode", f"reverse:{upstream}", "--listen-host", HOST, "--listen-port", "0"]
    command = [str(SCRIPTS / "mitmweb"), *listen, "-s", str(ROOT / "addon" / "main.py")]
    command += [part for option in own for part in ("--set", option)]
    async with running(command, folder) as gateway, aiohttp.ClientSession() as client:
        url = f"http://{HOST}:{port}"
        yield Mitmweb(gateway, client, f"{url}/?token={PASSWORD}", url, folder)


async def until_async(condition: Any, *, seconds: float = 20) -> None:
    """Waits until `await condition()` holds; raises TimeoutError where it does not in time."""
    async with asyncio.timeout(seconds):
        while not await condition():  # noqa: ASYNC110 - nobody announces what a page shows
            await asyncio.sleep(0.02)

"""nginx with the configuration that we ship, on a port of its own."""

import asyncio
import shutil
import socket
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.processes import ROOT
from tests.support.tls import Authority

CONNECTIONS_MAX = 8
"""Of one address; fewer than we ship."""
CONFIG = ROOT / "config" / "nginx" / "walletbridge.conf"
HOST = "127.0.0.1"
_START_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Nginx:
    """A running nginx."""

    port: int
    trust: ssl.SSLContext
    """Trusts its certificate."""

    @property
    def url(self) -> str:
        """The callback URL."""
        return f"https://{HOST}:{self.port}/callback"


def configure(folder: Path, *, port: int, upstreams: Sequence[str]) -> Path:
    """
    A whole configuration around ours, in which what operators change is changed: addresses, certificates and numbers.
    """
    folder.mkdir(exist_ok=True)
    own = Authority(folder).sign("proxy")
    servers = " ".join(f"server {upstream};" for upstream in upstreams)
    text = CONFIG.read_text()
    for ours, theirs in {
        "server 127.0.0.1:8080;": servers,
        "listen 443 ssl;": f"listen {HOST}:{port} ssl;",
        "limit_conn walletbridge_connections 256;": f"limit_conn walletbridge_connections {CONNECTIONS_MAX};",
        "/etc/nginx/tls/callbacks.pem": str(own.cert_file),
        "/etc/nginx/tls/callbacks-key.pem": str(own.key_file),
    }.items():
        assert text.count(ours) == 1, ours
        text = text.replace(ours, theirs)
    site = folder / "walletbridge.conf"
    site.write_text(text)
    paths = " ".join(
        f"{kind}_temp_path {folder / kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    whole = folder / "nginx.conf"
    # As root, nginx would hand its work to a user who may not read a test's folder.
    whole.write_text(f"""
user root;
daemon off;
worker_processes 1;
pid {folder / "nginx.pid"};
error_log stderr warn;
events {{ worker_connections 4096; }}
http {{
    access_log {folder / "access.log"};
    {paths}
    include {site};
}}
""")
    return whole


async def check(config: Path) -> tuple[int, str]:
    """The exit code and the words of `nginx -t`."""
    process = await asyncio.create_subprocess_exec(*_command(config), "-t", stderr=asyncio.subprocess.PIPE)
    _, errors = await process.communicate()
    return await process.wait(), errors.decode()


@asynccontextmanager
async def running_nginx(folder: Path, *upstreams: str) -> AsyncIterator[Nginx]:
    """Runs nginx in front of these addresses."""
    # nginx cannot say which port it was given: one that is free now.
    with socket.create_server((HOST, 0)) as probe:
        port = probe.getsockname()[1]
    command = _command(configure(folder, port=port, upstreams=upstreams))
    with (folder / "error.log").open("wb") as errors:
        process = await asyncio.create_subprocess_exec(*command, stderr=errors)
    try:
        async with asyncio.timeout(_START_SECONDS):
            await _until_listening(port)
        yield Nginx(port, _trust_in(folder / "authority.pem"))
    finally:
        process.terminate()
        await process.wait()


def _trust_in(ca_file: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=ca_file)
    # The tests' authority is a plain one.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context


async def _until_listening(port: int) -> None:
    while True:
        try:
            _, writer = await asyncio.open_connection(HOST, port)
        except ConnectionRefusedError:
            await asyncio.sleep(0.02)
        else:
            writer.close()
            return


def _command(config: Path) -> list[str]:
    program = shutil.which("nginx") or "/usr/sbin/nginx"
    return [program, "-e", "stderr", "-c", str(config)]

"""
Checks what may change before a gateway starts: the addresses on which it listens, and those to which it connects.
"""

import errno
import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

from walletbridge.protocol.errors import SettingsError
from walletbridge.serve.sockets import expect_free
from walletbridge.settings import Address, Settings, Upstream

CONNECT_SECONDS = 1.0
_PORTS = {"http": 80, "https": 443}


def listeners(settings: Settings) -> Iterator[tuple[bool, str]]:
    """Each problem: whether it is certain to keep `serve` from listening, and its text."""
    wanted = [("listen", settings.listen)]
    if settings.admin is not None:
        wanted.append(("admin.listen", settings.admin.listen))
    for key, address in wanted:
        yield from _listener(key, address)


def unreachable(settings: Settings) -> Iterator[str]:
    """Each address beside the wallet that accepts no connection. The gateway starts without them."""
    tracing = settings.tracing.endpoint if settings.tracing else None
    for key, url in (("upstream", settings.upstream), ("tracing.endpoint", tracing)):
        if url is not None and (problem := _connecting(url)):
            yield f"{key}: no connection to {url}: {problem}"


def _listener(key: str, address: Address) -> Iterator[tuple[bool, str]]:
    try:
        expect_free(address, key=key)
    except SettingsError as error:
        cause = error.__cause__
        if isinstance(cause, OSError) and cause.errno == errno.EADDRINUSE:
            yield False, f"{key}: {address} is in use; by this gateway, if it runs, else it could not start"
        else:
            yield True, str(error)


def _connecting(url: Upstream) -> str:
    parts = urlsplit(url)
    port = parts.port or _PORTS[parts.scheme]
    try:
        socket.create_connection((parts.hostname or "", port), timeout=CONNECT_SECONDS).close()
    except OSError as error:
        return error.strerror or str(error)
    return ""

"""
Listening sockets that several processes may share and close without losing a connection.
"""

import ctypes
import socket
import struct
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from walletbridge.protocol.errors import SettingsError
from walletbridge.settings import Address, Settings

BACKLOG = 1024
"""Connections that may wait to be accepted; the system may allow fewer (net.core.somaxconn)."""
HANDSHAKE_SECONDS = 0.1
"""Seconds that the last packet of a handshake may be on its way."""


def bind(address: Address, *, key: str) -> list[socket.socket]:
    """
    Listens on all addresses of the host, on one port; port 0 is any free one.

    Raises SettingsError, which names the `key` of the settings.
    """
    try:
        return _bind(address)
    except OSError as error:
        raise SettingsError(f"{key}: cannot listen on {address}: {error.strerror or error}") from None


def expect_free(address: Address, *, key: str) -> None:
    """Raises SettingsError if no process could listen there now. Accepts no connection meanwhile."""
    try:
        for family, kind, protocol, _, (host, _, *more) in _resolved(address):
            with _made(family, kind, protocol) as probe:
                probe.bind((host, address.port, *more))
    except OSError as error:
        raise SettingsError(f"{key}: cannot listen on {address}: {error.strerror or error}") from error


def bind_both(settings: Settings) -> tuple[list[socket.socket], list[socket.socket]]:
    """The sockets for callbacks, and those of the admin endpoint if it is configured. Raises SettingsError."""
    sockets = bind(settings.listen, key="listen")
    try:
        return sockets, bind(settings.admin.listen, key="admin.listen") if settings.admin else []
    except SettingsError:
        close(sockets)
        raise


def _bind(address: Address) -> list[socket.socket]:
    sockets: list[socket.socket] = []
    port = address.port
    try:
        for family, kind, protocol, _, (host, _, *more) in _resolved(address):
            listener = _made(family, kind, protocol)
            sockets.append(listener)
            listener.bind((host, port, *more))
            listener.listen(BACKLOG)
            listener.setblocking(False)  # noqa: FBT003 - its only argument
            # Another address family gets the same port as the first.
            port = listener.getsockname()[1]
    except OSError:
        close(sockets)
        raise
    return sockets


def _resolved(address: Address) -> dict[Any, None]:
    """The results of `getaddrinfo`, each once, in order."""
    found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    return dict.fromkeys(found)


def _made(family: int, kind: int, protocol: int) -> socket.socket:
    made = socket.socket(family, kind, protocol)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6:
        made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    return made


def close(sockets: Sequence[socket.socket]) -> None:
    """Closes them in this process; another that has inherited them may go on."""
    for listener in sockets:
        listener.close()


def addresses_of(sockets: Sequence[socket.socket]) -> list[str]:
    """The addresses on which they listen."""
    names = [listener.getsockname() for listener in sockets]
    return [str(Address(host, port)) for host, port, *_ in names]


def refuse_new(sockets: Sequence[socket.socket]) -> None:
    """
    Stops new connections in all processes; those that wait to be accepted are not affected.

    A listening socket that is closed resets the connections in its queue. So the first packets of new connections are
    dropped before that (Linux only). Their senders try again a second later, when no process listens any more.
    """
    if sys.platform != "linux":
        return
    program = ctypes.create_string_buffer(_DROP_SYN)
    for listener in sockets:
        with suppress(OSError):
            listener.setsockopt(
                socket.SOL_SOCKET,
                _SO_ATTACH_FILTER,
                struct.pack("HP", len(_DROP_SYN) // _INSTRUCTION.size, ctypes.addressof(program)),
            )


_SO_ATTACH_FILTER = 26
_INSTRUCTION = struct.Struct("HBBI")
_DROP_SYN = b"".join(
    _INSTRUCTION.pack(*fields)
    for fields in (
        (0x30, 0, 0, 13),  # load the flags of the TCP header
        (0x54, 0, 0, 0x12),  # of them SYN and ACK
        (0x15, 0, 1, 0x02),  # SYN alone?
        (0x06, 0, 0, 0),  # then drop it
        (0x06, 0, 0, 0xFFFFFFFF),  # else let it pass
    )
)
"""A program for the kernel's packet filter (man 7 socket: SO_ATTACH_FILTER)."""

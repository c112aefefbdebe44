"""
Listening sockets that several processes may share, and how they are taken down with no connection lost.
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
"""Connections that wait to be accepted; the system may allow fewer (net.core.somaxconn)."""
HANDSHAKE_SECONDS = 0.1
"""How long the last packet of a handshake may be on its way."""


def bind(address: Address, *, key: str) -> list[socket.socket]:
    """
    Listens on all that the host stands for, on one port; port 0 is any free one.

    Raises SettingsError, which names the `key` of the settings.
    """
    try:
        return _bind(address)
    except OSError as error:
        raise SettingsError(f"{key}: cannot listen on {address}: {error.strerror or error}") from None


def expect_free(address: Address, *, key: str) -> None:
    """Raises SettingsError where nobody could listen there now. Takes no connection while it looks."""
    try:
        for family, kind, protocol, _, (host, _, *more) in _resolved(address):
            with _made(family, kind, protocol) as probe:
                probe.bind((host, address.port, *more))
    except OSError as error:
        raise SettingsError(f"{key}: cannot listen on {address}: {error.strerror or error}") from error


def bind_both(settings: Settings) -> tuple[list[socket.socket], list[socket.socket]]:
    """The sockets for callbacks, and those of the admin endpoint, if there is to be one. Raises SettingsError."""
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
            # Another family gets the port that the first was given.
            port = listener.getsockname()[1]
    except OSError:
        close(sockets)
        raise
    return sockets


def _resolved(address: Address) -> dict[Any, None]:
    """What `getaddrinfo` finds, each once, in its order."""
    found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    return dict.fromkeys(found)


def _made(family: int, kind: int, protocol: int) -> socket.socket:
    made = socket.socket(family, kind, protocol)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6:
        made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    return made


def close(sockets: Sequence[socket.socket]) -> None:
    """Closes them here; another process that has inherited them may go on."""
    for listener in sockets:
        listener.close()


def addresses_of(sockets: Sequence[socket.socket]) -> list[str]:
    """Where they listen."""
    names = [listener.getsockname() for listener in sockets]
    return [str(Address(host, port)) for host, port, *_ in names]


def refuse_new(sockets: Sequence[socket.socket]) -> None:
    """
    No new connection begins from now on, in any process; those that wait to be accepted are not disturbed.

    A listening socket that is closed resets what is in its queue. So the first packets of new connections are thrown
    away before that (Linux only), and whoever sent them tries again a second later, when nobody listens any more.
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

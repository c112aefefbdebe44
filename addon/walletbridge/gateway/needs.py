"""
Lists everything that `serve` needs before it can begin. `check` goes through the list, and `serve` does not begin
without it.

Both word a problem alike. Questions to the wallet are in `check` alone.
"""

import os
import re
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

from walletbridge.journal import reading
from walletbridge.journal.place import expect_never_made
from walletbridge.protocol.errors import SettingsError
from walletbridge.settings import Settings, read_tokens
from walletbridge.settings.tls_files import read_certificates, read_listener, require_wallet_files

type Need = Callable[[Settings], Iterator[str]]
"""Yields each problem with its settings key; nothing if all is right."""


def problems(settings: Settings) -> Iterator[str]:
    """Everything that keeps `serve` from beginning with these settings."""
    for need in NEEDS:
        yield from need(settings)


def expect_all(settings: Settings) -> None:
    """Raises SettingsError with a line for each problem."""
    if found := list(problems(settings)):
        raise SettingsError("\n".join(found))


def _tokens(settings: Settings) -> Iterator[str]:
    try:
        read_tokens(settings.callback, os.environ)
    except SettingsError as error:
        yield str(error)


def _journal(settings: Settings) -> Iterator[str]:
    """Lasting problems of `journal.path`. A full disk or a locked file is temporary."""
    path = settings.journal.path
    folder = path.parent
    try:
        if not stat.S_ISDIR(folder.stat().st_mode):
            yield f"journal.path: {folder} is no folder"
        elif path.is_dir():
            yield f"journal.path: {path} is a folder; expected a file"
        elif path.exists() and not path.is_file():
            yield f"journal.path: {path} is no regular file"
        elif not os.access(folder, os.W_OK | os.X_OK):
            yield f"journal.path: {folder} cannot be written to by this user"
        elif path.exists() and not os.access(path, os.R_OK | os.W_OK):
            yield f"journal.path: {path} cannot be read and written by this user"
        elif problem := reading.unusable(path):
            yield f"journal.path: {path}: {problem}"
        yield from _lost_journal(path)
    except OSError as error:
        yield f"journal.path: {folder}: {error.strerror}"


def _lost_journal(path: Path) -> Iterator[str]:
    try:
        expect_never_made(path)
    except OSError as error:
        yield f"journal.path: {error}"


def _target(settings: Settings) -> Iterator[str]:
    """
    The port in `wallet.target`: gRPC uses 443 if a name has none, and silently retries an impossible port forever.
    """
    target = settings.wallet.target
    if target.startswith(_WITHOUT_PORTS):
        return
    found = _PORT.search(target)
    if not found or not 0 < int(found[1]) <= _PORT_MAX:
        yield f"wallet.target: expected HOST:PORT with a port from 1 to {_PORT_MAX}, got {target}"


_PORT_MAX = 65535
_WITHOUT_PORTS = ("unix:", "unix-abstract:", "vsock:", "xds:", "google-c2p:")
_PORT = re.compile(r"[^:/]:([0-9]{1,9})\Z", re.ASCII)


def _wallet_tls(settings: Settings) -> Iterator[str]:
    try:
        require_wallet_files(settings.wallet.tls)
    except SettingsError as error:
        yield str(error)


def _listener_tls(settings: Settings) -> Iterator[str]:
    """
    The files of the listener. A person's start or reload checks whether the certificate is valid now: see
    `require_valid`.
    """
    if settings.tls is None:
        return
    try:
        read_listener(settings.tls)
        if settings.tls.client_ca_file is not None:
            read_certificates("tls.client_ca_file", settings.tls.client_ca_file)
    except SettingsError as error:
        yield str(error)


NEEDS: tuple[Need, ...] = (_tokens, _journal, _target, _wallet_tls, _listener_tls)
"""Add here anything else that `serve` cannot begin without."""

"""
The TLS of the listener, with a certificate from files that are read again when they change.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from mitmproxy.tls import TlsData
from OpenSSL import SSL, crypto

from walletbridge.protocol.errors import SettingsError
from walletbridge.settings import ListenerTls
from walletbridge.settings.tls_files import (
    Pair,
    doubts,
    expires_soon,
    invalid_now,
    names_of_client,
    read_certificates,
    read_listener,
)

LOOK_SECONDS = 60.0
"""Seconds between two looks at the files while no client connects."""
WARN_SECONDS = 86_400.0
NO_COMMON_PROTOCOL = [("SSL routines", "", "no application protocol")]
"""The wording of OpenSSL."""
_CIPHERS = b"ECDHE+AESGCM:ECDHE+CHACHA20"
"""TLS 1.2 ciphers with forward secrecy and authenticated encryption (RFC 9325 section 4.2); TLS 1.3 has no others."""
_HTTP1 = (b"http/1.1", b"http/1.0")
_HTTP2 = (b"h2", *_HTTP1)

logger = logging.getLogger(__name__)

type _Version = tuple[tuple[int, int, int] | None, ...]
"""For each file: its inode, its bytes and its time in nanoseconds; None if it cannot be looked at."""


class Certificates:
    """
    The addon that gives each TLS connection its certificate, in place of one that mitmproxy makes itself.

    The next handshake sees a change. Files that cannot be used, as while they are being replaced, change nothing.
    """

    name = "walletbridge-certificates"

    def __init__(
        self, settings: ListenerTls, *, http2: bool = False, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        """`http2`: whether a client may choose HTTP/2. Raises SettingsError if the files cannot be used."""
        self._settings = settings
        self._protocols = _HTTP2 if http2 else _HTTP1
        self._now = now
        self._seen = _version(settings)
        self._pair = read_listener(settings)
        self._context = _context(settings, self._pair, self._protocols)
        self._looking: asyncio.Task[None] | None = None

    def running(self) -> None:
        """The hook: starts to look at the files and at the time."""
        self._looking = asyncio.ensure_future(self._look())

    def done(self) -> None:
        """The hook: stops looking."""
        if self._looking:
            self._looking.cancel()

    def tls_start_client(self, tls_start: TlsData) -> None:
        """The hook: a client begins a TLS handshake."""
        if tls_start.is_dtls or tls_start.ssl_conn is not None:
            return
        self.read_again()
        connection = SSL.Connection(self._context)
        connection.set_accept_state()
        tls_start.ssl_conn = connection

    def read_again(self) -> None:
        """Reads the files again, if they have changed and can be used."""
        version = _version(self._settings)
        if version == self._seen:
            return
        self._seen = version
        try:
            pair = self._better_pair()
            self._context = _context(self._settings, pair, self._protocols)
        except SettingsError as error:
            logger.warning("the certificate stays as it was: %s", error)
        else:
            self._pair = pair
            logger.warning("the certificate was read again: %s", self._settings.cert_file)
            self.warn()

    def warn(self) -> None:
        """Logs the faults for which clients will, or may, refuse the certificate."""
        now = self._now()
        problem = invalid_now(self._pair, now) or expires_soon(self._pair, now, self._settings.warn_days)
        if problem:
            logger.warning("tls.cert_file: %s", problem)
        for doubt in doubts(self._pair):
            logger.warning("tls.cert_file: %s", doubt)

    def _better_pair(self) -> Pair:
        """The content of the files. Raises SettingsError, also if the pair in use is valid and this one is not."""
        pair = read_listener(self._settings)
        problem = invalid_now(pair, self._now())
        if problem and not invalid_now(self._pair, self._now()):
            raise SettingsError(f"tls.cert_file: {problem}")
        return pair

    async def _look(self) -> None:
        while True:
            self.warn()
            for _ in range(int(WARN_SECONDS / LOOK_SECONDS)):
                await asyncio.sleep(LOOK_SECONDS)
                self.read_again()


def _version(settings: ListenerTls) -> _Version:
    files = (settings.cert_file, settings.key_file, settings.key_passphrase_file, settings.client_ca_file)
    return tuple(_file_version(path) for path in files if path is not None)


def _file_version(path: Path) -> tuple[int, int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns


def _context(settings: ListenerTls, pair: Pair, protocols: Sequence[bytes]) -> SSL.Context:
    """Raises SettingsError."""
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    context.set_min_proto_version(SSL.TLS1_2_VERSION)
    context.set_options(SSL.OP_NO_COMPRESSION | SSL.OP_NO_RENEGOTIATION | SSL.OP_CIPHER_SERVER_PREFERENCE)
    context.set_cipher_list(_CIPHERS)
    context.set_alpn_select_callback(lambda _, offered: _chosen(offered, protocols))
    try:
        context.use_certificate(pair.chain[0])
        for certificate in pair.chain[1:]:
            context.add_extra_chain_cert(certificate)
        context.use_privatekey(pair.key)
    except (SSL.Error, crypto.Error):
        raise SettingsError(f"tls.cert_file: OpenSSL does not take {settings.cert_file}") from None
    if settings.client_ca_file is None:
        # Sessions are resumed by tickets, within this process.
        context.set_session_id(b"walletbridge")
    else:
        _ask_for_certificates(context, settings.client_ca_file, settings.client_names)
    return context


def _chosen(offered: Sequence[bytes], protocols: Sequence[bytes]) -> bytes:
    """The client's first protocol that is in `protocols`. Raises SSL.Error, which OpenSSL makes an alert (RFC 7301)."""
    for protocol in offered:
        if protocol in protocols:
            return protocol
    raise SSL.Error(NO_COMMON_PROTOCOL)


def _ask_for_certificates(context: SSL.Context, ca_file: Path, names: Sequence[str]) -> None:
    store = context.get_cert_store()
    if store is None:
        raise SettingsError("tls.client_ca_file: OpenSSL has no store for it")
    for authority in read_certificates("tls.client_ca_file", ca_file):
        store.add_cert(crypto.X509.from_cryptography(authority))
        context.add_client_ca(authority)
    accepted = frozenset(names)

    def verify(_: SSL.Connection, certificate: crypto.X509, __: int, depth: int, is_right: int) -> bool:
        if depth or not accepted:
            return bool(is_right)
        return bool(is_right) and not accepted.isdisjoint(names_of_client(certificate.to_cryptography()))

    context.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, verify)
    # A resumed session would admit a client whose certificate has expired or was removed from the list meanwhile.
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    context.set_options(SSL.OP_NO_TICKET)

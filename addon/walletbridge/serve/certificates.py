"""
TLS of the listener, with a certificate from files that is read again when they change.
"""

import logging
from pathlib import Path

from mitmproxy.addons.tlsconfig import AppData, alpn_select_callback
from mitmproxy.tls import TlsData
from OpenSSL import SSL

from walletbridge.errors import SettingsError
from walletbridge.settings import ListenerTls

logger = logging.getLogger(__name__)

type _Version = tuple[tuple[int, int, int], ...]
"""Of each file: its number, its length and its time in nanoseconds."""


class Certificates:
    """
    The addon that gives each TLS connection its certificate, in place of mitmproxy's own, which it makes itself.

    A change is seen at the next handshake. Files that do not fit together, as while they are being replaced, change
    nothing.
    """

    name = "walletbridge-certificates"

    def __init__(self, settings: ListenerTls, *, http2: bool = False) -> None:
        """`http2`: whether a client may choose it. Raises SettingsError where the files cannot be used."""
        self._settings = settings
        self._http2 = http2
        self._seen = _version(settings)
        self._context = _context(settings)

    def tls_start_client(self, tls_start: TlsData) -> None:
        """The hook: a client wants to speak TLS."""
        if tls_start.is_dtls or tls_start.ssl_conn is not None:
            return
        self._read_again()
        connection = SSL.Connection(self._context)
        connection.set_app_data(AppData(client_alpn=None, server_alpn=None, http2=self._http2))
        connection.set_accept_state()
        tls_start.ssl_conn = connection

    def _read_again(self) -> None:
        try:
            version = _version(self._settings)
            if version == self._seen:
                return
            self._seen = version
            self._context = _context(self._settings)
        except SettingsError as error:
            logger.warning("the certificate stays as it was: %s", error)
        else:
            logger.warning("the certificate was read again: %s", self._settings.cert_file)


def _version(settings: ListenerTls) -> _Version:
    return tuple(_file_version(name, path) for name, path in _files(settings))


def _files(settings: ListenerTls) -> tuple[tuple[str, Path], tuple[str, Path]]:
    return ("cert_file", settings.cert_file), ("key_file", settings.key_file)


def _file_version(name: str, path: Path) -> tuple[int, int, int]:
    try:
        status = path.stat()
    except OSError as error:
        raise SettingsError(f"tls.{name}: cannot read {path}: {error.strerror}") from None
    return status.st_ino, status.st_size, status.st_mtime_ns


def _context(settings: ListenerTls) -> SSL.Context:
    for name, path in _files(settings):
        try:
            path.read_bytes()
        except OSError as error:
            raise SettingsError(f"tls.{name}: cannot read {path}: {error.strerror}") from None
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    context.set_min_proto_version(SSL.TLS1_2_VERSION)
    context.set_options(SSL.OP_NO_COMPRESSION | SSL.OP_NO_RENEGOTIATION)
    context.set_alpn_select_callback(alpn_select_callback)
    # Sessions are resumed by tickets; a session id makes that possible with client certificates, too.
    context.set_session_id(b"walletbridge")
    try:
        context.use_certificate_chain_file(str(settings.cert_file))
    except SSL.Error:
        raise SettingsError(f"tls.cert_file: {settings.cert_file} is no certificate in PEM form") from None
    try:
        context.use_privatekey_file(str(settings.key_file))
        context.check_privatekey()
    except SSL.Error:
        raise SettingsError(
            f"tls.key_file: {settings.key_file} is no private key in PEM form that fits tls.cert_file"
        ) from None
    return context

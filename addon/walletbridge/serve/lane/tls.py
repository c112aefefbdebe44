"""
mitmproxy's TLS layer for clients, with limited handshakes, alerts that reach the client, and failures that are counted
instead of logged one by one.
"""

from collections.abc import Callable

from mitmproxy.proxy import commands
from mitmproxy.proxy.context import Context
from mitmproxy.proxy.layer import CommandGenerator
from mitmproxy.proxy.layers import ClientTLSLayer

HELLO_BYTES_MAX = 32_768
"""A ClientHello takes some hundred bytes, or two thousand with post-quantum keys."""
TLS_HANDSHAKE = 0x16
"""The first byte of every TLS connection; no HTTP request begins with it."""
_RECORD_HEAD, _MESSAGE_HEAD = 5, 4
HELLO_TOO_LARGE = "the ClientHello is too large"
OTHER_CAUSE = "TLS: the handshake failed"
BROKEN = "TLS: broken after the handshake"
_CAUSES = {
    "cannot parse clienthello": "TLS: no ClientHello",
    HELLO_TOO_LARGE.lower(): "TLS: the ClientHello is too large",
    "connection closed": "TLS: the client left during the handshake",
    "peer did not return a certificate": "TLS: the client showed no certificate",
    "certificate verify failed": "TLS: the client's certificate is not accepted",
    "no application protocol": "TLS: no common protocol (ALPN)",
    "unsupported protocol": "TLS: no common version",
    "protocol version": "TLS: no common version",
    "no shared cipher": "TLS: no common cipher",
    "no suitable": "TLS: no common cipher",
    "unknown ca": "TLS: the client does not trust the certificate",
    "bad certificate": "TLS: the client does not trust the certificate",
    "certificate unknown": "TLS: the client does not trust the certificate",
    "certificate expired": "TLS: the client takes the certificate to be expired",
    "handshake failure": "TLS: the client broke off the handshake",
    "alert": "TLS: the client broke off the handshake",
    "wrong version number": "TLS: not TLS",
    "does not speak tls": "TLS: not TLS",
    "packet length": "TLS: not TLS",
    "record layer failure": "TLS: not TLS",
}
"""By words in the error of OpenSSL or mitmproxy; the first match counts."""


class _Hello:
    """A ClientHello in any number of records, each read once. RFC 8446 sections 4 and 5.1."""

    def __init__(self) -> None:
        self.data = bytearray()
        """All received bytes."""
        self._record = 0
        """Start index of the first incomplete record."""
        self._head = b""
        """The first bytes of the message: its type and length."""
        self._bytes = 0
        """Bytes of the message in complete records."""

    def receive(self, data: bytes) -> bool:
        """Takes bytes; returns whether the message is complete or cannot be a ClientHello."""
        self.data += data
        while len(self.data) >= (begin := self._record + _RECORD_HEAD):
            size = int.from_bytes(self.data[begin - 2 : begin])
            if self.data[self._record] != TLS_HANDSHAKE or not size:
                return True
            if len(self.data) < begin + size:
                return False
            self._head += self.data[begin : begin + min(size, _MESSAGE_HEAD - len(self._head))]
            self._bytes += size
            self._record = begin + size
            if len(self._head) == _MESSAGE_HEAD and self._bytes >= _MESSAGE_HEAD + int.from_bytes(self._head[1:]):
                return True
        return False


class ListenerTlsLayer(ClientTLSLayer):
    """Passes the cause of each failure to `on_failure`."""

    def __init__(self, context: Context, on_failure: Callable[[str], None]) -> None:
        super().__init__(context)
        self._on_failure = on_failure
        self._is_over = False
        """Whether the client was refused: its further bytes are not read."""
        self._hello = _Hello()

    def receive_handshake_data(self, data: bytes) -> CommandGenerator[tuple[bool, str | None]]:
        """
        See `ClientTLSLayer.receive_handshake_data`, which accepts a ClientHello of any length, and reads it from its
        start for each new piece.
        """
        if not self.client_hello_parsed:
            hello = self._hello
            if len(hello.data) + len(data) > HELLO_BYTES_MAX:
                return False, HELLO_TOO_LARGE
            if not hello.receive(data):
                return False, None
            data = bytes(hello.data)
            hello.data.clear()
        return (yield from super().receive_handshake_data(data))

    def on_handshake_error(self, err: str) -> CommandGenerator[None]:
        """See `ClientTLSLayer.on_handshake_error`, which logs each error and does not send OpenSSL's alert."""
        self._is_over = True
        self._on_failure(cause_of(err))
        if self.tls is not None:
            yield from self.tls_interact()
        yield commands.CloseConnection(self.conn)
        self.event_to_child = self.errored  # type: ignore[method-assign]

    def receive_data(self, data: bytes) -> CommandGenerator[None]:
        """See `TLSLayer.receive_data`, which logs each bad record and reads on, and fails without TLS."""
        if self._is_over:
            return
        for command in super().receive_data(data):
            if isinstance(command, commands.Log):
                self._is_over = True
                self._on_failure(BROKEN)
            else:
                yield command
        if self._is_over:
            yield commands.CloseConnection(self.conn)


def cause_of(error: str) -> str:
    """One of a few causes for an OpenSSL or mitmproxy error in a handshake."""
    lowered = error.lower()
    return next((cause for words, cause in _CAUSES.items() if words in lowered), OTHER_CAUSE)

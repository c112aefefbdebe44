"""
Corrects the framing of bodies in mitmproxy's HTTP/1.1, once for the whole process.

- mitmproxy raises if chunks end with trailers, or if it has to send the trailers of an HTTP/2 message; the client gets
  no answer. RFC 9110 section 6.5.1 allows discarding them.
- It sends the body of an HTTP/2 request without a Content-Length as bare bytes after the head. The upstream reads them
  as the next request (request smuggling). RFC 9113 section 8.1.1 and RFC 9112 section 6.1: such a body needs chunks.

mitmproxy's version is bounded; a test fails when mitmproxy corrects one of these itself.
"""

from collections.abc import Generator
from typing import Any

import h11
from h11._readers import ChunkedReader
from h11._receivebuffer import ReceiveBuffer
from mitmproxy.proxy.commands import Command
from mitmproxy.proxy.layers.http import _http1
from mitmproxy.proxy.layers.http._events import HttpEvent, RequestHeaders, RequestTrailers, ResponseTrailers

_send_as_client = _http1.Http1Client.send
_send_as_server = _http1.Http1Server.send


def mend() -> None:
    """Installs the corrections. A second call changes nothing."""
    _http1.ChunkedReader = WithoutTrailers  # type: ignore[attr-defined]
    _http1.Http1Client.send = _framed  # type: ignore[method-assign]
    _http1.Http1Server.send = _without_trailers  # type: ignore[method-assign]


class WithoutTrailers(ChunkedReader):
    """Reads chunks and discards their trailers."""

    def __call__(self, buf: ReceiveBuffer) -> h11.Data | h11.EndOfMessage | None:
        """Reads one chunk or the end."""
        event = super().__call__(buf)
        return h11.EndOfMessage() if isinstance(event, h11.EndOfMessage) else event


def _framed(self: _http1.Http1Client, event: HttpEvent) -> Generator[Command, Any, None]:
    if isinstance(event, RequestTrailers):
        return
    if isinstance(event, RequestHeaders) and not event.end_stream:
        request = event.request
        if (request.is_http2 or request.is_http3) and "content-length" not in request.headers:
            request.headers["transfer-encoding"] = "chunked"
    yield from _send_as_client(self, event)


def _without_trailers(self: _http1.Http1Server, event: HttpEvent) -> Generator[Command, Any, None]:
    if not isinstance(event, ResponseTrailers):
        yield from _send_as_server(self, event)

"""
Bodies in chunks that end with trailers, among mitmproxy's flows.

mitmproxy's HTTP/1.1 raises where it reads one, and leaves its client without an answer. RFC 9110 section 6.5.1 allows
to discard them, which is done here at the one place where mitmproxy makes a reader of chunks.
"""

import h11
from h11._readers import ChunkedReader
from h11._receivebuffer import ReceiveBuffer
from mitmproxy.http import HTTPFlow
from mitmproxy.proxy.layers.http import _http1


class WithoutTrailers(ChunkedReader):
    """Reads chunks."""

    def __call__(self, buf: ReceiveBuffer) -> h11.Data | h11.EndOfMessage | None:
        """See `ChunkedReader`."""
        event = super().__call__(buf)
        return h11.EndOfMessage() if isinstance(event, h11.EndOfMessage) else event


def discard_trailers() -> None:
    """From here on, for the whole process."""
    _http1.ChunkedReader = WithoutTrailers  # type: ignore[attr-defined]


def discard_trailers_of_request(flow: HTTPFlow) -> None:
    """Where HTTP/2 brought them, and the upstream may speak HTTP/1.1."""
    flow.request.trailers = None


def discard_trailers_of_answer(flow: HTTPFlow) -> None:
    """Where the client speaks HTTP/1.1."""
    if flow.client_conn.alpn != b"h2" and flow.response is not None:
        flow.response.trailers = None

"""Trailers of bodies in chunks are discarded, and break nothing."""

import h11
from h11._receivebuffer import ReceiveBuffer
from mitmproxy.http import Headers
from mitmproxy.proxy.layers.http import _http1
from mitmproxy.test import tflow

from walletbridge.trailers import (
    WithoutTrailers,
    discard_trailers,
    discard_trailers_of_answer,
    discard_trailers_of_request,
)


def test_mitmproxy_makes_readers_of_chunks_that_end_without_trailers() -> None:
    discard_trailers()
    reader = _http1.make_body_reader(None)
    assert isinstance(reader, WithoutTrailers)
    buffer = ReceiveBuffer()
    buffer += b"3\r\nabc\r\n0\r\nX: y\r\n\r\nrest"

    data, end = reader(buffer), reader(buffer)
    assert isinstance(data, h11.Data)
    assert bytes(data.data) == b"abc"
    assert isinstance(end, h11.EndOfMessage)
    assert not list(end.headers)
    assert bytes(buffer) == b"rest"


def test_trailers_of_http2_are_not_sent_where_http_1_may_be_spoken() -> None:
    for alpn, kept in ((None, None), (b"http/1.1", None), (b"h2", Headers(x="y"))):
        flow = tflow.tflow(resp=True)
        assert flow.response is not None
        flow.client_conn.alpn = alpn
        flow.request.trailers = flow.response.trailers = Headers(x="y")
        discard_trailers_of_request(flow)
        discard_trailers_of_answer(flow)
        assert flow.request.data.trailers is None
        assert kept == flow.response.data.trailers

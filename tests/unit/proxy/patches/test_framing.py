"""Bodies are framed in one way only, with which both ends agree."""

import h11
import pytest
from h11._receivebuffer import ReceiveBuffer
from mitmproxy.addons.proxyserver import Proxyserver
from mitmproxy.http import Headers
from mitmproxy.proxy import context
from mitmproxy.proxy.commands import SendData
from mitmproxy.proxy.layers.http import _http1
from mitmproxy.proxy.layers.http._events import (
    RequestData,
    RequestEndOfMessage,
    RequestHeaders,
    RequestTrailers,
    ResponseTrailers,
)
from mitmproxy.test import taddons, tflow, tutils

from walletbridge.proxy.patches import framing
from walletbridge.proxy.patches.framing import WithoutTrailers, mend


@pytest.fixture(autouse=True)
def _mended() -> None:
    mend()
    mend()


def test_mitmproxy_makes_readers_of_chunks_that_end_without_trailers() -> None:
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


def client() -> _http1.Http1Client:
    with taddons.context(Proxyserver()) as mitmproxy:  # type: ignore[no-untyped-call]
        made = context.Context(tflow.tclient_conn(), mitmproxy.options)
    return _http1.Http1Client(made)


def sent(headers: Headers, *, end_stream: bool = False) -> bytes:
    """What an upstream is sent of a request over HTTP/2."""
    request = tutils.treq(headers=headers, http_version=b"HTTP/2.0", method=b"POST", authority=b"gateway")
    data = [] if end_stream else [RequestData(1, b"GET /smuggled"), RequestTrailers(1, Headers(x="y"))]
    events = [RequestHeaders(1, request, end_stream), *data, RequestEndOfMessage(1)]
    speaking = client()
    commands = [command for event in events for command in speaking.send(event)]
    return b"".join(command.data for command in commands if isinstance(command, SendData))


def test_a_body_of_http2_without_a_length_goes_in_chunks() -> None:
    found = sent(Headers())

    assert b"\r\ntransfer-encoding: chunked\r\n" in found
    assert found.endswith(b"\r\n\r\nd\r\nGET /smuggled\r\n0\r\n\r\n")


def test_a_body_of_http2_with_a_length_has_this_length() -> None:
    found = sent(Headers(content_length="13"))

    assert b"chunked" not in found
    assert found.endswith(b"\r\n\r\nGET /smuggled")


def test_a_request_of_http2_without_a_body_has_none() -> None:
    assert b"chunked" not in sent(Headers(), end_stream=True)


def test_trailers_for_a_client_end_here() -> None:
    server = _http1.Http1Server(client().context)

    assert list(server.send(ResponseTrailers(1, Headers(x="y")))) == []


def test_mitmproxy_would_still_be_wrong_by_itself() -> None:
    """Where this fails, mitmproxy has mended it, and there is less to do here."""
    speaking = client()
    speaking.stream_id = 1
    with pytest.raises(AssertionError, match="Unexpected event"):
        list(framing._send_as_client(speaking, RequestTrailers(1, Headers())))
    with pytest.raises(AssertionError, match="Unexpected event"):
        list(framing._send_as_server(_http1.Http1Server(client().context), ResponseTrailers(1, Headers())))

"""What is shown of a head is not what is sent."""

from typing import Any

import pytest
from mitmproxy import http
from mitmproxy.proxy.layers.http import SendHttp
from mitmproxy.proxy.layers.http._events import HttpEvent, RequestHeaders, RequestTrailers, ResponseHeaders
from mitmproxy.test import tflow, tutils

from walletbridge.gateway.tokens import Tokens
from walletbridge.proxy.patches import hidden_heads

TOKEN = b"a-token-that-nobody-sees"
HEADERS = ((b"Host", b"x"), (b"X-One", TOKEN), (b"X-One", b"a " + TOKEN), (TOKEN, b"1"), (b"X-One", TOKEN))
PATH = b"/legacy/" + TOKEN + b"?a=%61-token-that-nobody-sees"
HIDE = Tokens([TOKEN]).hide


@pytest.fixture(autouse=True)
def _mended() -> None:
    hidden_heads.mend()


def sent(event: HttpEvent) -> HttpEvent:
    return SendHttp(event, tflow.tserver_conn()).event


def state_of(message: http.Message) -> Any:
    return message.get_state()  # type: ignore[no-untyped-call]


def request() -> http.Request:
    made = tutils.treq(path=PATH, headers=http.Headers(HEADERS), trailers=http.Headers([(b"X-Last", TOKEN)]))
    hidden_heads.hide_head(made, HIDE)
    hidden_heads.hide_head(made, HIDE)
    return made


def test_a_request_shows_no_token_and_is_sent_as_it_came() -> None:
    shown = request()
    head, trailers = sent(RequestHeaders(1, shown, end_stream=False)), shown.trailers
    assert isinstance(head, RequestHeaders)
    assert trailers is not None
    last = sent(RequestTrailers(1, trailers))
    assert isinstance(last, RequestTrailers)

    assert TOKEN not in str((state_of(shown), shown, vars(shown))).encode()
    assert (head.request.data.path, head.request.headers.fields) == (PATH, HEADERS)
    assert last.trailers.fields == ((b"X-Last", TOKEN),)
    assert TOKEN not in str(state_of(shown.copy())).encode()


def test_a_response_shows_no_token_and_is_sent_as_it_came() -> None:
    response = tutils.tresp(headers=http.Headers(HEADERS))
    hidden_heads.hide_head(response, HIDE)
    head = sent(ResponseHeaders(1, response, end_stream=False))

    assert isinstance(head, ResponseHeaders)
    assert TOKEN not in str(state_of(response)).encode()
    assert head.response.headers.fields == HEADERS


def test_what_a_person_changed_stays_changed() -> None:
    shown = request()
    shown.headers["Host"] = "y"
    shown.path = "/other"
    head = sent(RequestHeaders(1, shown, end_stream=True))

    assert isinstance(head, RequestHeaders)
    assert head.request.headers.fields == ((b"Host", b"y"), *HEADERS[1:])
    assert head.request.path == "/other"


def test_a_head_without_a_token_is_sent_itself() -> None:
    plain = tutils.treq()
    hidden_heads.hide_head(plain, HIDE)
    head = sent(RequestHeaders(1, plain, end_stream=True))

    assert isinstance(head, RequestHeaders)
    assert head.request is plain

"""
Hides tokens in the heads of messages, but sends the original bytes.

mitmproxy shows, saves and sends a message from one object. So the hidden parts are kept beside it, in no state that is
shown or saved, and put back into a copy when mitmproxy sends it. A person's edits stay.
"""

from collections.abc import Callable, Iterable
from typing import Any

from mitmproxy import http
from mitmproxy.connection import Connection
from mitmproxy.proxy.layers.http import SendHttp
from mitmproxy.proxy.layers.http._events import (
    HttpEvent,
    RequestHeaders,
    RequestTrailers,
    ResponseHeaders,
    ResponseTrailers,
)

type _Field = tuple[bytes, bytes]

_CAME = "_walletbridge_came"
"""The attribute of a message that keeps its hidden parts."""
_init = SendHttp.__init__


class _Came:
    """The hidden parts, by the text shown instead."""

    def __init__(self) -> None:
        self.fields: dict[_Field, list[_Field]] = {}
        self.path: dict[bytes, bytes] = {}

    def __repr__(self) -> str:
        return "***"


def mend() -> None:
    """Makes mitmproxy send the original heads. A second call changes nothing."""
    SendHttp.__init__ = _send  # type: ignore[method-assign]


def hide_head(message: http.Request | http.Response, hide: Callable[[bytes], bytes]) -> None:
    """Applies `hide` to the headers and trailers of a message, and to the path of a request."""
    data = message.data
    data.headers = _hidden(data.headers, message, hide)
    if data.trailers is not None:
        data.trailers = _hidden(data.trailers, data.trailers, hide)
    if isinstance(data, http.RequestData):
        if (shown := hide(data.path)) != data.path:
            _came(message).path[shown] = data.path
        data.path = shown


def _hidden(headers: http.Headers, keeper: object, hide: Callable[[bytes], bytes]) -> http.Headers:
    shown = [(hide(name), hide(value)) for name, value in headers.fields]
    if tuple(shown) == headers.fields:
        return headers
    made = http.Headers(shown)
    # Trailers are sent separately, so they keep their own parts.
    came = _came(made if keeper is headers else keeper)
    for field, real in zip(shown, headers.fields, strict=True):
        if field != real:
            came.fields.setdefault(field, []).append(real)
    return made


def _came(keeper: object) -> _Came:
    found = getattr(keeper, _CAME, None)
    if found is None:
        found = _Came()
        setattr(keeper, _CAME, found)
    return found


def _send(self: SendHttp, event: HttpEvent, connection: Connection) -> None:
    _init(self, _as_it_came(event), connection)


def _as_it_came(event: HttpEvent) -> HttpEvent:
    if isinstance(event, RequestHeaders) and (came := getattr(event.request, _CAME, None)):
        return RequestHeaders(event.stream_id, _real(event.request, came), event.end_stream, event.replay_flow)
    if isinstance(event, ResponseHeaders) and (came := getattr(event.response, _CAME, None)):
        return ResponseHeaders(event.stream_id, _real(event.response, came), event.end_stream)
    if isinstance(event, RequestTrailers | ResponseTrailers) and (came := getattr(event.trailers, _CAME, None)):
        return type(event)(event.stream_id, http.Headers(_put_back(event.trailers.fields, came)))
    return event


def _real(message: Any, came: _Came) -> Any:
    real = message.copy()
    real.data.headers = http.Headers(_put_back(message.data.headers.fields, came))
    if isinstance(message, http.Request):
        real.data.path = came.path.get(message.data.path, message.data.path)
    return real


def _put_back(shown: Iterable[_Field], came: _Came) -> Iterable[_Field]:
    left = {field: list(real) for field, real in came.fields.items()}
    return [left[field].pop(0) if left.get(field) else field for field in shown]

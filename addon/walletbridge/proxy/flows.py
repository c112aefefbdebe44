"""
Reads requests from mitmproxy's flows and writes answers to them.
"""

import asyncio
import time
from collections.abc import Callable
from http import HTTPStatus

from mitmproxy import ctx, hooks, http

from walletbridge.protocol.answers import Answer
from walletbridge.proxy.patches.client_gone import has_left

TOKEN_HEADER = b"callback-token"
FORWARDED_HEADER = b"x-forwarded-for"
HIDDEN = b"***"
HELD_POLL_SECONDS = 0.05
_LENGTH_DIGITS_MAX = 20
"""More digits than any length has; Python refuses to parse thousands of them."""


def take_secrets(request: http.Request) -> tuple[list[bytes], list[bytes]]:
    """Returns the values of the token header, which it hides in the request, and those of X-Forwarded-For."""
    tokens = values_of(request, TOKEN_HEADER)
    if tokens:
        request.headers.fields = tuple(
            (name, HIDDEN if name.lower() == TOKEN_HEADER else value) for name, value in request.headers.fields
        )
    return tokens, values_of(request, FORWARDED_HEADER)


def values_of(request: http.Request, wanted: bytes) -> list[bytes]:
    """Returns the values of a header. mitmproxy's own way decodes all headers first."""
    return [value for name, value in request.headers.fields if name.lower() == wanted]


def announced_bytes(request: http.Request) -> int:
    """Returns the Content-Length, or 0 if it is missing, repeated or no number."""
    lengths = values_of(request, b"content-length")
    if len(lengths) != 1 or not lengths[0].isdigit():
        return 0
    return int(lengths[0][:_LENGTH_DIGITS_MAX])


def response_of(request: http.Request, answer: Answer, *, is_last: bool) -> http.Response:
    """Returns the answer as mitmproxy sends it. `is_last` closes the connection after it."""
    headers = (*answer.headers, (b"Connection", b"close")) if is_last else answer.headers
    body = b"" if request.method == "HEAD" else answer.body
    now = time.time()
    # Like `http.Response.make`, but without its conversions: they cost more than the rest of the hook.
    return http.Response(
        b"HTTP/1.1",
        answer.http_status,
        HTTPStatus(answer.http_status).phrase.encode(),
        http.Headers((*headers, (b"content-length", b"%d" % len(body)))),
        body,
        None,
        now,
        now,
    )


def is_answer(flow: http.HTTPFlow, answer: Answer) -> bool:
    """Whether the response of `flow` is still this answer."""
    response = flow.response
    if response is None or response.status_code != answer.http_status:
        return False
    return flow.request.method == "HEAD" or response.raw_content == answer.body


async def released(flow: http.HTTPFlow, waits: Callable[[], None] = lambda: None) -> bool:
    """
    Waits until a person releases an intercepted flow. Returns False if the flow was killed or its client left.

    Calls `waits` repeatedly.
    """
    await ctx.master.addons.trigger_event(hooks.UpdateHook([flow]))
    while flow.intercepted and not has_left(flow):
        waits()
        # A killed flow does not wake the tasks that wait for its resume.
        await asyncio.sleep(HELD_POLL_SECONDS)
    flow.resume()  # type: ignore[no-untyped-call]
    return flow.error is None and flow.live and not has_left(flow)

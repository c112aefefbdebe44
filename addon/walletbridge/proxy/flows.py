"""
What is read from a flow of mitmproxy, and what is written to it.
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
"""More digits than any length has; Python refuses to read thousands of them."""


def take_secrets(request: http.Request) -> tuple[list[bytes], list[bytes]]:
    """The values of the token's header, which are hidden from now on, and those of X-Forwarded-For."""
    tokens = values_of(request, TOKEN_HEADER)
    if tokens:
        request.headers.fields = tuple(
            (name, HIDDEN if name.lower() == TOKEN_HEADER else value) for name, value in request.headers.fields
        )
    return tokens, values_of(request, FORWARDED_HEADER)


def values_of(request: http.Request, wanted: bytes) -> list[bytes]:
    """Of a header. mitmproxy's own way turns all of them to text first."""
    return [value for name, value in request.headers.fields if name.lower() == wanted]


def announced_bytes(request: http.Request) -> int:
    """The length of the body as the head has it; 0 where it does not say."""
    lengths = values_of(request, b"content-length")
    if len(lengths) != 1 or not lengths[0].isdigit():
        return 0
    return int(lengths[0][:_LENGTH_DIGITS_MAX])


def response_of(request: http.Request, answer: Answer, *, is_last: bool) -> http.Response:
    """The answer as mitmproxy sends it. `is_last`: the connection is closed behind it."""
    headers = (*answer.headers, (b"Connection", b"close")) if is_last else answer.headers
    body = b"" if request.method == "HEAD" else answer.body
    now = time.time()
    # What `http.Response.make` does, without its conversions: they cost more than anything else in the hook.
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
    """Whether what goes out for `flow` is still this answer."""
    response = flow.response
    if response is None or response.status_code != answer.http_status:
        return False
    return flow.request.method == "HEAD" or response.raw_content == answer.body


async def released(flow: http.HTTPFlow, waits: Callable[[], None] = lambda: None) -> bool:
    """
    Waits until a person lets go of an intercepted flow; False where it was killed or its client left, which ends the
    waiting. `waits` is called again and again.
    """
    await ctx.master.addons.trigger_event(hooks.UpdateHook([flow]))
    while flow.intercepted and not has_left(flow):
        waits()
        # Killing a flow wakes nobody who waits for its resume.
        await asyncio.sleep(HELD_POLL_SECONDS)
    flow.resume()  # type: ignore[no-untyped-call]
    return flow.error is None and flow.live and not has_left(flow)

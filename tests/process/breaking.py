"""
Breaks the gateway from inside for each request that asks for it, by its query, its token or its account.

A script for mitmdump's `-s`; run by itself it is the command `walletbridge`.
"""

import asyncio
import json
from collections.abc import Sequence
from typing import Any, cast

from walletbridge.gateway.gateway import Gateway, Request
from walletbridge.gateway.running_gateway import Bridge
from walletbridge.observe.trace import Trace
from walletbridge.protocol.answers import Answer

ANSWER_RAISES = "answer-raises"
ANSWER_IS_CANCELLED = "answer-is-cancelled"
HOOK_IS_CANCELLED = "hook-is-cancelled"
HOOK_IS_CANCELLED_TWICE = "hook-is-cancelled-twice"
ACCOUNTS = (ANSWER_RAISES, ANSWER_IS_CANCELLED, HOOK_IS_CANCELLED, HOOK_IS_CANCELLED_TWICE)
"""Accounts for which the call of the gateway, or the hook that waits for it, breaks in the way of their name."""
QUERY = "is-callback-raises"
TOKEN = "admits-raises"  # noqa: S105 - no secret
SOON = 0.1
"""Seconds, less than the wallet takes in these tests."""

_is_callback, _admits, _wait, _answer = Bridge.is_callback, Bridge.admits, Bridge.answer, Gateway.answer


class Broken(Exception):
    """Raised on purpose."""


def _breaking_is_callback(bridge: Bridge, target: str) -> bool:
    if target.endswith(QUERY):
        raise Broken
    return _is_callback(bridge, target)


def _breaking_admits(bridge: Bridge, peer: str, tokens: Sequence[bytes], forwarded: Sequence[bytes] = ()) -> bool:
    if TOKEN.encode() in tokens:
        raise Broken
    return _admits(bridge, peer, tokens, forwarded)


def _account(request: Request) -> Any:
    return json.loads(request.body or b"{}").get("data", {}).get("account")


async def _breaking_wait(bridge: Bridge, request: Request, trace: Trace) -> Answer:
    hook = cast("asyncio.Task[None]", asyncio.current_task())
    loop = asyncio.get_running_loop()
    account = _account(request)
    if account in {HOOK_IS_CANCELLED, HOOK_IS_CANCELLED_TWICE}:
        loop.call_later(SOON, hook.cancel)
    if account == HOOK_IS_CANCELLED_TWICE:
        loop.call_later(2 * SOON, hook.cancel)
    return await _wait(bridge, request, trace)


async def _breaking_answer(gateway: Gateway, request: Request, trace: Trace) -> Answer:
    account = _account(request)
    if account == ANSWER_RAISES:
        raise Broken
    if account == ANSWER_IS_CANCELLED:
        raise asyncio.CancelledError
    return await _answer(gateway, request, trace)


# Not where the tests import it for its names: theirs is a gateway that works.
if __name__ == "__main__" or __name__.startswith("__mitmproxy_script__"):
    Bridge.is_callback = _breaking_is_callback  # type: ignore[method-assign,assignment]
    Bridge.admits = _breaking_admits  # type: ignore[method-assign,assignment]
    Bridge.answer = _breaking_wait  # type: ignore[method-assign,assignment]
    Gateway.answer = _breaking_answer  # type: ignore[method-assign,assignment]

if __name__ == "__main__":
    from walletbridge.cli import main

    main()

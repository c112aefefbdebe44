"""
Handles each callback among mitmproxy's flows, from the head of the request until the answer is sent.

Three facts about mitmproxy shape this file. If a hook raises, mitmproxy sends the flow upstream, so every path of
`answer` ends with an answer. Saved and replayed flows run the same hooks, so flows that are not live are left alone.
mitmproxy does not redact headers, so the token is overwritten after its comparison.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from mitmproxy.http import HTTPFlow

from walletbridge.gateway.edits import Edit, edit_of
from walletbridge.gateway.gateway import Request
from walletbridge.gateway.running_gateway import Bridge
from walletbridge.observe.log import callback_fields
from walletbridge.observe.trace import Trace
from walletbridge.protocol import answers
from walletbridge.protocol.answers import Answer, is_encoded
from walletbridge.proxy.flows import announced_bytes, is_answer, released, response_of, take_secrets, values_of

if TYPE_CHECKING:
    from walletbridge.proxy.live_view.live_view import LiveView


class _Head(NamedTuple):
    """Data from a request's head, kept where only this module can change it."""

    has_token: bool
    received_at: float
    is_too_large: bool
    client: str
    forwarded: Sequence[bytes]


class _Answered(NamedTuple):
    """An answer that is sent or about to be. In a UI, people may still hold or edit it."""

    trace: Trace
    answer: Answer
    received_at: float


class _Hidden(NamedTuple):
    """A body, and its shown form without tokens."""

    came: bytes
    shown: bytes


def _edit_of(bridge: Bridge, came: bytes | None, request: Request) -> Edit | None:
    """Returns a person's edit of a callback from the provider, or None."""
    if not request.has_token or came is None or request.body is None:
        return None
    return edit_of(came, request.body, currency_decimals=bridge.settings.wallet.currency_decimals)


class Exchanges:
    """The open callbacks."""

    def __init__(self) -> None:
        self.bridge: Bridge | None = None
        """None: no gateway runs, so every request is answered as unknown."""
        self.live: LiveView | None = None
        """None without a UI."""
        self.is_draining = False
        """Whether each answer closes its connection."""
        # By the flow's id: `_heads` from a request's head to its body, `_answered` from an answer to its sending. Each
        # flow ends in exactly one of `sent`, `answered` and `failed`.
        self._heads: dict[str, _Head] = {}
        self._answered: dict[str, _Answered] = {}
        self._hidden: dict[str, _Hidden] = {}

    def is_callback(self, flow: HTTPFlow) -> bool:
        """Whether the path is the callback path. Without a gateway, every path counts."""
        return self.bridge is None or self.bridge.is_callback(flow.request.path)

    def begin(self, flow: HTTPFlow) -> None:
        """Compares and hides the token when the head has arrived."""
        tokens, forwarded = take_secrets(flow.request)
        # Overrides every script: a streamed callback reaches the upstream before `request` runs.
        flow.request.stream = False
        if self.bridge is not None:
            self._heads[flow.id] = _Head(
                has_token=self.bridge.admits(flow.client_conn.peername[0], tokens, forwarded),
                received_at=self.bridge.clock(),
                is_too_large=announced_bytes(flow.request) > self.bridge.settings.limits.body_bytes,
                client=flow.client_conn.peername[0],
                forwarded=forwarded,
            )
        if self.live:
            self.live.seen(flow)

    def hide_body(self, flow: HTTPFlow, hide: Callable[[bytes], bytes]) -> None:
        """Hides tokens in the shown body of a request. The wallet gets the original body of a callback."""
        came = flow.request.raw_content
        if not came or (shown := hide(came)) == came:
            return
        if flow.id in self._heads:
            self._hidden[flow.id] = _Hidden(came, shown)
        flow.request.data.content = shown

    async def answer(self, flow: HTTPFlow) -> None:
        """Answers a callback, once no person holds it."""
        head = self._heads.pop(flow.id, None)
        if not flow.live or flow.response or flow.error:
            return
        try:
            if head is not None or self.is_callback(flow):
                await self._answer(flow, head)
        except BaseException as error:
            # After any error: without an answer, mitmproxy would send the callback upstream.
            if flow.response is None:
                self._respond(flow, answers.UNKNOWN)
            # If the hook ended as cancelled, mitmproxy would not send the answer.
            if not isinstance(error, asyncio.CancelledError):
                raise
        finally:
            self._hidden.pop(flow.id, None)

    def has_answered(self, flow: HTTPFlow) -> bool:
        """Whether the gateway made the answer and it is not sent yet."""
        return flow.id in self._answered

    def sent(self, flow: HTTPFlow) -> None:
        """Records that an answer is sent, without a UI."""
        if self.bridge and (done := self._answered.pop(flow.id, None)):
            self.bridge.delivered(done.trace, done.answer, sent=True)

    async def answered(self, flow: HTTPFlow) -> None:
        """Records the sent answer, once no person holds it."""
        if self.bridge is None or flow.id not in self._answered:
            return
        # Wait here: mitmproxy would wait forever for a held answer whose flow is killed.
        is_free = not flow.intercepted or await released(flow)
        # The client may have left during the wait, and `failed` has recorded it.
        if (done := self._answered.pop(flow.id, None)) is None:
            return
        is_edited = not is_answer(flow, done.answer)
        if is_edited:
            self.bridge.log.warning("answer edited by hand", result=int(done.answer.result))
        # No provider receives the answer to a replay.
        self.bridge.delivered(done.trace, done.answer, sent=is_free and not is_edited and not flow.is_replay)
        if self.live and (is_edited or not is_free):
            self.live.sent(flow, is_edited=is_edited, is_delivered=is_free)

    def failed(self, flow: HTTPFlow) -> None:
        """Handles a client that left: its wallet call was made, but the provider did not get the answer."""
        self._heads.pop(flow.id, None)
        self._hidden.pop(flow.id, None)
        if self.bridge and (done := self._answered.pop(flow.id, None)):
            self.bridge.delivered(done.trace, done.answer, sent=False)
            seconds = self.bridge.clock() - done.received_at
            self.bridge.log.warning("answer not delivered", **callback_fields(done.trace, done.answer, seconds))
            if self.live:
                self.live.sent(flow, is_edited=False, is_delivered=False)

    async def _answer(self, flow: HTTPFlow, head: _Head | None) -> None:
        is_permitted = bool(self.live and flow.is_replay and self.live.permits(flow))
        if flow.is_replay and not is_permitted:
            self._respond(flow, answers.REPLAY_REFUSED)
            if self.live:
                self.live.answered(flow, Trace(), answers.REPLAY_REFUSED, seconds=0, held=0, has_token=False)
            return
        bridge = self.bridge
        if bridge is None or head is None:
            self._respond(flow, answers.UNKNOWN)
            return
        received_at, held = head.received_at, 0.0
        came = self._body_of(flow)
        if flow.intercepted:
            held_since = bridge.clock()
            if not await self._is_released(flow, bridge, held_since):
                return
            # The time that a person held it does not count.
            received_at = bridge.clock()
            held = received_at - held_since
        trace = Trace(calls=[] if self.live else None, client=head.client, forwarded=head.forwarded)
        request = Request(
            method=flow.request.method,
            has_token=head.has_token or is_permitted,
            body=None if head.is_too_large else self._body_of(flow),
            received_at=received_at,
            is_encoded=is_encoded(values_of(flow.request, b"content-encoding")),
        )
        edit = _edit_of(bridge, came, request)
        if edit is not None and not await bridge.left_out(edit):
            self._respond(flow, answers.UNKNOWN)
            return
        answer = await bridge.answer(request, trace)
        if edit is not None:
            await bridge.put_in(edit)
        self._answered[flow.id] = _Answered(trace, answer, received_at)
        self._respond(flow, answer)
        if self.live:
            seconds = bridge.clock() - received_at
            self.live.answered(flow, trace, answer, seconds=seconds, held=held, has_token=request.has_token)

    def _body_of(self, flow: HTTPFlow) -> bytes | None:
        """Returns the original body, unless a person has edited the shown one."""
        body, hidden = flow.request.raw_content, self._hidden.get(flow.id)
        return hidden.came if hidden and body == hidden.shown else body

    def _respond(self, flow: HTTPFlow, answer: Answer) -> None:
        # A drain closes the listener, so the next callback needs a new connection.
        flow.response = response_of(flow.request, answer, is_last=self.is_draining)

    async def _is_released(self, flow: HTTPFlow, bridge: Bridge, held_since: float) -> bool:
        """Waits until a person releases the flow. Returns False if nothing is left to answer."""
        live = self.live

        def held() -> float:
            return bridge.clock() - held_since

        if await released(flow, lambda: live.held(flow, held()) if live else None):
            return True
        reason = "aborted by hand"
        if flow.error is None:
            # The client has left, which mitmproxy may not have noticed yet.
            reason = "its client left while it was held"
            self._respond(flow, answers.UNKNOWN)
        if live:
            live.dropped(flow, reason, held())
        return False

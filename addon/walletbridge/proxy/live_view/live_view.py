"""
The live view: an addon behind all of mitmproxy's own. Showing a callback never changes its answer.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import lru_cache
from typing import Protocol

from mitmproxy import contentviews, ctx
from mitmproxy.addons.view import View
from mitmproxy.flow import Flow
from mitmproxy.http import HTTPFlow
from mitmproxy.net.http import url
from mitmproxy.proxy.server_hooks import ServerConnectionHookData

from walletbridge.gateway.running_gateway import Bridge
from walletbridge.observe.trace import Trace
from walletbridge.protocol.answers import Answer
from walletbridge.protocol.callbacks import BadCallback, Callback, decode
from walletbridge.proxy.live_view import record_of
from walletbridge.proxy.live_view.commands import Commands
from walletbridge.proxy.live_view.content_view import WalletBridgeView
from walletbridge.proxy.live_view.harmless import harmless
from walletbridge.proxy.live_view.mask import mask
from walletbridge.proxy.live_view.mask_later import Masking
from walletbridge.proxy.live_view.one_line import comment, marker, words
from walletbridge.proxy.live_view.record import Record, Stage, read, without, write
from walletbridge.proxy.live_view.replay_permits import Permits
from walletbridge.proxy.live_view.trim_flows import KeepFlows
from walletbridge.proxy.patches.console_comments import show_comments
from walletbridge.proxy.patches.direct_hooks import trigger_directly
from walletbridge.proxy.patches.web_list import list_in_parts
from walletbridge.proxy.patches.web_page import widen_comments
from walletbridge.proxy.patches.web_updates import gather_updates
from walletbridge.settings import Settings, Wallet

WEB_COLUMNS = ["icon", "timestamp", "path", "comment", "status", "time"]
"""mitmweb's columns, unless the user has chosen others. Its defaults lack the comments."""
_UNSET = Settings(wallet=Wallet(target="-"))
"""For a view without settings."""


class Owner(Protocol):
    """Answers callbacks."""

    async def answer(self, flow: HTTPFlow) -> None:
        """Answers a callback, once no person holds it."""
        ...

    async def answered(self, flow: HTTPFlow) -> None:
        """Records the sent answer, once no person holds it."""
        ...


class LiveView:
    """Runs after Intercept, so that a person comes before the wallet, and after View."""

    name = "walletbridge.live"
    mask = staticmethod(mask)
    """Masks accounts in a log that people see."""

    def __init__(self, owner: Owner, view: View, *, has_upstream: bool, hide: Callable[[str], str] = str) -> None:
        """`hide` removes tokens from shown text."""
        self._owner = owner
        self._view = view
        self._has_upstream = has_upstream
        self._hide = hide
        self._settings = _UNSET
        self._keep: KeepFlows | None = None
        self._permits = Permits(asyncio.get_running_loop().time)
        self._commands = Commands(self._permits, self._newest_flows)
        self._masking = Masking()
        self.addons = [self._commands]

    def start(self) -> None:
        """Adds the parts of the UI."""
        trigger_directly(ctx.master.addons)
        contentviews.add(WalletBridgeView(self._newest_flows))
        self._commands.bind_keys()
        show_comments(ctx.master)
        widen_comments(ctx.master)
        if updates := gather_updates(ctx.master, self._view):
            list_in_parts(ctx.master, before=updates.tell)
        if "web_columns" in ctx.options and ctx.options.web_columns == ctx.options.default("web_columns"):
            ctx.options.update(web_columns=WEB_COLUMNS)  # type: ignore[no-untyped-call]

    def use(self, bridge: Bridge) -> None:
        """Sets the gateway that answers callbacks."""
        self._settings = bridge.settings
        self._keep = KeepFlows(self._view, bridge.settings.ui.keep_flows)
        self._commands.use(bridge)

    # Hooks

    def requestheaders(self, flow: HTTPFlow) -> None:
        """Trims the list for a new flow."""
        del flow
        if self._keep:
            self._keep.trim()

    async def request(self, flow: HTTPFlow) -> None:
        """Requests the answer; Intercept has already run."""
        await self._owner.answer(flow)

    async def response(self, flow: HTTPFlow) -> None:
        """Records the answer; Intercept has already run."""
        await self._owner.answered(flow)

    def server_connect(self, data: ServerConnectionHookData) -> None:
        """Without an upstream, refuses every connection, whatever address a flow shows."""
        if not self._has_upstream:
            data.server.error = "there is no upstream"

    # Calls from the owner

    def seen(self, flow: HTTPFlow) -> None:
        """
        Shows the address that the provider used, when the head of a callback has arrived. A callback never reaches the
        upstream. With an upstream, shows the gateway's own address: mitmproxy refuses to connect to it, and a caller's
        Host header decides nothing.
        """
        with harmless():
            host, port = ("", None) if self._has_upstream else _authority(flow.request.host_header or "")
            here = flow.client_conn.sockname
            # The properties would change the headers.
            flow.request.data.host = host or str(here[0])
            flow.request.data.port = port or int(here[1])

    def permits(self, flow: HTTPFlow) -> bool:
        """Whether a person has permitted this replay."""
        return self._permits.take(flow)

    def held(self, flow: HTTPFlow, seconds: float) -> None:
        """Records a held callback; called repeatedly."""
        with harmless():
            record = record_of.waiting(self._read(flow), self._settings, Stage.HELD, seconds)
            before = read(flow.metadata)
            is_late = record.times.held > record.times.limit > 0
            was_late = before is not None and before.times.held > before.times.limit > 0
            # An edit changes the words.
            if before is None or before.find != record.find or is_late != was_late:
                self._put(flow, record)
                self._update(flow)

    def dropped(self, flow: HTTPFlow, reason: str, seconds: float) -> None:
        """Records that a held callback gets no answer."""
        with harmless():
            self._put(flow, record_of.waiting(self._read(flow), self._settings, Stage.DROPPED, seconds, reason))
            self._mask_later(flow, self._read(flow))

    def answered(  # noqa: PLR0913 - everything that a record needs
        self, flow: HTTPFlow, trace: Trace, answer: Answer, *, seconds: float, held: float, has_token: bool
    ) -> None:
        """Records the answer."""
        with harmless():
            if trace.callback is None and flow.is_replay:
                trace.callback = self._read(flow)
            record = record_of.answered(
                trace,
                answer,
                self._settings,
                record_of.Seconds(seconds, held),
                has_token=has_token,
                is_replay=bool(flow.is_replay),
            )
            self._put(flow, record)
            self._mask_later(flow, trace.callback)

    def sent(self, flow: HTTPFlow, *, is_edited: bool, is_delivered: bool) -> None:
        """Records the sending of an answer; called only if edited or not delivered."""
        with harmless():
            record = read(flow.metadata)
            if record:
                record.is_edited, record.is_delivered = is_edited, is_delivered
                record.find = words(record)
                self._put(flow, record)
                self._update(flow)

    # Helpers

    def _newest_flows(self) -> Iterable[Flow]:
        flows: Sequence[Flow] = self._view.resolve("@all")
        return reversed(flows)

    def _put(self, flow: HTTPFlow, record: Record) -> None:
        """Writes the record. Keeps a person's own comment and marker."""
        record = without(record, self._hide)
        before = read(flow.metadata)
        if not flow.comment or (before and flow.comment == comment(before)):
            flow.comment = comment(record)
        if not flow.marked or (before and flow.marked == before.marker):
            flow.marked = marker(record)
        record.marker = marker(record)
        write(flow.metadata, record)

    def _read(self, flow: HTTPFlow) -> Callback | None:
        with suppress(BadCallback):
            return decode(flow.request.raw_content or b"", currency_decimals=self._settings.wallet.currency_decimals)
        return None

    def _update(self, flow: HTTPFlow) -> None:
        self._view.update([flow])

    def _mask_later(self, flow: HTTPFlow, callback: Callback | None) -> None:
        if self._settings.ui.mask_accounts:
            self._masking.later(flow, callback.account if callback else "")


@lru_cache(maxsize=64)
def _authority(text: str) -> tuple[str, int | None]:
    """Splits an address into host and port. Cached: a provider has one or two addresses, and parsing is slow."""
    return url.parse_authority(text, check=False)

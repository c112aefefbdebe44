"""
The mitmproxy addon: hooks, and the option `walletbridge_config`. Other modules make all decisions.

`exchanges` handles callbacks. This module passes other requests on, and starts and stops the gateway.
"""

import asyncio
import gc
import logging
import math
import os
import signal
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TextIO

from mitmproxy import ctx, http, version
from mitmproxy.addonmanager import Loader
from mitmproxy.addons.proxyserver import Proxyserver  # noqa: TC002 - costs nothing here

from walletbridge.gateway.ambiguity import problem
from walletbridge.gateway.in_flight import Answers
from walletbridge.gateway.needs import expect_all
from walletbridge.gateway.running_gateway import Bridge
from walletbridge.gateway.shared_memory import Share
from walletbridge.gateway.tokens import Tokens
from walletbridge.observe.log import Log, open_log
from walletbridge.observe.log_records import hide_in_records
from walletbridge.protocol.errors import SettingsError
from walletbridge.protocol.near_miss import SHOWN_MAX, is_near
from walletbridge.proxy.exchanges import Exchanges
from walletbridge.proxy.patches import framing, hidden_heads
from walletbridge.proxy.patches.versions import warning_about
from walletbridge.settings import Address, Settings, load, read_tokens
from walletbridge.wallet.mapping.loading import load as load_mapping

if TYPE_CHECKING:
    from walletbridge.proxy.live_view.live_view import LiveView
    from walletbridge.proxy.recording import Recording
    from walletbridge.wallet.mapping.bound_wallet import BoundWallet

OPTION = "walletbridge_config"
FLUSH_SECONDS = 0.2
"""Seconds for the last answers to reach their sockets."""
WEBSOCKET_MESSAGES_MAX = 100
"""The last messages of a WebSocket that are kept to look at. mitmproxy would keep all."""
NEAR_MISS_SECONDS = 60.0
"""Seconds between two log lines about paths that nearly match the callback path."""
SECOND_SIGNAL_SECONDS = 0.5
"""Launchers and process groups deliver one Ctrl-C twice; only a signal after this many seconds is a second."""
_KEPT_OPTIONS = {"connection_strategy": "lazy", "stream_large_bodies": None}
"""
The mitmproxy options that money depends on. With the eager default, a dead upstream resets the client before any hook
runs; a large callback would be streamed past every hook to the upstream. Other paths are streamed anyway.
"""
logger = logging.getLogger(__name__)


class Doors(Protocol):
    """Opens and closes the listening sockets that mitmproxy does not manage."""

    @property
    def share(self) -> Share:
        """This process's part of the memory that all workers share."""
        ...

    async def open(self, bridge: Bridge) -> None:
        """Accepts connections as soon as the gateway is ready for them."""
        ...

    async def close(self, at_once: asyncio.Event) -> None:
        """Stops accepting connections and waits for the open ones, bounded. Setting `at_once` ends the wait."""
        ...


class WalletBridge:
    """Answers callbacks and passes all other requests on."""

    def __init__(
        self, *, has_upstream: bool = True, doors: Doors | None = None, settings: Settings | None = None
    ) -> None:
        """
        Without an upstream, other paths are answered 404. Without `doors`, mitmproxy accepts the connections.
        `settings` are those of the option's file, if it has been read already.
        """
        self._read_before = settings
        self._has_upstream = has_upstream
        self._doors = doors
        self._opening: asyncio.Future[None] | None = None
        self._config = ""
        self._settings: Settings | None = None
        self._bound: BoundWallet | None = None
        self._tokens: Tokens | None = None
        self._bridge: Bridge | None = None
        self._is_configured = False
        self._exchanges = Exchanges()
        self._tell_near_miss_at = -math.inf
        self._live: LiveView | None = None
        self._recording: Recording | None = None
        self._show_records: Callable[[], None] = lambda: None

    @property
    def bridge(self) -> Bridge | None:
        """The gateway; None before `running`."""
        return self._bridge

    @property
    def is_draining(self) -> bool:
        """Whether the drain has begun: each answer closes its connection."""
        return self._exchanges.is_draining

    def load(self, loader: Loader) -> None:
        """Declares the option."""
        framing.mend()
        hidden_heads.mend()
        loader.add_option(OPTION, str, "", "The YAML file with walletbridge's settings.")
        loader.master.event_loop.call_soon(self._check_configured)
        if warning := warning_about(version.VERSION):
            logger.warning("walletbridge: %s", warning)

    def configure(self, updated: set[str]) -> None:
        """Reads the settings. Logs a mistake in them as an error, which ends a mitmproxy that is starting."""
        self._is_configured = True
        changed = {name for name in updated & _KEPT_OPTIONS.keys() if getattr(ctx.options, name) != _KEPT_OPTIONS[name]}
        if changed:
            ctx.options.update(**{name: _KEPT_OPTIONS[name] for name in changed})  # type: ignore[no-untyped-call]
        if (
            OPTION not in updated
            or not ctx.options.walletbridge_config
            or ctx.options.walletbridge_config == self._config
        ):
            return
        if self._bridge is not None:
            logger.error("walletbridge: the settings file cannot be changed while running; start again")
            return
        self._config = ctx.options.walletbridge_config
        self._settings = self._tokens = None
        try:
            settings = self._read_before or load(Path(self._config).expanduser())
            if self._doors is None:
                # `serve` has already checked this. A worker that replaces another uses the available resources.
                expect_all(settings)
            self._settings = settings
            self._tokens = Tokens(read_tokens(self._settings.callback, os.environ))
            self._show_records()
            self._show_records = hide_in_records(self._tokens.hide_text)
            self._load_early(self._settings)
        except SettingsError as error:
            logger.error("walletbridge: %s", error)  # noqa: TRY400 - the message needs no traceback
            return
        ctx.options.update(**_KEPT_OPTIONS, keep_host_header=True)  # type: ignore[no-untyped-call]

    def _load_early(self, settings: Settings) -> None:
        """
        Does the slow work before mitmproxy listens: a client that connected earlier would wait for an unknown time.

        Raises SettingsError.
        """
        self._bound = load_mapping(settings.wallet)
        if ctx.master.addons.get("view") is not None:  # type: ignore[no-untyped-call]
            import walletbridge.proxy.live_view.live_view  # noqa: F401, PLC0415 - see `_show`
        # These objects live until the end, so the collection after the start has little left to search.
        gc.collect()
        gc.freeze()

    def running(self) -> None:
        """Connects to the wallet, and adds the live view in a UI."""
        if self._bridge is not None:
            return
        self._show()
        if self._settings is None or self._tokens is None:
            # Without a server there is nothing to answer: a person views saved flows.
            if not self._config and (self._live is None or ctx.options.server):
                logger.error("walletbridge: no settings; say --set %s=FILE", OPTION)
            return
        # mitmproxy accepts every library's log records. gRPC writes one for each call; it would pass all addons and
        # bury the other lines of the event log.
        logging.getLogger("grpc").setLevel(logging.INFO)
        log = open_log(
            lines_max=self._settings.limits.log_lines,
            kept=self._settings.log,
            stream=_log_stream(),
            mask_account=self._live.mask if self._live and self._settings.ui.mask_accounts else None,
            hide=self._tokens.hide_text,
        )
        around = self._record(self._settings, log)
        try:
            share = self._doors.share if self._doors else None
            self._bridge = self._exchanges.bridge = Bridge(
                self._settings, self._tokens, log, share=share, around=around, bound=self._bound
            )
        except SettingsError as error:
            logger.error("walletbridge: %s", error)  # noqa: TRY400 - the message needs no traceback
            return
        if self._live:
            self._live.use(self._bridge)
        # These objects live until the end; full collections over them would delay every answer.
        gc.collect()
        gc.freeze()
        proxyserver: Proxyserver = ctx.master.addons.get("proxyserver")  # type: ignore[no-untyped-call]
        addresses = [str(Address(host, port)) for host, port, *_ in proxyserver.listen_addrs()]
        log.event("listening", addresses=addresses, path=self._settings.callback.path)
        if self._doors:
            self._opening = asyncio.ensure_future(self._doors.open(self._bridge))

    def requestheaders(self, flow: http.HTTPFlow) -> None:
        """
        Compares and hides a callback's token; streams any other request, unless two parsers could read it differently.
        """
        if self._exchanges.is_callback(flow):
            self._exchanges.begin(flow)
        elif flow.response is None and not self._has_upstream:
            flow.response = http.Response.make(404)
            self._tell_near_miss(flow)
        elif flow.response is None:
            head = flow.request.data
            if found := problem(head.method, head.path, head.authority, flow.request.headers.fields):
                flow.response = http.Response.make(400, found)
            else:
                flow.request.stream = True
                self._tell_near_miss(flow)
        self._hide_tokens(flow)

    async def request(self, flow: http.HTTPFlow) -> None:
        """Answers a callback. With a live view, people see the callback first, and the view requests the answer."""
        try:
            self._hide_tokens(flow)
            if self._tokens is not None:
                self._exchanges.hide_body(flow, self._tokens.hide)
        finally:
            # An error above must not prevent a callback's answer.
            if self._live is None:
                await self._exchanges.answer(flow)

    def responseheaders(self, flow: http.HTTPFlow) -> None:
        """Streams the upstream's answers."""
        self._hide_tokens(flow)
        if flow.response and not self._exchanges.has_answered(flow) and flow.live and not flow.response.raw_content:
            flow.response.stream = True

    def websocket_message(self, flow: http.HTTPFlow) -> None:
        """Deletes the oldest messages: a connection to the upstream may live for days."""
        if flow.websocket:
            del flow.websocket.messages[:-WEBSOCKET_MESSAGES_MAX]

    def response(self, flow: http.HTTPFlow) -> None:
        """Records that an answer is sent. With a live view, people may hold or edit the answer first."""
        if self._live is None:
            self._exchanges.sent(flow)

    def error(self, flow: http.HTTPFlow) -> None:
        """Handles a client that left, or a killed flow."""
        self._exchanges.failed(flow)
        self._hide_tokens(flow)

    async def done(self) -> None:
        """Closes the listeners, waits for open calls and their answers, then closes the connection to the wallet."""
        if self._bridge is None:
            self._show_records()
            return
        self._exchanges.is_draining = True
        at_once = asyncio.Event()
        _on_second_sigint(at_once)
        if self._doors and self._opening:
            await self._doors.close(at_once)
            self._opening.cancel()
        ctx.options.update(server=False)  # type: ignore[no-untyped-call]
        await self._bridge.stop(at_once=at_once)
        await asyncio.sleep(FLUSH_SECONDS)
        if self._recording:
            await asyncio.to_thread(self._recording.close)
        self._bridge.log.close()
        self._show_records()

    def _record(self, settings: Settings, log: Log) -> Callable[[Answers], Answers]:
        if settings.record is None:
            return lambda answer: answer
        from walletbridge.proxy.recording import Recording  # noqa: PLC0415 - costs nothing where nothing is recorded

        loop = asyncio.get_running_loop()

        def tell(problem: str, dropped: int) -> None:
            loop.call_soon_threadsafe(partial(log.warning, "not recorded", problem=problem, callbacks=dropped))

        self._recording = Recording(settings.record, settings, on_problem=tell, hide=self._hide)
        return self._recording.around

    def _hide_tokens(self, flow: http.HTTPFlow) -> None:
        """Hides tokens in everything shown or saved. The upstream and the client still receive the original."""
        if self._tokens is None:
            return
        for message in (flow.request, flow.response):
            if message is not None:
                hidden_heads.hide_head(message, self._tokens.hide)
        if flow.error:
            flow.error.msg = self._tokens.hide_text(flow.error.msg)

    def _hide(self, text: str) -> str:
        return self._tokens.hide_text(text) if self._tokens else text

    def _tell_near_miss(self, flow: http.HTTPFlow) -> None:
        """Logs a path close to `callback.path`, once a minute: a provider with a typo in its settings sees only 404."""
        if self._bridge is None or self._settings is None or self._tokens is None:
            return
        path, now = self._settings.callback.path, self._bridge.clock()
        if now < self._tell_near_miss_at or not is_near(flow.request.path, path):
            return
        self._tell_near_miss_at = now + NEAR_MISS_SECONDS
        asked = self._tokens.hide(flow.request.data.path.partition(b"?")[0]).decode(errors="replace")[:SHOWN_MAX]
        self._bridge.log.warning("no callback: the path is not callback.path", asked=asked, path=path)

    def _check_configured(self) -> None:
        """
        Logs an error if mitmproxy runs without this addon, which it does silently after a wrong `--set` of any script.
        """
        if not self._is_configured:
            logger.error(
                "walletbridge: not loaded: an option was given twice or with a wrong value; look at each --set"
            )

    def _show(self) -> None:
        """Adds the live view if mitmproxy has a view."""
        view = ctx.master.addons.get("view")  # type: ignore[no-untyped-call]
        if view is None or self._live is not None:
            return
        from walletbridge.proxy.live_view.live_view import LiveView  # noqa: PLC0415 - costs nothing without a UI

        self._live = self._exchanges.live = LiveView(
            self._exchanges, view, has_upstream=self._has_upstream, hide=self._hide
        )
        # Add it last, behind Intercept: only then can a person stop a callback before it is answered.
        ctx.master.addons.add(self._live)  # type: ignore[no-untyped-call]
        self._live.start()


def _log_stream() -> TextIO | None:
    """The stream for log lines; None in the console, whose screen mitmproxy draws."""
    return None if "console_mouse" in ctx.options else sys.stderr


def _on_second_sigint(at_once: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    since = loop.time()

    def force() -> None:
        if loop.time() - since > SECOND_SIGNAL_SECONDS:
            at_once.set()

    try:
        loop.add_signal_handler(signal.SIGINT, force)
    except (NotImplementedError, RuntimeError, ValueError):
        # Unsupported on this platform or outside the main thread. The drain is bounded anyway.
        logger.debug("a second SIGINT will not shorten the drain")

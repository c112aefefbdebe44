"""
The one gRPC channel to the wallet: its TLS, its reconnecting, and whether it is connected now.
"""

import asyncio
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

# gRPC's core writes its own lines to stderr, which would garble a console UI. It reads this once, at its import.
os.environ.setdefault("GRPC_VERBOSITY", "ERROR")

import grpc
import grpc.aio

from walletbridge.protocol.errors import SettingsError
from walletbridge.settings import Tls
from walletbridge.settings import Wallet as WalletSettings
from walletbridge.settings.small_files import read_small
from walletbridge.settings.tls_files import require_wallet_files
from walletbridge.wallet.wakeups import gathered_wakeups

RECONNECT_MILLISECONDS = 100
RECONNECT_MILLISECONDS_MAX = 200
RESPONSE_BYTES_MAX = 1 << 20
LONGEST_CALL_SECONDS = 60.0
"""The longest call deadline that the settings accept."""
GRACE_SECONDS = 0.5
"""How long a call may take to end after its deadline."""
_READY = grpc.ChannelConnectivity.READY

type Around = Callable[[str, Any], Any]
"""Takes a method's path and its call, and returns a call with the same arguments."""


class Channel:
    """
    A channel that always tries to be connected, so that no callback waits for connecting.

    Must be made inside a running event loop. Raises SettingsError where a certificate or key cannot be used.
    """

    def __init__(
        self,
        settings: WalletSettings,
        *,
        on_change: Callable[[bool], None],
        around: Around | None = None,
        longest_call: float = LONGEST_CALL_SECONDS,
    ) -> None:
        """
        `on_change` gets True when the channel connects, False when the connection is lost or the first attempt fails.
        `around` wraps the calls of each method. `longest_call`: the longest deadline of a call, in seconds.
        """
        self._around = around
        self._settings = settings
        self._credentials = None if settings.tls is None else credentials(settings.tls)
        self._methods: list[_Later] = []
        self._ready = asyncio.Event()
        self._tried = asyncio.Event()
        self._told: bool | None = None
        self._on_change = on_change
        # Slow name resolution is no state of the channel, so this timer ends the wait for the first attempt.
        self._last_moment = asyncio.get_running_loop().call_later(settings.connect_timeout, self._tried.set)
        self._channel = self._open()
        self._watch = asyncio.ensure_future(self._watch_state(self._channel))
        self._renewing: asyncio.Future[None] | None = None
        self._longest_call = longest_call
        self._retiring: set[asyncio.Future[None]] = set()

    def method(self, path: str) -> Callable[..., grpc.aio.UnaryUnaryCall]:
        """A unary method that takes a message and returns the response's bytes, not decoded."""
        call = _Later(path, self._channel)
        self._methods.append(call)
        return call if self._around is None else self._around(path, call)

    @property
    def is_ready(self) -> bool:
        """Whether a call can be sent at once."""
        return self._ready.is_set()

    async def wait_until_ready(self, seconds: float, *, first: float = 0) -> bool:
        """
        Waits for the connection, at most `seconds`; returns whether it is there.

        `first`: seconds to wait, before that, until the very first attempt to connect has ended. `connect_timeout`
        seconds after the start that wait is over in any case.
        """
        if first > 0 and not self._tried.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(self._tried.wait(), first)
        if not self._ready.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(self._ready.wait(), seconds)
        return self._ready.is_set()

    def renew(self) -> None:
        """
        Opens a new connection beside the old one, and switches to it as soon as it is there.

        A device on the way may keep a connection alive although the wallet behind it is gone. Calls in flight stay on
        the old connection until their deadlines at the latest. If the new connection fails, nothing changes.
        """
        if self._renewing is None or self._renewing.done():
            self._renewing = asyncio.ensure_future(self._renew())

    async def close(self) -> None:
        """Closes the connection. A call still in flight ends as cancelled, and its outcome is unknown."""
        self._last_moment.cancel()
        tasks = {self._watch, *self._retiring} | ({self._renewing} if self._renewing else set())
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        self._ready.clear()
        await self._channel.close()

    def _open(self) -> grpc.aio.Channel:
        target, options = self._settings.target, _options(self._settings)
        with gathered_wakeups(asyncio.get_running_loop()):
            if self._credentials is None:
                return grpc.aio.insecure_channel(target, options=options)
            return grpc.aio.secure_channel(target, self._credentials, options=options)

    async def _renew(self) -> None:
        channel = self._open()
        try:
            async with asyncio.timeout(self._settings.connect_timeout):
                while (state := channel.get_state(try_to_connect=True)) is not _READY:
                    await channel.wait_for_state_change(state)
        except BaseException as error:
            await channel.close()
            if not isinstance(error, TimeoutError):
                raise
            return
        old, self._channel = self._channel, channel
        for method in self._methods:
            method.use(channel)
        self._watch.cancel()
        self._watch = asyncio.ensure_future(self._watch_state(channel))
        retiring = asyncio.ensure_future(self._retire(old))
        self._retiring.add(retiring)
        retiring.add_done_callback(self._retiring.discard)

    async def _retire(self, old: grpc.aio.Channel) -> None:
        """Closes a connection that gets no new calls, once its last call must have ended."""
        try:
            # `close` takes a grace period as well, but its wait cannot be cancelled.
            await asyncio.sleep(self._longest_call + GRACE_SECONDS)
        finally:
            await old.close()

    async def _watch_state(self, channel: grpc.aio.Channel) -> None:
        while True:
            state = channel.get_state(try_to_connect=True)
            ready = state is _READY
            if ready:
                self._ready.set()
            else:
                self._ready.clear()
            if ready or state is grpc.ChannelConnectivity.TRANSIENT_FAILURE:
                self._tried.set()
            # At the start, only a failed attempt shows that the wallet is away.
            if ready != self._told and (ready or self._told or state is grpc.ChannelConnectivity.TRANSIENT_FAILURE):
                self._told = ready
                self._on_change(ready)
            await channel.wait_for_state_change(state)


class _Later:
    """
    A method whose calls begin in the loop's next turn, together with all that this turn brings: asyncio's default.

    mitmproxy makes tasks begin at once. Then gRPC's core and the kernel would run between the steps of two callbacks.
    The lost CPU caches cost more than the saved turn.
    """

    def __init__(self, path: str, channel: grpc.aio.Channel) -> None:
        self._path = path
        self._loop = asyncio.get_running_loop()
        self.use(channel)

    def use(self, channel: grpc.aio.Channel) -> None:
        """Sends calls through `channel` from now on."""
        self._call = channel.unary_unary(self._path, request_serializer=_serialize)

    def __call__(
        self, request: object, *, timeout: float, metadata: Sequence[tuple[str, str]] | None = None
    ) -> grpc.aio.UnaryUnaryCall:
        """See `UnaryUnaryMultiCallable.__call__`, which makes a task and does not wait."""
        loop = self._loop
        factory = loop.get_task_factory()
        loop.set_task_factory(None)
        try:
            return self._call(request, timeout=timeout, metadata=metadata)
        finally:
            loop.set_task_factory(factory)


def _serialize(message: object) -> bytes:
    return message.SerializeToString()  # type: ignore[attr-defined, no-any-return]


def _options(settings: WalletSettings) -> list[tuple[str, int]]:
    return [
        # By default the core backs off for up to two minutes; the gateway must notice a returned wallet at once.
        ("grpc.initial_reconnect_backoff_ms", RECONNECT_MILLISECONDS),
        ("grpc.max_reconnect_backoff_ms", RECONNECT_MILLISECONDS_MAX),
        # Despite its name, it limits one attempt to connect.
        ("grpc.min_reconnect_backoff_ms", round(settings.connect_timeout * 1000)),
        # A connection that never goes idle makes no callback wait.
        ("grpc.client_idle_timeout_ms", 2**31 - 1),
        # Detects a wallet that vanished silently (power, network) while calls wait for it. Servers that count pings
        # would refuse more frequent ones. The second option limits the wait for a ping's answer, by default 60 s.
        ("grpc.keepalive_time_ms", 10_000),
        ("grpc.http2.ping_timeout_ms", 3_000),
        # By default a proxy from the environment would get the wallet's calls, even those to this machine.
        *proxy_options(settings),
        # A movement is sent once; only the gateway may repeat a read.
        ("grpc.enable_retries", 0),
        ("grpc.max_receive_message_length", RESPONSE_BYTES_MAX),
        # Otherwise channels with equal settings share a connection and its backoff.
        ("grpc.use_local_subchannel_pool", 1),
    ]


def proxy_options(settings: WalletSettings) -> list[tuple[str, int]]:
    """Makes gRPC ignore the environment's `http_proxy` and its like, unless the settings ask for them."""
    return [("grpc.enable_http_proxy", int(settings.use_http_proxy))]


def credentials(tls: Tls) -> grpc.ChannelCredentials:
    """The credentials for `wallet.tls`. Raises SettingsError where a file cannot be read or used."""
    files = {
        "root_certificates": _read("ca_file", tls.ca_file),
        "private_key": _read("key_file", tls.key_file),
        "certificate_chain": _read("cert_file", tls.cert_file),
    }
    require_wallet_files(tls)
    return grpc.ssl_channel_credentials(**files)


def _read(name: str, path: Path | None) -> bytes | None:
    if path is None:
        return None
    try:
        return read_small(path)
    except OSError as error:
        raise SettingsError(f"wallet.tls.{name}: cannot read {path}: {error.strerror}") from None

"""
The one gRPC channel to the wallet: how it is secured, how it comes back, and whether it is there right now.
"""

import asyncio
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

# gRPC's core writes lines of its own to stderr, into the middle of a console UI. It reads this once, at its import.
os.environ.setdefault("GRPC_VERBOSITY", "ERROR")

import grpc
import grpc.aio

from walletbridge.errors import SettingsError
from walletbridge.settings import Tls
from walletbridge.settings import Wallet as WalletSettings
from walletbridge.small_files import read_small
from walletbridge.wallet.wakeups import gathered_wakeups

RECONNECT_MILLISECONDS = 100
RECONNECT_MILLISECONDS_MAX = 200
RESPONSE_BYTES_MAX = 1 << 20

type Around = Callable[[str, Any], Any]
"""Takes the path of a method and the call of it, and returns a call with the same arguments."""


class Channel:
    """
    A channel that always tries to be connected, so that no callback pays for connecting.

    Must be made inside a running event loop. Raises SettingsError where a certificate or key cannot be read.
    """

    def __init__(
        self, settings: WalletSettings, *, on_change: Callable[[bool], None], around: Around | None = None
    ) -> None:
        """
        `on_change` is told when the connection is there (True) and when it is gone (False). `around` is put around the
        calls of each method.
        """
        self._around = around
        options = _options(settings)
        with gathered_wakeups(asyncio.get_running_loop()):
            if settings.tls is None:
                self._channel = grpc.aio.insecure_channel(settings.target, options=options)
            else:
                self._channel = grpc.aio.secure_channel(settings.target, credentials(settings.tls), options=options)
        self._ready = asyncio.Event()
        self._tried = asyncio.Event()
        # A name that takes long to resolve is no state of the channel, and yet nobody may wait for it for ever.
        self._last_moment = asyncio.get_running_loop().call_later(settings.connect_timeout, self._tried.set)
        self._on_change = on_change
        self._watch = asyncio.ensure_future(self._watch_state())

    def method(self, path: str) -> Callable[..., grpc.aio.UnaryUnaryCall]:
        """A unary method that takes a message and returns the response's bytes, unread."""
        call = _Later(self._channel.unary_unary(path, request_serializer=_serialize))
        return call if self._around is None else self._around(path, call)

    @property
    def is_ready(self) -> bool:
        """Whether a call could be sent at once."""
        return self._ready.is_set()

    async def wait_until_ready(self, seconds: float, *, first: float = 0) -> bool:
        """
        Waits for the connection, at most so long; says whether it is there.

        `first`, in seconds: how long it may wait for the end of the very first attempt to connect, before that. After
        `connect_timeout` nobody waits for that any more.
        """
        if first > 0 and not self._tried.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(self._tried.wait(), first)
        if not self._ready.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(self._ready.wait(), seconds)
        return self._ready.is_set()

    async def close(self) -> None:
        """Ends the connection; a call still in flight ends as cancelled, and its outcome is unknown."""
        self._watch.cancel()
        self._last_moment.cancel()
        with suppress(asyncio.CancelledError):
            await self._watch
        self._ready.clear()
        await self._channel.close()

    async def _watch_state(self) -> None:
        told: bool | None = None
        while True:
            state = self._channel.get_state(try_to_connect=True)
            ready = state is grpc.ChannelConnectivity.READY
            if ready:
                self._ready.set()
            else:
                self._ready.clear()
            if ready or state is grpc.ChannelConnectivity.TRANSIENT_FAILURE:
                self._tried.set()
            # That a wallet is away at the start is known only once an attempt has failed.
            if ready != told and (ready or told or state is grpc.ChannelConnectivity.TRANSIENT_FAILURE):
                told = ready
                self._on_change(ready)
            await self._channel.wait_for_state_change(state)


class _Later:
    """
    A method whose calls begin in the loop's next turn, with all that this one has brought, as they do by default.

    mitmproxy makes tasks begin at once. Then gRPC's core and the kernel work between the steps of two callbacks, each
    out of the other's caches, which costs more than the turn that it saves.
    """

    def __init__(self, call: grpc.aio.UnaryUnaryMultiCallable) -> None:
        self._call = call
        self._loop = asyncio.get_running_loop()

    def __call__(
        self, request: object, *, timeout: float, metadata: Sequence[tuple[str, str]] | None = None
    ) -> grpc.aio.UnaryUnaryCall:
        """See `UnaryUnaryMultiCallable.__call__`, which makes a task and waits for nothing."""
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
        # By default the core backs off for up to two minutes; a wallet that is back must be seen at once.
        ("grpc.initial_reconnect_backoff_ms", RECONNECT_MILLISECONDS),
        ("grpc.max_reconnect_backoff_ms", RECONNECT_MILLISECONDS_MAX),
        # In spite of its name, how long one attempt to connect may take.
        ("grpc.min_reconnect_backoff_ms", round(settings.connect_timeout * 1000)),
        # A connection that is never idle is never in the way of a callback.
        ("grpc.client_idle_timeout_ms", 2**31 - 1),
        # Finds out about a wallet that went without a word (power, network) while calls wait for it.
        ("grpc.keepalive_time_ms", 10_000),
        ("grpc.keepalive_timeout_ms", 3_000),
        # A movement is sent once; only the gateway may repeat a read.
        ("grpc.enable_retries", 0),
        ("grpc.max_receive_message_length", RESPONSE_BYTES_MAX),
        # Channels with equal settings would share a connection and its backoff.
        ("grpc.use_local_subchannel_pool", 1),
    ]


def credentials(tls: Tls) -> grpc.ChannelCredentials:
    """What the settings ask for. Raises SettingsError where a file cannot be read."""
    return grpc.ssl_channel_credentials(
        root_certificates=_read("ca_file", tls.ca_file),
        private_key=_read("key_file", tls.key_file),
        certificate_chain=_read("cert_file", tls.cert_file),
    )


def _read(name: str, path: Path | None) -> bytes | None:
    if path is None:
        return None
    try:
        return read_small(path)
    except OSError as error:
        raise SettingsError(f"wallet.tls.{name}: cannot read {path}: {error.strerror}") from None

"""
SIGHUP to a `serve` of one process: applies what it can, loses no callback, and logs what needs a restart.

The journal, the wallet's channel and the listeners live as long as the process. `--workers` starts new processes.
"""

import asyncio
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from walletbridge.gateway.needs import expect_all
from walletbridge.gateway.running_gateway import Bridge
from walletbridge.protocol.errors import SettingsError
from walletbridge.serve.systemd import Notifier
from walletbridge.settings import Settings, load, read_tokens
from walletbridge.settings.changes import changed_keys
from walletbridge.settings.tls_files import require_valid


class Reload:
    """A mitmproxy addon."""

    name = "walletbridge-reload"

    def __init__(self, config: Path, settings: Settings, bridge: Callable[[], Bridge | None]) -> None:
        """`settings` are those of the running process; `bridge` returns the gateway, or None before it is up."""
        self._config = config
        self._settings = settings
        self._bridge = bridge
        self._notifier = Notifier(os.environ)

    def running(self) -> None:
        """Starts to handle the signal."""
        with suppress(NotImplementedError, RuntimeError, ValueError):
            asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self.reload)

    def reload(self) -> None:
        """Reloads the settings. Raises nothing; with wrong settings, nothing changes."""
        bridge = self._bridge()
        if bridge is None:
            return
        self._notifier.reloading()
        try:
            settings = load(self._config)
            expect_all(settings)
            require_valid(settings.tls, datetime.now(UTC))
            tokens = read_tokens(settings.callback, os.environ)
        except SettingsError as error:
            bridge.log.warning("not reloaded: all stays as it was", problem=str(error))
        else:
            waiting = list(changed_keys(self._settings, settings))
            if not any(key.startswith("callback.token_") for key in waiting):
                bridge.replace_tokens(tokens)
            if waiting:
                bridge.log.warning("reloaded, but these need a restart, or --workers", keys=waiting)
            else:
                bridge.log.event("reloaded")
        self._notifier.ready()

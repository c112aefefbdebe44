"""
Reports the state of the service to systemd (man 3 sd_notify). Does nothing without systemd.
"""

import os
import socket
import time
from collections.abc import Mapping
from contextlib import suppress

VARIABLE = "NOTIFY_SOCKET"
WATCHDOG = "WATCHDOG_USEC"
_MICROSECONDS = 1_000_000


class Notifier:
    """Sends datagrams to the socket in NOTIFY_SOCKET. Never waits, never raises."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        address = environ.get(VARIABLE, "")
        # A leading "@" stands for the zero byte of an abstract socket.
        self._address = "\0" + address[1:] if address.startswith("@") else address
        watchdog = environ.get(WATCHDOG, "")
        is_ours = environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        self.watchdog_seconds: float | None = (
            int(watchdog) / _MICROSECONDS if is_ours and watchdog.isascii() and watchdog.isdecimal() else None
        )
        """Seconds within which systemd expects each sign of life; None if it expects none."""

    def ready(self) -> None:
        """Reports that the service is up, or up again with its new settings."""
        self._send("READY=1")

    def reloading(self) -> None:
        """Reports that new settings are being taken over."""
        now = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        self._send(f"RELOADING=1\nMONOTONIC_USEC={now}")

    def stopping(self) -> None:
        """Reports that the service is stopping."""
        self._send("STOPPING=1")

    def alive(self) -> None:
        """Sends a sign of life, if one is expected."""
        if self.watchdog_seconds is not None:
            self._send("WATCHDOG=1")

    def _send(self, text: str) -> None:
        if not self._address:
            return
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.setblocking(False)  # noqa: FBT003 - its only argument
            sender.sendto(text.encode(), self._address)

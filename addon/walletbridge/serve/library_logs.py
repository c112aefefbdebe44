"""
Puts the log records of mitmproxy and other libraries into the gateway's log: same form, same bounded queue.
"""

import logging
import sys
from types import TracebackType
from typing import Protocol

from walletbridge.gateway.running_gateway import Bridge
from walletbridge.observe.printable import printable_lines

LEVEL = logging.WARNING
"""Lower levels are left out: the gateway logs its own events."""
TEXT_CHARACTERS_MAX = 2000
"""Characters of a message: some libraries log bytes that a client sent."""


class _Gateway(Protocol):
    @property
    def bridge(self) -> Bridge | None: ...


class Records(logging.Handler):
    """Takes the root logger's records while it is entered. Prints them to stderr until the gateway is up."""

    def __init__(self, gateway: _Gateway) -> None:
        super().__init__(LEVEL)
        self._gateway = gateway
        self._level_before = logging.NOTSET

    def __enter__(self) -> None:
        root = logging.getLogger()
        self._level_before = root.level
        root.setLevel(LEVEL)
        root.addHandler(self)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        root = logging.getLogger()
        root.removeHandler(self)
        root.setLevel(self._level_before)

    def emit(self, record: logging.LogRecord) -> None:
        """See `logging.Handler.emit`."""
        try:
            bridge = self._gateway.bridge
            if bridge is None:
                print(printable_lines(record.getMessage()), file=sys.stderr, flush=True)  # noqa: T201 - no log yet
                return
            if record.exc_info and isinstance(record.exc_info[1], BaseException):
                bridge.log.failed(record.exc_info[1])
            bridge.log.warning("record", logger=record.name, text=record.getMessage()[:TEXT_CHARACTERS_MAX])
        except Exception:  # noqa: BLE001 - as logging does
            self.handleError(record)

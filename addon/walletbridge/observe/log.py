"""
Writes one structured line for each callback, and one for each event that an operator needs. Never a token.

Readable on a terminal, JSON otherwise; to stderr, or to mitmproxy's event log if its console owns the terminal.
"""

import json
import logging
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from io import StringIO
from typing import Any, TextIO

import msgspec
import structlog

from walletbridge.observe.line_writer import LineWriter
from walletbridge.observe.printable import printable, printable_lines
from walletbridge.observe.trace import Trace
from walletbridge.protocol.answers import Answer
from walletbridge.protocol.outcomes import Result
from walletbridge.settings import Log as LogSettings

_HTTP_UNKNOWN = 500
_ALL = 100
"""Percent."""
_EVERY_LINE = LogSettings()


class Log:
    """The gateway's log."""

    def __init__(
        self,
        writer: LineWriter | None,
        *,
        for_people: bool,
        mask_account: Callable[[str], str] | None = None,
        kept: LogSettings = _EVERY_LINE,
        hide: Callable[[str], str] | None = None,
    ) -> None:
        """
        Without a `writer`, lines go to the standard logging module, which mitmproxy shows as its event log. `kept`
        selects the lines that are written at all. `hide` removes tokens from them.
        """
        self._level = logging.getLevelNamesMapping()[kept.level.value.upper()]
        self._sample_percent = kept.sample_percent
        self._sampled = 0
        self._writer = writer
        is_plain = not for_people and mask_account is None
        write = None if writer is None else _hiding(writer.write, hide) if hide else writer.write
        self._write = write if is_plain else None
        output: Any = _Lines(write) if write else logging.getLogger("walletbridge")
        self._logger: structlog.typing.FilteringBoundLogger = structlog.wrap_logger(
            output,
            processors=[
                *([_masking(mask_account)] if mask_account else []),
                *(_for_people(is_terminal=writer is not None) if for_people else _FOR_PROGRAMS),
            ],
            wrapper_class=structlog.make_filtering_bound_logger(self._level),
            cache_logger_on_first_use=True,
        ).bind()

    def event(self, event: str, **fields: object) -> None:
        """Logs an event of the gateway itself."""
        self._logger.info(event, **fields)

    def warning(self, event: str, **fields: object) -> None:
        """Logs an event that an operator should look into."""
        self._logger.warning(event, **fields)

    def failed(self, error: BaseException) -> None:
        """Logs a fault of the gateway, with its traceback (which shows code, never values)."""
        self._logger.error("fault", exc_info=error)

    def answered(self, trace: Trace, answer: Answer, seconds: float) -> None:
        """Logs an answered callback."""
        if not self._is_kept(trace, answer, seconds):
            return
        fields = callback_fields(trace, answer, seconds)
        if self._write is not None:
            # Without structlog, which takes longer than all other work of the gateway for a read.
            fields["event"] = "callback"
            fields["level"] = "warning" if answer.http_status == _HTTP_UNKNOWN else "info"
            fields["timestamp"] = f"{datetime.now(UTC).replace(tzinfo=None).isoformat()}Z"
            self._write(_json_line(fields))
        elif answer.http_status == _HTTP_UNKNOWN:
            self._logger.warning("callback", **fields)
        else:
            self._logger.info("callback", **fields)

    def _is_kept(self, trace: Trace, answer: Answer, seconds: float) -> bool:
        if self._level > (logging.WARNING if answer.http_status == _HTTP_UNKNOWN else logging.INFO):
            return False
        if self._sample_percent == _ALL or not _is_plain_success(trace, answer, seconds):
            return True
        self._sampled += self._sample_percent
        is_kept = self._sampled >= _ALL
        self._sampled %= _ALL
        return is_kept

    @property
    def lines_lost(self) -> int:
        """How many lines were dropped so far."""
        return self._writer.lost if self._writer else 0

    def close(self) -> None:
        """Writes the queued lines."""
        if self._writer:
            self._writer.close()


def open_log(
    *,
    lines_max: int,
    stream: TextIO | None = sys.stderr,
    mask_account: Callable[[str], str] | None = None,
    kept: LogSettings = _EVERY_LINE,
    hide: Callable[[str], str] | None = None,
) -> Log:
    """
    Opens a log to `stream`, for people if it is a terminal. None: to the standard logging module. `mask_account` hides
    players' accounts, `kept` selects the lines that are written, `hide` removes tokens from them.
    """
    if stream is None:
        return Log(None, for_people=True, mask_account=mask_account, kept=kept)
    if stream.isatty():
        writer = LineWriter(stream, lines_max=lines_max)
        return Log(writer, for_people=True, mask_account=mask_account, kept=kept, hide=hide)
    writer = LineWriter(stream, lines_max=lines_max, tell_loss=_tell_loss)
    return Log(writer, for_people=False, mask_account=mask_account, kept=kept, hide=hide)


def _is_plain_success(trace: Trace, answer: Answer, seconds: float) -> bool:
    """Whether sampling may drop the line: result 0 at the first try, in time, and without a reason."""
    is_in_time = seconds <= trace.budget or not trace.budget
    return answer.result is Result.OK and trace.tries <= 1 and not trace.reason and is_in_time


def callback_fields(trace: Trace, answer: Answer, seconds: float) -> dict[str, object]:
    """The fields of a callback's line, without those that do not apply."""
    callback = trace.callback
    fields: dict[str, object] = {}
    if callback is not None:
        fields["command"] = callback.command.value
        fields["account"] = callback.account
        if (trans_id := getattr(callback, "trans_id", None)) is not None:
            fields["trans_id"] = trans_id
    elif trace.claimed is not None:
        fields.update({name: text for name, text in trace.claimed._asdict().items() if text})
    if trace.client:
        fields["client"] = trace.client
    fields["result"] = int(answer.result)
    fields["http_status"] = answer.http_status
    if trace.wallet_method:
        fields["wallet_method"] = trace.wallet_method
        fields["grpc_status"] = trace.grpc_status
        fields["tries"] = trace.tries
        fields["wallet_ms"] = round(trace.wallet_seconds * 1000, 1)
    fields["ms"] = round(seconds * 1000, 1)
    if trace.cache is not None:
        fields["cache"] = trace.cache.value
    if trace.reason:
        fields["reason"] = trace.reason
    if trace.wallet_said:
        fields["wallet_said"] = trace.wallet_said
    return fields


def _masking(mask_account: Callable[[str], str]) -> structlog.typing.Processor:
    def masked(_: object, __: str, fields: structlog.typing.EventDict) -> structlog.typing.EventDict:
        if account := str(fields.get("account") or ""):
            fields["account"] = mask_account(account)
            if isinstance(said := fields.get("wallet_said"), str):
                fields["wallet_said"] = said.replace(account, mask_account(account))
        return fields

    return masked


class _Lines:
    """The output to which structlog hands finished lines."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self.info = self.warning = self.error = write


def _hiding(write: Callable[[str], None], hide: Callable[[str], str]) -> Callable[[str], None]:
    return lambda line: write(hide(line))


def _json(_: object, __: str, fields: structlog.typing.EventDict) -> str:
    return _plain(json.dumps(fields, default=str))


def _plain(line: str) -> str:
    """Escapes DEL, which JSON leaves as it is."""
    return line.replace("\x7f", "\\u007f")


def _json_line(fields: dict[str, object]) -> str:
    """As json.dumps, in a fraction of its time."""
    try:
        line = msgspec.json.format(_ENCODER.encode(fields), indent=0)
    except (OverflowError, ValueError, msgspec.MsgspecError, UnicodeEncodeError):
        # msgspec refuses integers beyond 64 bits, and a `trans_id` may be one.
        return _plain(json.dumps(fields, default=str))
    # Every stream takes json's escapes for characters beyond ASCII.
    return _plain(line.decode() if line.isascii() else json.dumps(fields, default=str))


_ENCODER = msgspec.json.Encoder()


def _tell_loss(lines: int, problem: str) -> str:
    return json.dumps({"event": "lines of log dropped", "level": "warning", "lines": lines, "problem": problem})


_FOR_PROGRAMS: list[structlog.typing.Processor] = [
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,
    _json,
]


def _printable(_: object, __: str, fields: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Makes strings printable. The renderer shows the `repr` of other values, which is printable."""
    return {name: printable(value) if isinstance(value, str) else value for name, value in fields.items()}


def _traceback(stream: TextIO, exc_info: structlog.typing.ExcInfo) -> None:
    """Makes a traceback printable: an error may repeat text from outside."""
    text = StringIO()
    structlog.dev.plain_traceback(text, exc_info)
    stream.write(printable_lines(text.getvalue()))


def _for_people(*, is_terminal: bool) -> list[structlog.typing.Processor]:
    dated: list[structlog.typing.Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="%H:%M:%S", utc=False),
    ]
    return [
        # mitmproxy's event log adds its own level and time, and a console has few columns.
        *(dated if is_terminal else []),
        _printable,
        # The default traceback formatter shows the values of local variables, such as tokens and keys.
        structlog.dev.ConsoleRenderer(
            colors=is_terminal, exception_formatter=_traceback, pad_event_to=0, sort_keys=False
        ),
    ]

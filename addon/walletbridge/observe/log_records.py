"""
Hides tokens in all records of Python's logging: mitmproxy repeats the unreadable parts of a request, and a traceback
ends with the text of its error.
"""

import logging
import traceback
from collections.abc import Callable
from contextlib import suppress
from typing import Any

type Hide = Callable[[str], str]


def hide_in_records(hide: Hide) -> Callable[[], None]:
    """Hides tokens in every record from here on. Calling the returned function ends it."""
    made_before = logging.getLogRecordFactory()

    def make(*arguments: Any, **keywords: Any) -> logging.LogRecord:
        record = made_before(*arguments, **keywords)
        # A record that cannot be formatted reports its error when it is shown.
        with suppress(Exception):
            _hide(record, hide)
        return record

    logging.setLogRecordFactory(make)

    def undo() -> None:
        if logging.getLogRecordFactory() is make:
            logging.setLogRecordFactory(made_before)

    return undo


def _hide(record: logging.LogRecord, hide: Hide) -> None:
    said = record.getMessage()
    if (shown := hide(said)) != said:
        record.msg, record.args = shown, ()
    if record.exc_info and isinstance(record.exc_info[1], BaseException):
        trace = "".join(traceback.format_exception(record.exc_info[1])).rstrip()
        if (hidden := hide(trace)) != trace:
            # Formatters would build the text again from the error.
            record.msg, record.args, record.exc_info = f"{shown}\n{hidden}", (), None

"""
The whole record as a page of text for the content view. Pure.
"""

import json
import textwrap
from collections.abc import Sequence

from walletbridge.observe.printable import printable, printable_lines
from walletbridge.proxy.live_view.check_marks import checks
from walletbridge.proxy.live_view.mistake_in_body import show_place
from walletbridge.proxy.live_view.record import Call, Record, Stage
from walletbridge.proxy.live_view.why import why

_INDENT = "  "
_WIDTH = 76


def page(record: Record, body: bytes, *, is_request: bool, related: Sequence[str] = (), received: str = "") -> str:
    """
    Returns the page of a callback: the reason for the answer, the wallet calls, all other data, and the body.

    `body` is the request's or the answer's; `related` has a line for each other callback of the transaction and round;
    `received` is the wall-clock time at which the request began.
    """
    content = _section("request body" if is_request else "answer body", _body(record, body, is_request=is_request))
    # The page lists a request's fields, so its body comes last, unless it has a mistake.
    is_last = is_request and not record.place
    sections = [
        textwrap.fill(why(record), _WIDTH),
        "" if is_last else content,
        _section("checks", [f"{check.number}  {check.went}  {check.meaning}" for check in checks(record)]),
        *(_section(_title(number, record), _call(call)) for number, call in enumerate(record.calls)),
        _section("time", _time(record, received)),
        _section("journal", _journal(record)),
        _section("cache", [record.cache] if record.cache else []),
        _section("callback", _callback(record)),
        _section("same transaction and round", related),
        _section("done by hand", record.asked),
        content if is_last else "",
    ]
    # A line with a blank: mitmweb hides empty lines.
    return printable_lines("\n \n".join(section for section in sections if section))


def _section(title: str, lines: Sequence[str]) -> str:
    if not lines:
        return ""
    return "\n".join([title, *(f"{_INDENT}{line}" for text in lines for line in text.split("\n"))])


def _callback(record: Record) -> list[str]:
    pairs = [
        ("command", record.command),
        ("account", f"{record.account} (masked)" if record.is_masked and record.account else record.account),
        ("trans_id", record.trans_id),
        ("round_id", record.round_id),
        ("amount", record.amount),
        *record.fields,
    ]
    if record.stage is Stage.ANSWERED:
        pairs.append(("token", "right" if record.has_token else "missing or wrong"))
    return _aligned([(name, value) for name, value in pairs if value])


def _journal(record: Record) -> list[str]:
    journal = record.journal
    if journal is None:
        return []
    lines = [f"{journal.state} ({'open' if journal.is_open else 'settled'})"]
    if journal.told:
        lines.append(f"what the provider was told of the movement: {journal.told}")
    if journal.for_human:
        lines.append(f"left to a person: {journal.for_human}")
    return lines


def _time(record: Record, received: str) -> list[str]:
    times = record.times
    parts = [("held", times.held), ("waiting", times.waiting), ("journal", times.journal), ("wallet", times.wallet)]
    lines = [("received", received)] if received else []
    lines += [(name, f"{value:.1f} ms") for name, value in parts if value]
    if record.stage is Stage.ANSWERED:
        budget = f" of a budget of {times.budget:.0f} ms" if times.budget else ""
        limit = f" (the provider's limit is {times.limit:.0f} ms)" if times.limit else ""
        lines.append(("total", f"{times.total:.1f} ms{budget}{limit}"))
    return _aligned(lines)


def _title(number: int, record: Record) -> str:
    count = f" {number + 1} of {len(record.calls)}" if len(record.calls) > 1 else ""
    tries = f", sent {record.tries} times" if record.tries > 1 and not number else ""
    return f"wallet call{count} to {record.target}{tries}"


def _call(call: Call) -> list[str]:
    sent = ", ".join(f"{name}: {value}" for name, value in call.metadata) or "none"
    status = f"{call.status or 'no status'} in {call.milliseconds:.1f} ms"
    return [
        *_aligned([("method", call.method), ("status", status), ("metadata sent", sent)]),
        *([f"details  {call.details}"] if call.details else []),
        "request",
        *_indented(call.request or "(no field is set)"),
        "response",
        *_indented(call.response or "(none)"),
    ]


def _body(record: Record, body: bytes, *, is_request: bool) -> list[str]:
    if is_request and record.place:
        return [show_place(body, record.place, record.reason)]
    try:
        return [json.dumps(json.loads(body), indent=2, ensure_ascii=False)]
    except (ValueError, RecursionError):
        return [body.decode(errors="replace")] if body else []


def _indented(text: str) -> list[str]:
    return [f"{_INDENT}{line}" for line in text.split("\n")]


def _aligned(pairs: Sequence[tuple[str, str]]) -> list[str]:
    width = max((len(name) for name, _ in pairs), default=0)
    return [f"{name:<{width}}  {printable(value)}" for name, value in pairs]

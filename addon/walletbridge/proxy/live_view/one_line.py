"""
A record in one line: its marker, its comment, and the words for filters. Pure.
"""

from walletbridge.observe.printable import printable
from walletbridge.protocol.outcomes import Result
from walletbridge.proxy.live_view.record import Record, Stage

COMMENT_MAX = 100
"""Characters of a comment: mitmweb shows this many in a window 1280 pixels wide."""
_ACCOUNT_MAX = 20
_REASON_MIN = 8
_BAR = " | "

MEANINGS: dict[int, str] = {
    Result.PLAYER_NOT_FOUND: "no such player",
    Result.PLAYER_INACTIVE: "player inactive",
    Result.BALANCE_INSUFFICIENT: "no funds",
    Result.ALREADY_PROCESSED: "duplicate",
    Result.TRANSACTION_NOT_FOUND: "not found",
    Result.FAILED: "not made",
}
"""The names of refusals in comments."""

HELD = ":raised_hand:"
DROPPED = ":wastebasket:"
WRONG_TOKEN = ":lock:"  # noqa: S105 - an emoji
REPLAY_REFUSED = ":no_entry_sign:"
BAD_REQUEST = ":x:"
UNKNOWN = ":question:"
HIT = ":zap:"
OK = ":white_check_mark:"
REFUSALS: dict[int, str] = {
    Result.PLAYER_NOT_FOUND: ":bust_in_silhouette:",
    Result.PLAYER_INACTIVE: ":zzz:",
    Result.BALANCE_INSUFFICIENT: ":money_with_wings:",
    Result.ALREADY_PROCESSED: ":repeat:",
    Result.TRANSACTION_NOT_FOUND: ":mag:",
    Result.FAILED: ":no_entry:",
}
_REFUSAL = ":no_entry:"
_NO_WORDS = str.maketrans(" =", "__")
_HTTP_OK, _HTTP_REPLAY, _HTTP_UNKNOWN = 200, 403, 500


def marker(record: Record) -> str:
    """Returns an emoji by mitmproxy's name for it."""
    if record.stage is not Stage.ANSWERED:
        return HELD if record.stage is Stage.HELD else DROPPED
    if record.result == Result.WRONG_TOKEN:
        return WRONG_TOKEN
    if record.http_status == _HTTP_OK and record.result == 0:
        return HIT if record.cache == "hit" else OK
    if record.http_status == _HTTP_OK:
        return REFUSALS.get(record.result, _REFUSAL)
    return {_HTTP_REPLAY: REPLAY_REFUSED, _HTTP_UNKNOWN: UNKNOWN}.get(record.http_status, BAD_REQUEST)


def comment(record: Record, width: int = COMMENT_MAX) -> str:
    """
    Returns, for example, `bet test1234 1000 #1676358190 -> 0 balance 4000 | PlaceBet 3 ms of 1750`, in at most `width`
    characters.
    """
    if record.stage is Stage.HELD:
        late = _limit_passed(record)
        return _clipped(f"held: {_what(record)}", f" | {late}" if late else "", width)
    if record.stage is Stage.DROPPED:
        return _clipped(f"{_what(record)} | {record.reason}", ", no wallet call", width)
    head = f"{_what(record)} -> {_answer(record)}"
    tail = (" | edited" if record.is_edited else "") + ("" if record.is_delivered else " | not delivered")
    if not record.command:
        return _clipped(head, tail, width)
    tails = [f"{_BAR}{way}{tail}" for way in _ways(record)]
    # The command implies the budget and the method.
    return _clipped(head, next((one for one in tails if len(head) + len(one) <= width), tails[-1]), width)


def words(record: Record) -> str:
    """
    Returns `name=value` words, each followed by a blank, for filters such as `~meta is=slow`. In a value, a blank or a
    `=` becomes `_`, because it would begin another word.
    """
    named = {
        "command": record.command,
        "account": record.account,
        "trans_id": record.trans_id,
        "round": record.round_id,
        "result": str(record.result) if record.http_status else "",
        "http": str(record.http_status or ""),
    }
    is_answered = record.stage is Stage.ANSWERED
    said = {
        record.stage.value: not is_answered,
        "ok": is_answered and record.http_status == _HTTP_OK and record.result == 0,
        "refused": is_answered and record.http_status == _HTTP_OK and record.result != 0,
        "unknown": record.http_status == _HTTP_UNKNOWN,
        "bad": bool(record.place),
        "replay": record.is_replay,
        "slow": record.is_slow,
        "unresolved": is_answered and record.is_unresolved,
        "edited": record.is_edited,
        "undelivered": not record.is_delivered,
        record.cache: bool(record.cache),
    }
    pairs = [*named.items(), *(("is", word) for word, holds in said.items() if holds)]
    return "".join(f"{name}={printable(value).translate(_NO_WORDS)} " for name, value in pairs if value)


def _what(record: Record) -> str:
    if not record.command:
        if record.result == Result.WRONG_TOKEN:
            return "wrong token"
        return "replay refused" if record.http_status == _HTTP_REPLAY else "bad request"
    amount = f" {record.amount}" if record.amount else ""
    trans_id = f" #{_shortened(record.trans_id, _ACCOUNT_MAX)}" if record.trans_id else ""
    return f"{record.command} {_shortened(record.account, _ACCOUNT_MAX)}{amount}{trans_id}"


def _answer(record: Record) -> str:
    if record.http_status == _HTTP_OK:
        said = str(record.result)
        if record.result and record.result != Result.WRONG_TOKEN:
            said += f" {MEANINGS.get(record.result, 'refused')}"
        if record.state:
            return f"{said} {record.state}"
        comma = "," if record.result else ""
        return f"{said}{comma} balance {record.balance}" if record.balance else said
    if record.http_status == _HTTP_UNKNOWN:
        status = next((call.status for call in record.calls if call.status not in {"", "OK"}), "")
        return f"500 {status or record.reason or 'unknown'}"
    if record.http_status == _HTTP_REPLAY and record.command:
        return "403 replay refused"
    return f"{record.http_status} {record.reason}".rstrip()


def _ways(record: Record) -> list[str]:
    """Returns the wallet method or the cache, with the total time, the longest form first."""
    method = record.calls[-1].method.rpartition("/")[2] if record.calls else ""
    if record.cache in {"hit", "joined"}:
        method = f"cache {record.cache}"
    who = method or "no call"
    if not record.times.budget:
        return [who]
    took = f"{record.times.total:.0f} ms"
    return [f"{who} {took} of {record.times.budget:.0f}", f"{who} {took}", took]


def _limit_passed(record: Record) -> str:
    times = record.times
    return f"the provider's {times.limit / 1000:g} s are over" if 0 < times.limit < times.held else ""


def _clipped(head: str, tail: str, width: int) -> str:
    head, tail = printable(head), printable(tail)
    return f"{_shortened(head, max(width - len(tail), _REASON_MIN))}{tail}"


def _shortened(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"

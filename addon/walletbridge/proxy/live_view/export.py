"""
Exports a callback as a curl line, or as a test vector in the form of the documented examples, without the token.
"""

import json
import shlex
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import msgspec
from mitmproxy.http import HTTPFlow

from walletbridge.protocol.outcomes import Result
from walletbridge.proxy.live_view.record import Record

_HEADERS = ("accept", "content-type")
_HTTP_OK = 200


def curl(flow: HTTPFlow, token_variable: str) -> str:
    """Returns a shell line that takes the token from the variable."""
    headers = [("Callback-Token", "***")] + [
        (name, value)
        for name, value in flow.request.headers.items(multi=True)  # type: ignore[no-untyped-call]
        if name.lower() in _HEADERS
    ]
    parts = ["curl", "-X", shlex.quote(flow.request.method)]
    for name, value in headers:
        # The shell inserts the token; it must not expand the other headers.
        is_token = name == "Callback-Token"
        parts += ["-H", f'"{name}: ${token_variable}"' if is_token else shlex.quote(f"{name}: {value}")]
    body = (flow.request.raw_content or b"").decode(errors="backslashreplace")
    parts += ["--data-raw", shlex.quote(body)]
    return " ".join([*parts, shlex.quote(flow.request.pretty_url)])


def vector(flow: HTTPFlow, record: Record, related: Iterable[Record]) -> str:
    """
    Returns the flow as an entry of `cases`. `given` is the wallet's earlier state, as far as the answer shows it.

    Raises ValueError if the request or the answer is no JSON object.
    """
    if flow.response is None or not record.command:
        raise ValueError("only a callback that was answered is a test vector")
    request = _object(flow.request.raw_content)
    trans_id = request.get("data", {}).get("trans_id", record.trans_id)
    entry = {
        "name": f"{record.command}: {record.http_status} {record.result} #{record.trans_id or record.account}",
        "given": {"players": _players(record), "transactions": _transactions(record, trans_id, list(related))},
        # The original bytes: no number passes through a binary fraction.
        "request": msgspec.Raw(flow.request.raw_content or b""),
        "http_status": flow.response.status_code,
        "answer": msgspec.Raw(flow.response.raw_content or b""),
    }
    _object(flow.response.raw_content)
    return msgspec.json.format(msgspec.json.encode(entry), indent=1).decode()


def _players(record: Record) -> list[dict[str, Any]]:
    if record.result == Result.PLAYER_NOT_FOUND:
        return []
    balance = Decimal(record.balance or 0)
    if record.http_status == _HTTP_OK and record.result == 0:
        amount = Decimal(record.amount or 0)
        balance += {"bet": amount, "win": -amount}.get(record.command, Decimal(0))
    return [{"account": record.account, "balance": _number(balance), "active": record.result != Result.PLAYER_INACTIVE}]


def _transactions(record: Record, trans_id: object, related: list[Record]) -> list[dict[str, Any]]:
    """Returns the bet or win that the wallet knew before, if any."""
    is_question = record.command in {"cancel", "status"} and record.result != Result.TRANSACTION_NOT_FOUND
    if record.result != Result.ALREADY_PROCESSED and not is_question:
        return []
    made = [record, *related]
    movement = next((one for one in made if one.trans_id == record.trans_id and one.amount), None)
    return [
        {
            "trans_id": trans_id,
            "account": record.account,
            "kind": movement.command if movement else "bet",
            "amount": _number(Decimal(movement.amount)) if movement else 0,
            "canceled": record.state == "CANCELED",
        }
    ]


def _number(value: Decimal) -> msgspec.Raw:
    """A JSON number, without a fraction if whole."""
    whole = value == value.to_integral_value()
    return msgspec.Raw(str(int(value) if whole else value.normalize()).encode())


def _object(body: bytes | None) -> dict[str, Any]:
    document = json.loads(body or b"")
    if not isinstance(document, dict) or not isinstance(document.get("data", {}), dict):
        raise ValueError("expected a JSON object")  # noqa: TRY004 - as json raises for invalid JSON
    return document

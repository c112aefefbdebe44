"""
Reads an answer as strictly as the provider's rules: takes bytes, returns the meaning and the problems.

Understands as much of a wrong answer as possible, so that one mistake is reported once. PROTOCOL: Transport, Answers.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation

from walletbridge.protocol.callbacks import Command
from walletbridge.protocol.errors import BadCallback
from walletbridge.protocol.outcomes import Result, TransactionState
from walletbridge.protocol.strict_json import Json, loads
from walletbridge.simulator.rules import Rule
from walletbridge.simulator.wire.calls import UNIT_DECIMALS, Call, text

BODY_BYTES_MAX = 64 * 1024
HTTP_OK = 200
HTTP_UNKNOWN = 500
HTTP_SERVER_ERRORS = range(500, 600)

_WITH_BALANCE = frozenset(
    {
        Result.BALANCE_INSUFFICIENT,
        Result.ALREADY_PROCESSED,
        Result.TRANSACTION_NOT_FOUND,
        Result.FAILED,
    }
)
_DIGITS_MAX = 28
"""Decimal arithmetic keeps this many digits exactly."""
_MAGNITUDE_MAX = _DIGITS_MAX - UNIT_DECIMALS - 1
_SHOWN_CHARACTERS_MAX = 60


@dataclass(frozen=True, slots=True)
class Problem:
    """A mistake in the form of an answer."""

    rule: Rule
    expected: str
    got: str


@dataclass(slots=True)
class Reading:
    """The meaning of an answer."""

    result: int | None = None
    """None if the outcome is unknown: HTTP 500, or nothing readable."""
    balance: int | None = None
    """In units of 10**-8; None if the answer has no readable balance."""
    state: TransactionState | None = None
    """The state in the OK answer to a `status`."""
    problems: list[Problem] = field(default_factory=list)

    @property
    def known(self) -> bool:
        """Whether the answer is definite."""
        return self.result is not None

    def __str__(self) -> str:
        if self.result is None:
            return "no definite answer"
        return says(self.result, self.balance, self.state)


def says(result: int, balance: int | None = None, state: TransactionState | None = None) -> str:
    """Returns an answer in words."""
    words = f"result {result}"
    if state is not None:
        words += f' with trans_status "{state}"'
    return words if balance is None else f"{words} with balance {text(balance)}"


def read(call: Call, http_status: int, body: bytes) -> Reading:
    """
    Reads the answer to `call`.

    HTTP 500 is an unknown outcome, whatever the body. Any other 5xx is one too, but breaks the protocol.
    """
    reading = Reading()
    if http_status in HTTP_SERVER_ERRORS:
        if http_status != HTTP_UNKNOWN:
            reading.problems.append(Problem(Rule.UNKNOWN_IS_500, "HTTP 200 or 500", f"HTTP {http_status}"))
        return reading
    if http_status != HTTP_OK:
        reading.problems.append(Problem(Rule.DEFINITE_IS_200, "HTTP 200", f"HTTP {http_status}"))
    document: Json = None
    try:
        document = loads(body) if len(body) <= BODY_BYTES_MAX else None
        got = _show(document) if len(body) <= BODY_BYTES_MAX else "a larger body"
    except BadCallback as error:
        got = f"a body that is wrong at {error}"
    if isinstance(document, dict):
        _Reader(call, reading).read(document)
    elif http_status == HTTP_OK:
        reading.problems.append(Problem(Rule.JSON_ANSWER, "a JSON object", got))
    return reading


class _Reader:
    """Reads one answer's document into `reading`."""

    def __init__(self, call: Call, reading: Reading) -> None:
        self._call = call
        self._reading = reading

    def read(self, document: dict[str, Json]) -> None:
        for path in _nulls("$", document):
            self._problem(Rule.NO_NULL, "no null", f"null at {path}")
        self._result(document)
        self._status(document.get("status"))
        data = document.get("data")
        if isinstance(data, dict):
            self._data(data)
        elif data is not None or ("data" not in document and self._fields()):
            self._problem(Rule.SHAPE, "an object `data`", _show_field(document, "data"))

    def _problem(self, rule: Rule, expected: str, got: str) -> None:
        self._reading.problems.append(Problem(rule, expected, got))

    def _result(self, document: dict[str, Json]) -> None:
        value = document.get("result")
        number = _number(value)
        if number is not None and number == number.to_integral_value() and number.adjusted() < 9:  # noqa: PLR2004 - results have three digits
            self._reading.result = int(number)
        if not _is_int(value):
            self._problem(Rule.NUMBERS, "an integer `result`", _show_field(document, "result"))

    def _status(self, value: Json) -> None:
        if self._reading.result is not None:
            expected = "OK" if self._reading.result == Result.OK else "ERROR"
            if value != expected:
                self._problem(Rule.STATUS_WORD, f'`status` "{expected}"', _show(value))

    def _fields(self) -> tuple[str, ...]:
        """The fields of `data` that the protocol documents for the command and result."""
        if self._reading.result == Result.OK:
            return {Command.AUTHENTICATE: ("account", "balance"), Command.STATUS: ("trans_id", "trans_status")}.get(
                self._call.command, ("balance",)
            )
        return ("balance",) if self._reading.result in _WITH_BALANCE else ()

    def _data(self, data: dict[str, Json]) -> None:
        fields = self._fields()
        for name in fields:
            if name not in data:
                self._problem(Rule.SHAPE, f"`data.{name}`", "none")
        if data.get("balance") is not None:
            self._balance(data["balance"])
        if "account" in fields and data.get("account", self._call.account) != self._call.account:
            self._problem(Rule.AUTHENTICATE, f'`data.account` "{self._call.account}"', _show(data["account"]))
        if "trans_id" in fields and data.get("trans_id") is not None:
            self._trans_id(data["trans_id"])
        if "trans_status" in fields and data.get("trans_status") is not None:
            self._trans_status(data["trans_status"])

    def _balance(self, value: Json) -> None:
        number = _number(value)
        if isinstance(value, str | bool) or number is None:
            self._problem(Rule.NUMBERS, "a number `balance`", _show(value))
        if number is None:
            return
        units = number.scaleb(UNIT_DECIMALS).to_integral_value()
        self._reading.balance = int(units)
        if not isinstance(value, str) and f"{number:f}" != text(int(units)):
            exact = units == number.scaleb(UNIT_DECIMALS)
            expected = f"balance {text(int(units))}" if exact else f"a balance of at most {UNIT_DECIMALS} decimals"
            self._problem(Rule.EXACT, expected, _show(value))

    def _trans_id(self, value: Json) -> None:
        sent = self._call.trans_id
        if type(value) is not type(sent) or value != sent:
            self._problem(Rule.ECHO, f"`data.trans_id` {_show(sent)}", _show(value))

    def _trans_status(self, value: Json) -> None:
        if isinstance(value, str) and value.upper() in {"CANCELLED", "CANCELED"}:
            self._reading.state = TransactionState.CANCELED
        elif isinstance(value, str) and value.upper() == "OK":
            self._reading.state = TransactionState.OK
        if value not in tuple(TransactionState):
            self._problem(Rule.ONE_L, '`data.trans_status` "OK" or "CANCELED"', _show(value))


def _is_int(value: Json) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _number(value: Json) -> Decimal | None:
    """
    Returns the number in `value`, which may be a string; None if there is none, or if it is too large or too fine.
    """
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        return None
    try:
        number = Decimal(value)
    except (InvalidOperation, ValueError):
        return None
    sized = (
        number.is_finite() and abs(number.adjusted()) < _MAGNITUDE_MAX and len(number.as_tuple().digits) <= _DIGITS_MAX
    )
    return number if sized else None


def _nulls(path: str, value: Json) -> Iterator[str]:
    if value is None:
        yield path
    elif isinstance(value, dict):
        for key, child in value.items():
            yield from _nulls(f"{path}.{key}", child)
    elif isinstance(value, list):
        for index, child in enumerate(value):
            yield from _nulls(f"{path}[{index}]", child)


def _show_field(document: dict[str, Json], name: str) -> str:
    return _show(document[name]) if name in document else "none"


def _show(value: Json) -> str:
    """Returns `value` as JSON, shortened."""
    shown = str(value) if isinstance(value, Decimal) else json.dumps(value, ensure_ascii=False, default=str)
    return shown if len(shown) <= _SHOWN_CHARACTERS_MAX else f"{shown[:_SHOWN_CHARACTERS_MAX]}..."

"""What an answer says, and all that may be wrong with its form."""

import json

import pytest
from tests.support.vectors import Case, load_cases
from tests.unit.simulator.wire.test_calls import call_of

from walletbridge.protocol.callbacks import Command
from walletbridge.protocol.outcomes import TransactionState
from walletbridge.simulator.rules import Rule
from walletbridge.simulator.wire.calls import Call
from walletbridge.simulator.wire.readings import BODY_BYTES_MAX, Reading, read

UNIT = 10**8
BET = Call(command=Command.BET, account="test1234", trans_id=7, amount=10 * UNIT)
AUTHENTICATE = Call(command=Command.AUTHENTICATE, account="test1234")
STATUS = Call(command=Command.STATUS, account="test1234", trans_id=7)
STATUS_OF_TEXT = Call(command=Command.STATUS, account="test1234", trans_id="7")


def rules(reading: Reading) -> list[Rule]:
    return [problem.rule for problem in reading.problems]


@pytest.mark.parametrize("case", load_cases(), ids=lambda case: case.name)
def test_documented_answers_are_right(case: Case) -> None:
    reading = read(call_of(case), case.http_status, json.dumps(case.answer).encode())

    assert reading.problems == []
    assert reading.result == case.answer["result"]
    balance = case.answer.get("data", {}).get("balance")
    assert reading.balance == (None if balance is None else balance * UNIT)


@pytest.mark.parametrize(
    ("number", "units"),
    [
        (b"0", 0),
        (b"90.5", 9050000000),
        (b"0.00000001", 1),
        (b"-3", -3 * UNIT),
        (b"1e2", 100 * UNIT),
        (b"1" + b"0" * 18, UNIT * 10**18),
    ],
)
def test_a_balance_is_read_exactly(number: bytes, units: int) -> None:
    reading = read(BET, 200, b'{"result":0,"status":"OK","data":{"balance":%b}}' % number)

    assert (reading.balance, reading.problems) == (units, [])


@pytest.mark.parametrize(
    ("number", "units", "rule"),
    [
        (b'"90.5"', 9050000000, Rule.NUMBERS),
        (b'"ninety"', None, Rule.NUMBERS),
        (b"true", None, Rule.NUMBERS),
        (b"[]", None, Rule.NUMBERS),
        (b"{}", None, Rule.NUMBERS),
        (b"1e30", None, Rule.NUMBERS),
        (b"100.0", 100 * UNIT, Rule.EXACT),
        (b"90.50", 9050000000, Rule.EXACT),
        (b"90.10000000000001", 9010000000, Rule.EXACT),
        (b"0.000000001", 0, Rule.EXACT),
        (b"null", None, Rule.NO_NULL),
    ],
)
def test_a_wrong_balance_is_read_as_far_as_it_can_be(number: bytes, units: int | None, rule: Rule) -> None:
    reading = read(BET, 200, b'{"result":0,"status":"OK","data":{"balance":%b}}' % number)

    assert (reading.result, reading.balance, rules(reading)) == (0, units, [rule])


@pytest.mark.parametrize(
    ("call", "body", "result", "found"),
    [
        # The documented form.
        (BET, '{"result":21,"status":"ERROR"}', 21, []),
        (BET, '{"result":31,"status":"ERROR","data":{"balance":5}}', 31, []),
        (BET, '{"result":0,"status":"OK","data":{"balance":5,"note":"more"},"more":1}', 0, []),
        # What is not JSON, or no object, says nothing.
        (BET, "", None, [Rule.JSON_ANSWER]),
        (BET, "<html>", None, [Rule.JSON_ANSWER]),
        (BET, "[]", None, [Rule.JSON_ANSWER]),
        (BET, "null", None, [Rule.JSON_ANSWER]),
        (BET, '{"result":0,"result":1}', None, [Rule.JSON_ANSWER]),
        (BET, '{"result":NaN}', None, [Rule.JSON_ANSWER]),
        (BET, f'"{"x" * BODY_BYTES_MAX}"', None, [Rule.JSON_ANSWER]),
        # The result.
        (BET, '{"status":"OK"}', None, [Rule.NUMBERS]),
        (BET, '{"result":"0","status":"OK","data":{"balance":5}}', 0, [Rule.NUMBERS]),
        (BET, '{"result":0.0,"status":"OK","data":{"balance":5}}', 0, [Rule.NUMBERS]),
        (BET, '{"result":true,"status":"ERROR"}', None, [Rule.NUMBERS]),
        (BET, '{"result":1e20,"status":"ERROR"}', None, [Rule.NUMBERS]),
        # The status goes with the result.
        (BET, '{"result":0,"status":"ERROR","data":{"balance":5}}', 0, [Rule.STATUS_WORD]),
        (BET, '{"result":0,"status":"ok","data":{"balance":5}}', 0, [Rule.STATUS_WORD]),
        (BET, '{"result":41,"status":"OK","data":{"balance":5}}', 41, [Rule.STATUS_WORD]),
        (BET, '{"result":41,"status":["ERROR"],"data":{"balance":5}}', 41, [Rule.STATUS_WORD]),
        # The documented fields.
        (BET, '{"result":41,"status":"ERROR"}', 41, [Rule.SHAPE]),
        (BET, '{"result":99,"status":"ERROR","data":{}}', 99, [Rule.SHAPE]),
        (BET, '{"result":0,"status":"OK","data":[5]}', 0, [Rule.SHAPE]),
        (BET, '{"result":0,"status":"OK","balance":5}', 0, [Rule.SHAPE]),
        (BET, '{"result":21,"status":"ERROR","data":null}', 21, [Rule.NO_NULL]),
        (BET, '{"result":21,"status":"ERROR","message":{"text":[null]}}', 21, [Rule.NO_NULL]),
        # The player.
        (AUTHENTICATE, '{"result":0,"status":"OK","data":{"account":"test1234","balance":5}}', 0, []),
        (AUTHENTICATE, '{"result":0,"status":"OK","data":{"account":"Test1234","balance":5}}', 0, [Rule.AUTHENTICATE]),
        (AUTHENTICATE, '{"result":0,"status":"OK","data":{"balance":5}}', 0, [Rule.SHAPE]),
        # The transaction comes back as it was sent, in value and in type.
        (STATUS, '{"result":0,"status":"OK","data":{"trans_id":7,"trans_status":"OK"}}', 0, []),
        (STATUS, '{"result":0,"status":"OK","data":{"trans_id":"7","trans_status":"OK"}}', 0, [Rule.ECHO]),
        (STATUS, '{"result":0,"status":"OK","data":{"trans_id":7.0,"trans_status":"OK"}}', 0, [Rule.ECHO]),
        (STATUS, '{"result":0,"status":"OK","data":{"trans_id":8,"trans_status":"OK"}}', 0, [Rule.ECHO]),
        (STATUS, '{"result":0,"status":"OK","data":{"trans_status":"OK"}}', 0, [Rule.SHAPE]),
        (STATUS_OF_TEXT, '{"result":0,"status":"OK","data":{"trans_id":"7","trans_status":"OK"}}', 0, []),
        (STATUS_OF_TEXT, '{"result":0,"status":"OK","data":{"trans_id":7,"trans_status":"OK"}}', 0, [Rule.ECHO]),
        (STATUS, '{"result":0,"status":"OK","data":{"trans_id":7,"trans_status":"CANCELLED"}}', 0, [Rule.ONE_L]),
        (STATUS, '{"result":0,"status":"OK","data":{"trans_id":7,"trans_status":"ok"}}', 0, [Rule.ONE_L]),
        (STATUS, '{"result":0,"status":"OK","data":{"trans_id":7,"trans_status":["OK"]}}', 0, [Rule.ONE_L]),
        (STATUS, '{"result":0,"status":"OK","data":{"trans_id":7}}', 0, [Rule.SHAPE]),
    ],
)
def test_the_form_of_an_answer(call: Call, body: str, result: int | None, found: list[Rule]) -> None:
    reading = read(call, 200, body.encode())

    assert (reading.result, rules(reading)) == (result, found)


@pytest.mark.parametrize(
    ("word", "state"),
    [("OK", TransactionState.OK), ("CANCELED", TransactionState.CANCELED), ("CANCELLED", TransactionState.CANCELED)],
)
def test_a_state_is_understood_in_either_spelling(word: str, state: TransactionState) -> None:
    """One mistake is reported once: the ledger goes on with what was meant."""
    body = json.dumps({"result": 0, "status": "OK", "data": {"trans_id": 7, "trans_status": word}})

    assert read(STATUS, 200, body.encode()).state is state


@pytest.mark.parametrize(
    ("http_status", "body", "result", "found"),
    [
        (500, b'{"result":99,"status":"ERROR"}', None, []),
        (500, b"Internal Server Error", None, []),
        (502, b"Bad Gateway", None, [Rule.UNKNOWN_IS_500]),
        (400, b'{"result":31,"status":"ERROR","data":{"balance":5}}', 31, [Rule.DEFINITE_IS_200]),
        (201, b'{"result":0,"status":"OK","data":{"balance":5}}', 0, [Rule.DEFINITE_IS_200]),
        (404, b"<html>", None, [Rule.DEFINITE_IS_200]),
        (302, b"", None, [Rule.DEFINITE_IS_200]),
    ],
)
def test_the_http_status(http_status: int, body: bytes, result: int | None, found: list[Rule]) -> None:
    """Only HTTP 500 is an unknown outcome without being wrong, and its body is not looked at."""
    reading = read(BET, http_status, body)

    assert (reading.result, rules(reading)) == (result, found)


@pytest.mark.parametrize(
    ("reading", "words"),
    [
        (Reading(), "no definite answer"),
        (Reading(21), "result 21"),
        (Reading(31, 9050000000), "result 31 with balance 90.5"),
        (Reading(0, None, TransactionState.OK), 'result 0 with trans_status "OK"'),
    ],
)
def test_a_reading_in_words(reading: Reading, words: str) -> None:
    assert str(reading) == words

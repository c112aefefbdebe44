"""The answers, byte by byte."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.callbacks import body, make_callback
from tests.support.vectors import Case, load_cases, load_documented

from walletbridge.protocol import answers
from walletbridge.protocol.callbacks import BadCallback, Callback, Command, decode
from walletbridge.protocol.errors import OutcomeUnknown
from walletbridge.protocol.outcomes import LISTED, Outcome, Result, TransactionState

INT64_MAX = 2**63 - 1
CASES = load_cases()
JSON_HEADERS = ((b"Content-Type", b"application/json"),)

LISTED_OUTCOMES = [(command, result) for command in Command for result in sorted(LISTED[command])]


def compact(document: object) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()


def callback_of(command: str, **overrides: Any) -> Callback:
    return decode(body(make_callback(command, **overrides)), currency_decimals=2)


def outcome_of(answer: dict[str, Any], currency_decimals: int) -> Outcome:
    """The outcome from which `answer` is made, as a wallet would give it."""
    data = answer.get("data", {})
    state = data.get("trans_status")
    return Outcome(
        Result(answer["result"]),
        data.get("balance", 0) * 10**currency_decimals,
        None if state is None else TransactionState(state),
    )


def test_the_documents_have_their_18_cases() -> None:
    assert len({case.name for case in CASES}) == 18
    assert {case.request["command"] for case in CASES} == set(Command)
    assert {case.http_status for case in CASES} == {200}


@pytest.mark.parametrize("currency_decimals", [0, 2, 8])
@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_a_documented_answer_is_built_byte_for_byte(case: Case, currency_decimals: int) -> None:
    callback = decode(body(case.request), currency_decimals=currency_decimals)
    outcome = outcome_of(case.answer, currency_decimals)

    answer = answers.of_outcome(callback, outcome, currency_decimals=currency_decimals)

    assert answer == answers.Answer(case.http_status, outcome.result, compact(case.answer), JSON_HEADERS)


def test_a_wrong_token_is_answered_as_documented() -> None:
    expected = compact(load_documented().wrong_token_answer)

    assert answers.Answer(200, Result.WRONG_TOKEN, expected, JSON_HEADERS) == answers.WRONG_TOKEN


def test_an_unknown_outcome_is_500_and_says_nothing_more() -> None:
    expected = b'{"result":99,"status":"ERROR"}'

    assert answers.Answer(500, Result.FAILED, expected, JSON_HEADERS) == answers.UNKNOWN


@pytest.mark.parametrize(
    ("command", "result", "expected"),
    [
        ("authenticate", Result.OK, b'{"result":0,"status":"OK","data":{"account":"test1234","balance":90.5}}'),
        ("balance", Result.OK, b'{"result":0,"status":"OK","data":{"balance":90.5}}'),
        ("bet", Result.OK, b'{"result":0,"status":"OK","data":{"balance":90.5}}'),
        ("win", Result.OK, b'{"result":0,"status":"OK","data":{"balance":90.5}}'),
        ("cancel", Result.OK, b'{"result":0,"status":"OK","data":{"balance":90.5}}'),
        ("status", Result.OK, b'{"result":0,"status":"OK","data":{"trans_id":1676358190,"trans_status":"OK"}}'),
        *(
            (command, Result(code), b'{"result":%d,"status":"ERROR"}' % code)
            for command in Command
            for code in [21, 22]
        ),
        *(
            (command, Result(code), b'{"result":%d,"status":"ERROR","data":{"balance":90.5}}' % code)
            for command, codes in {"bet": [31, 41, 99], "win": [41, 99], "cancel": [42, 99], "status": [42]}.items()
            for code in codes
        ),
    ],
)
def test_every_listed_result_has_its_answer(command: str, result: Result, expected: bytes) -> None:
    outcome = Outcome(result, 9050, TransactionState.OK)

    answer = answers.of_outcome(callback_of(command), outcome, currency_decimals=2)

    assert answer == answers.Answer(200, result, expected, JSON_HEADERS)


@pytest.mark.parametrize(
    ("balance", "written"),
    [
        (0, "0"),
        (10_000, "100"),
        (9050, "90.5"),
        (22_064, "220.64"),
        (1, "0.01"),
        (INT64_MAX, "92233720368547758.07"),
        # A win that was taken back may leave less than nothing.
        (-1, "-0.01"),
        (-10_000, "-100"),
    ],
)
def test_a_balance_is_an_exact_number(balance: int, written: str) -> None:
    answer = answers.of_outcome(callback_of("cancel"), Outcome(Result.OK, balance), currency_decimals=2)

    assert answer.body == f'{{"result":0,"status":"OK","data":{{"balance":{written}}}}}'.encode()


@pytest.mark.parametrize(
    ("trans_id", "written"),
    [
        (1676358190, "1676358190"),
        ("1676358190", '"1676358190"'),
        (0, "0"),
        (2**64, "18446744073709551616"),
        ("01", '"01"'),
        ('a"b\\c\n', r'"a\"b\\c\n"'),
        ("é\U0001f3b0", r'"\u00e9\ud83c\udfb0"'),
    ],
)
@pytest.mark.parametrize("state", TransactionState)
def test_a_trans_id_is_echoed_in_its_type(state: TransactionState, trans_id: int | str, written: str) -> None:
    callback = callback_of("status", trans_id=trans_id)

    answer = answers.of_outcome(callback, Outcome(Result.OK, 0, state), currency_decimals=2)

    expected = f'{{"result":0,"status":"OK","data":{{"trans_id":{written},"trans_status":"{state}"}}}}'
    assert answer.body == expected.encode()


@pytest.mark.parametrize("account", ['a"b\\c\n', "é\U0001f3b0", "</script>", "\0"])
def test_an_account_is_echoed_whatever_its_characters(account: str) -> None:
    callback = callback_of("authenticate", account=account)

    answer = answers.of_outcome(callback, Outcome(Result.OK, 100), currency_decimals=2)

    assert answer.body == compact({"result": 0, "status": "OK", "data": {"account": account, "balance": 1}})


def test_a_bad_callback_is_400_and_named() -> None:
    answer = answers.of_bad_callback(BadCallback('$["a\ud800"]', 'expected "21"'))

    expected = rb'{"result":99,"status":"ERROR","message":"$[\"a\ud800\"]: expected \"21\""}'
    assert answer == answers.Answer(400, Result.FAILED, expected, JSON_HEADERS)


@pytest.mark.parametrize(
    ("method", "named"), [("GET", "GET"), ("X" * 1000, "X" * 20), ('"\n', r"\"\n"), ("\udce9", r"\udce9")]
)
def test_another_method_is_405_with_the_one_allowed(method: str, named: str) -> None:
    expected = f'{{"result":99,"status":"ERROR","message":"expected POST, got {named}"}}'.encode()

    assert answers.of_method(method) == answers.Answer(
        405, Result.FAILED, expected, (*JSON_HEADERS, (b"Allow", b"POST"))
    )


def test_a_body_over_the_limit_is_413() -> None:
    expected = b'{"result":99,"status":"ERROR","message":"the body is over 65536 bytes"}'

    assert answers.of_body_size(65_536) == answers.Answer(413, Result.FAILED, expected, JSON_HEADERS)


def test_a_replay_is_403() -> None:
    expected = b'{"result":99,"status":"ERROR","message":"a replay from the UI is not sent to the wallet"}'

    assert answers.Answer(403, Result.FAILED, expected, JSON_HEADERS) == answers.REPLAY_REFUSED


@settings(deadline=None)
@given(
    listed=st.sampled_from(LISTED_OUTCOMES),
    balance=st.integers(-(2**63), INT64_MAX),
    state=st.sampled_from(TransactionState),
    account=st.text(min_size=1, max_size=128),
    currency_decimals=st.integers(0, 8),
)
def test_no_answer_holds_null_a_number_as_a_string_or_an_inexact_number(
    listed: tuple[Command, Result], balance: int, state: TransactionState, account: str, currency_decimals: int
) -> None:
    command, result = listed
    callback = callback_of(command, account=account)

    answer = answers.of_outcome(callback, Outcome(result, balance, state), currency_decimals=currency_decimals)

    document = json.loads(answer.body, parse_float=Decimal)
    data = document.pop("data", {})
    assert document == {"result": result.value, "status": "ERROR" if result else "OK"}
    exact = {"account": account, "trans_id": 1676358190, "trans_status": state.value}
    if "balance" in data:
        assert type(data["balance"]) in {int, Decimal}
        assert data.pop("balance") == Decimal(balance).scaleb(-currency_decimals)
    assert data == {name: exact[name] for name in data}


@pytest.mark.parametrize(("command", "result"), LISTED_OUTCOMES)
def test_no_answer_is_made_without_the_balance_that_it_needs(command: Command, result: Result) -> None:
    state = TransactionState.OK if command is Command.STATUS else None
    outcome = Outcome(result, None, state)

    if result in {21, 22} or (command, result) == (Command.STATUS, Result.OK):
        assert b"null" not in answers.of_outcome(callback_of(command), outcome, currency_decimals=2).body
        return
    with pytest.raises(OutcomeUnknown, match="the balance could not be read"):
        answers.of_outcome(callback_of(command), outcome, currency_decimals=2)


def test_a_compressed_body_is_refused_with_what_is_taken() -> None:
    """RFC 9110 section 15.5.16."""
    assert answers.ENCODED.http_status == 415
    assert (b"Accept-Encoding", b"identity") in answers.ENCODED.headers
    values: list[list[bytes]] = [[], [b"identity"], [b" "], [b"gzip"], [b"identity, br"]]
    assert [answers.is_encoded(value) for value in values] == [False, False, False, True, True]

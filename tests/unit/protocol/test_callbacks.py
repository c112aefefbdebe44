"""Bytes to one frozen type per command, or a bad callback with its JSON path."""

import json
import random
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import asdict
from tests.support.callbacks import DROPPED, body, make_callback, raw_body
from tests.support.vectors import Case, load_cases

from walletbridge.protocol.callbacks import (
    Authenticate,
    BadCallback,
    Balance,
    Bet,
    Callback,
    Cancel,
    Command,
    Status,
    Win,
    decode,
)

TYPES: dict[str, type[Callback]] = {
    "authenticate": Authenticate,
    "balance": Balance,
    "bet": Bet,
    "win": Win,
    "cancel": Cancel,
    "status": Status,
}
COMMANDS = list(TYPES)
MOVEMENTS = ["bet", "win"]
OF_GAME = ["bet", "win", "cancel"]
OF_TRANSACTION = ["bet", "win", "cancel", "status"]
TEXTS = ["round_id", "game_code", "game_name", "game_type"]
INTEGERS_OF_MOVEMENTS = ["provider_id", "call_id", "type"]

CASES = load_cases()


def decode_cents(raw: bytes) -> Callback:
    return decode(raw, currency_decimals=2)


def problem_of(raw: bytes) -> str:
    with pytest.raises(BadCallback) as caught:
        decode_cents(raw)
    return str(caught.value)


def test_every_command_has_its_type() -> None:
    assert [str(command) for command in Command] == COMMANDS
    assert {name: kind.command for name, kind in TYPES.items()} == {str(command): command for command in Command}


@pytest.mark.parametrize("currency_decimals", [0, 2, 8])
@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_a_documented_request_is_decoded(case: Case, currency_decimals: int) -> None:
    callback = decode(body(case.request), currency_decimals=currency_decimals)

    expected = {
        **case.request["data"],
        "checks": tuple(map(int, case.request["check"].split(","))),
        "requested_at": int(case.request["timestamp"]),
    }
    if "amount" in expected:
        expected["amount"] *= 10**currency_decimals
    assert type(callback) is TYPES[case.request["command"]]
    if case.request["command"] in {"win", "cancel"}:
        expected["redelivered"] = False
    assert asdict(callback) == expected


def test_a_callback_is_frozen_and_hashable() -> None:
    bet = decode_cents(body(make_callback("bet")))

    with pytest.raises(AttributeError, match="immutable"):
        bet.account = "other"  # type: ignore[misc]
    assert hash(bet) == hash(decode_cents(body(make_callback("bet"))))


@pytest.mark.parametrize(("trans_id", "key"), [(1, "1"), ("1", "1"), ("01", "01"), (-1, "-1"), ("a-b", "a-b")])
@pytest.mark.parametrize("command", OF_TRANSACTION)
def test_a_transaction_has_one_key_as_text(command: str, trans_id: int | str, key: str) -> None:
    callback = decode_cents(body(make_callback(command, trans_id=trans_id)))

    assert isinstance(callback, Bet | Win | Cancel | Status)
    assert (callback.trans_id, callback.trans_key) == (trans_id, key)
    assert type(callback.trans_id) is type(trans_id)


# The body as a whole.


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        (b"", "$: the body is empty; expected a JSON object"),
        (b" ", "$: not JSON: Expecting value at line 1 column 2"),
        (b"[]", "$: expected an object, got an array"),
        (b"null", "$: expected an object, got null"),
        (b'"bet"', "$: expected an object, got a string"),
        (b"1", "$: expected an object, got a number"),
        (b"{}", "$.command: expected one of authenticate, balance, bet, win, cancel, status"),
        (body([make_callback("bet")]), "$: expected an object, got an array"),  # type: ignore[arg-type]
        (body(make_callback("bet")) * 2, "$: not JSON: Extra data at line 1 column 273"),
        (body(make_callback("bet")) + b"&", "$: not JSON: Extra data at line 1 column 273"),
        (body(make_callback("bet"))[:-1], "$: not JSON: Expecting ',' delimiter at line 1 column 272"),
        (body(make_callback("bet")).decode().encode("utf-16"), "$: not UTF-8 at byte 0"),
    ],
)
def test_a_body_that_is_no_object_is_refused(raw: bytes, problem: str) -> None:
    assert problem_of(raw) == problem


@pytest.mark.parametrize(
    "command", ["", "BET", "bet ", "deposit", "place_bet", "Command.BET", "\ud800", None, 1, True, ["bet"], {}, DROPPED]
)
def test_an_unknown_command_is_refused(command: object) -> None:
    expected = "$.command: expected one of authenticate, balance, bet, win, cancel, status"

    assert problem_of(body(make_callback("bet", command=command))) == expected


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (DROPPED, "$.data: expected an object, but it is missing"),
        (None, "$.data: expected an object, got null"),
        ("{}", "$.data: expected an object, got a string"),
        ([], "$.data: expected an object, got an array"),
        ({}, "$.data.account: expected a string, but it is missing"),
    ],
)
@pytest.mark.parametrize("command", COMMANDS)
def test_data_must_be_an_object(command: str, data: object, problem: str) -> None:
    assert problem_of(body(make_callback(command, data=data))) == problem


@pytest.mark.parametrize("prefix", [b"", b"\xef\xbb\xbf", b" \r\n"])
def test_what_stands_before_the_object_does_not_matter(prefix: bytes) -> None:
    assert decode_cents(prefix + body(make_callback("bet"))) == decode_cents(body(make_callback("bet")))


@pytest.mark.parametrize(
    ("twice", "path"),
    [
        ('"command":"bet","command":"win",', "$.command"),
        ('"check":"21","check":"22",', "$.check"),
        ('"unlisted":{"deep":[0,{"a":1,"a":1}]},', "$.unlisted.deep[1].a"),
    ],
)
def test_a_key_that_stands_twice_is_refused_wherever_it_stands(twice: str, path: str) -> None:
    raw = body(make_callback("bet", command=DROPPED, check=DROPPED)).decode().replace("{", "{" + twice, 1).encode()

    assert problem_of(raw) == f"{path}: the key stands twice"


def test_an_amount_that_stands_twice_is_refused() -> None:
    raw = body(make_callback("bet")).replace(b'"amount":1000', b'"amount":1000,"amount":1')

    assert problem_of(raw) == "$.data.amount: the key stands twice"


@pytest.mark.parametrize(
    "value",
    [
        None,
        "text",
        {"nested": {"account": "other", "amount": -1}},
        [1, [2, [3]]],
        json.loads("[" * 50 + "]" * 50),
        "half of a pair \ud800",
        {"\udfff": 1},
        2**64,
        10**4000,
        1e300,
    ],
)
@pytest.mark.parametrize("command", COMMANDS)
def test_unlisted_keys_are_passed_over(command: str, value: object) -> None:
    plain = make_callback(command)
    raw = body({**plain, "unlisted": value, "data": {**plain["data"], "unlisted": value}, "amount": value})

    assert decode_cents(raw) == decode_cents(body(plain))


@pytest.mark.parametrize("number", ["9" * 5000, "1e999999999", "1e99999999999999999999", "-1e-99999999999999999999"])
def test_an_unlisted_number_may_have_any_size(number: str) -> None:
    assert decode_cents(raw_body("bet", unlisted=number)) == decode_cents(body(make_callback("bet")))


@pytest.mark.parametrize("command", ["authenticate", "balance"])
def test_fields_of_other_commands_are_passed_over(command: str) -> None:
    raw = body(make_callback(command, amount=-1, trans_id=[], round_id={}))

    assert decode_cents(raw) == decode_cents(body(make_callback(command)))


# What decides about money.


@pytest.mark.parametrize(
    ("account", "problem"),
    [
        (DROPPED, "expected a string, but it is missing"),
        (None, "expected a string, got null"),
        (1234, "expected a string, got a number"),
        (True, "expected a string, got a boolean"),
        ("", "expected 1 to 128 characters"),
        ("a" * 129, "expected 1 to 128 characters"),
        ("\ud800", "holds half of a surrogate pair, which is no character"),
    ],
)
@pytest.mark.parametrize("command", COMMANDS)
def test_the_account_must_be_right(command: str, account: object, problem: str) -> None:
    assert problem_of(body(make_callback(command, account=account))) == f"$.data.account: {problem}"


@pytest.mark.parametrize(
    ("check", "problem"),
    [
        (DROPPED, 'expected a string such as "21,22", but it is missing'),
        (None, 'expected a string such as "21,22", got null'),
        (21, 'expected a string such as "21,22", got a number'),
        ("", 'expected the numbers of checks, separated by commas, such as "21,22,41,31"'),
        ("21,,22", 'expected the numbers of checks, separated by commas, such as "21,22,41,31"'),
    ],
)
@pytest.mark.parametrize("command", COMMANDS)
def test_the_checks_must_be_right(command: str, check: object, problem: str) -> None:
    assert problem_of(body(make_callback(command, check=check))) == f"$.check: {problem}"


@pytest.mark.parametrize(
    ("trans_id", "problem"),
    [
        (DROPPED, "expected an integer or a string, but it is missing"),
        (None, "expected an integer or a string, got null"),
        (True, "expected an integer or a string, got a boolean"),
        (1.5, "expected an integer or a string, got a number"),
        ("", "expected 1 to 64 characters"),
        (10**64, "expected at most 64 characters"),
        ("\ud800", "holds half of a surrogate pair, which is no character"),
    ],
)
@pytest.mark.parametrize("command", OF_TRANSACTION)
def test_the_trans_id_must_be_right(command: str, trans_id: object, problem: str) -> None:
    assert problem_of(body(make_callback(command, trans_id=trans_id))) == f"$.data.trans_id: {problem}"


@pytest.mark.parametrize("trans_id", [0, 2**64, "a" * 64, "trans \u00e9", "1"])
@pytest.mark.parametrize("command", OF_TRANSACTION)
def test_a_trans_id_keeps_its_type(command: str, trans_id: int | str) -> None:
    callback = decode_cents(body(make_callback(command, trans_id=trans_id)))

    assert isinstance(callback, Bet | Win | Cancel | Status)
    assert (type(callback.trans_id), callback.trans_id) == (type(trans_id), trans_id)


@pytest.mark.parametrize(
    ("amount", "minor"),
    [
        ("0", 0),
        ("-0", 0),
        ("-0.0", 0),
        ("1000", 100_000),
        ("0.01", 1),
        ("1.500", 150),
        ("1e3", 100_000),
        ("0e999999", 0),
        ('"10.50"', 1050),
        ('"-0"', 0),
        ("92233720368547758.07", 2**63 - 1),
    ],
)
@pytest.mark.parametrize("command", MOVEMENTS)
def test_an_amount_is_read_exactly(command: str, amount: str, minor: int) -> None:
    callback = decode_cents(raw_body(command, amount=amount))

    assert isinstance(callback, Bet | Win)
    assert callback.amount == minor


@pytest.mark.parametrize(
    ("amount", "problem"),
    [
        ("null", "expected a number, got null"),
        ("true", "expected a number, got a boolean"),
        ("[]", "expected a number, got an array"),
        ("{}", "expected a number, got an object"),
        ("-1", "must not be negative"),
        ("-0.001", "must not be negative"),
        ("0.001", "has more than the currency's 2 decimals"),
        ("1e-999999999", "has more than the currency's 2 decimals"),
        ("92233720368547758.08", "is too large: its minor units exceed 64 bits"),
        ("9223372036854775808", "is too large: its minor units exceed 64 bits"),
        ("1e999999999", "is too large: its minor units exceed 64 bits"),
        ("9" * 5000, "is too large: its minor units exceed 64 bits"),
        ("1e99999999999999999999", "expected a finite number"),
        ('"1e3"', "expected a number, or a string that holds a plain decimal number"),
        ('""', "expected a number, or a string that holds a plain decimal number"),
    ],
)
@pytest.mark.parametrize("command", MOVEMENTS)
def test_the_amount_must_be_right(command: str, amount: str, problem: str) -> None:
    assert problem_of(raw_body(command, amount=amount)) == f"$.data.amount: {problem}"


@pytest.mark.parametrize("command", MOVEMENTS)
def test_the_amount_must_be_there(command: str) -> None:
    raw = body(make_callback(command, amount=DROPPED))

    assert problem_of(raw) == "$.data.amount: expected a number, but it is missing"


@pytest.mark.parametrize("name", ["NaN", "Infinity", "-Infinity"])
def test_an_amount_that_is_not_json_is_refused(name: str) -> None:
    assert problem_of(raw_body("bet", amount=name)) == f"$: holds {name}, which is not JSON"


# What only describes.


@pytest.mark.parametrize("value", [DROPPED, None])
@pytest.mark.parametrize("command", OF_GAME)
def test_descriptive_fields_may_be_unset(command: str, value: object) -> None:
    names = TEXTS + (INTEGERS_OF_MOVEMENTS if command in MOVEMENTS else ["provider_id"])
    callback = decode_cents(body(make_callback(command, **dict.fromkeys(names, value))))

    found = asdict(callback)
    assert [found[name] for name in names] == ["" if name in TEXTS else 0 for name in names]


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("command", OF_GAME)
def test_a_descriptive_text_may_be_an_integer(command: str, name: str) -> None:
    assert asdict(decode_cents(body(make_callback(command, **{name: 818395446}))))[name] == "818395446"


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("command", OF_GAME)
def test_a_descriptive_text_must_be_text(command: str, name: str) -> None:
    for value, problem in [
        (True, "expected a string, got a boolean"),
        ("\ud800", "holds half of a surrogate pair, which is no character"),
    ]:
        assert problem_of(body(make_callback(command, **{name: value}))) == f"$.data.{name}: {problem}"


@pytest.mark.parametrize("name", INTEGERS_OF_MOVEMENTS)
@pytest.mark.parametrize("command", MOVEMENTS)
def test_a_descriptive_integer_is_converted_where_nothing_is_lost(command: str, name: str) -> None:
    for text, number in [('"7"', 7), ("7.0", 7), ("7e0", 7), ("-7", -7), ("9223372036854775807", 2**63 - 1)]:
        assert asdict(decode_cents(raw_body(command, **{name: text})))[name] == number


@pytest.mark.parametrize("name", INTEGERS_OF_MOVEMENTS)
@pytest.mark.parametrize("command", MOVEMENTS)
def test_a_descriptive_integer_must_be_one(command: str, name: str) -> None:
    for text, problem in [
        ("true", "expected an integer, got a boolean"),
        ("7.5", "expected an integer, got a number"),
        ('"seven"', "expected an integer, got a string"),
        ("9223372036854775808", "expected an integer of at most 64 bits"),
    ]:
        assert problem_of(raw_body(command, **{name: text})) == f"$.data.{name}: {problem}"


@pytest.mark.parametrize(
    ("timestamp", "requested_at"),
    [("1676116606", 1676116606), (1676116606, 1676116606), (DROPPED, None), (None, None), ("soon", None), ([], None)],
)
@pytest.mark.parametrize("command", COMMANDS)
def test_a_timestamp_is_read_or_unset(command: str, timestamp: object, requested_at: int | None) -> None:
    assert decode_cents(body(make_callback(command, timestamp=timestamp))).requested_at == requested_at


# Whatever may come.

VALUE = "tell-tale"
"""Stands for a value that must not show up in an error: it goes to the log and to the live view."""


@pytest.mark.parametrize("value", [{"a": VALUE}, [VALUE], VALUE * 22, f"{VALUE} \ud800"])
@pytest.mark.parametrize(
    ("command", "name"),
    [(command, name) for command in COMMANDS for name in [*make_callback(command), *make_callback(command)["data"]]],
)
def test_an_error_never_shows_a_value(command: str, name: str, value: object) -> None:
    try:
        decode_cents(body(make_callback(command, **{name: value})))
    except BadCallback as error:
        text = str(error)
    else:
        # A field that takes any text or, like the timestamp, anything at all.
        assert name in {*TEXTS, "timestamp"}
        return
    assert VALUE not in text


json_scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
json_values = json_scalars | st.lists(json_scalars) | st.dictionaries(st.text(), json_scalars)
commands = st.sampled_from(COMMANDS)


@settings(deadline=None, max_examples=300)
@given(raw=st.binary())
def test_any_bytes_are_a_callback_or_a_bad_one(raw: bytes) -> None:
    with suppress(BadCallback):
        decode_cents(raw)


@settings(deadline=None, max_examples=300)
@given(command=commands, value=json_values | st.just(DROPPED), data=st.data())
def test_a_callback_with_any_field_changed_is_a_callback_or_a_bad_one(
    command: str, value: object, data: st.DataObject
) -> None:
    plain = make_callback(command)
    name = data.draw(st.sampled_from([*plain, *plain["data"]]))
    changed = make_callback(command, **{name: value})

    with suppress(BadCallback):
        callback = decode_cents(body(changed))
        # What decides about money is as it was sent.
        assert callback.command == changed["command"]
        assert callback.account == changed["data"]["account"]


@settings(deadline=None, max_examples=300)
@given(command=commands, garbage=st.binary(max_size=8), data=st.data())
def test_a_callback_with_bytes_changed_is_a_callback_or_a_bad_one(
    command: str, garbage: bytes, data: st.DataObject
) -> None:
    raw = body(make_callback(command))
    start, end = sorted(data.draw(st.tuples(*[st.integers(0, len(raw))] * 2)))

    with suppress(BadCallback):
        decode_cents(raw[:start] + garbage + raw[end:])
    # A piece that stands twice.
    with suppress(BadCallback):
        decode_cents(raw[:end] + raw[start:])


def _shuffled(value: dict[str, Any], order: random.Random, extra: dict[str, Any]) -> dict[str, Any]:
    items = [*value.items(), *extra.items()]
    order.shuffle(items)
    return dict(items)


@settings(deadline=None, max_examples=200)
@given(
    command=commands,
    order=st.randoms(use_true_random=False),
    extra=st.dictionaries(st.text().map("x-{}".format), json_values),
)
def test_the_order_of_keys_and_unknown_keys_do_not_matter(
    command: str, order: random.Random, extra: dict[str, Any]
) -> None:
    plain = make_callback(command)
    mixed = {**plain, "data": _shuffled(plain["data"], order, extra)}

    raw = json.dumps(_shuffled(mixed, order, extra)).encode()

    assert decode_cents(raw) == decode_cents(body(plain))

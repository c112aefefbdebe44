"""Rules: what a reply comes to, and that nothing comes to a success or a refusal by being left out."""

from typing import Any

import grpc
import pytest
from tests.support.mappings import old, place_of, sink

from walletbridge.protocol.outcomes import Result, TransactionState
from walletbridge.wallet.mapping.reply.readers import MADE_UP
from walletbridge.wallet.mapping.reply.tables import NEXT, RESULTS, STATES, UNKNOWN, Mark, Rule, Rules, compile_rules
from walletbridge.wallet.proto.schema import message_class
from walletbridge.wallet.reply import Reply

KINDS = "values: {KIND_UNSPECIFIED: unknown, KIND_BET: 0, KIND_WIN: next}"


def rules(text: str, message: Any = None) -> Rules:
    place = place_of(text)
    found = compile_rules(place, message or sink(), RESULTS, of_failures=True)
    assert place.notes.mistakes == []
    return found


def mistakes(text: str, words: Any = RESULTS, *, of_failures: bool = True) -> list[str]:
    place = place_of(text)
    with place.notes.noting():
        compile_rules(place, sink(), words, of_failures=of_failures)
    return [mistake.problem for mistake in place.notes.mistakes]


def ok(**fields: Any) -> Reply:
    return Reply(message_class(sink())(**fields))


@pytest.mark.parametrize(
    ("fields", "verdict"),
    [
        ({"flag": True}, Result.OK),
        ({"flag": True, "text": "NO_FUNDS"}, Result.OK),
        ({"text": "NO_FUNDS"}, Result.BALANCE_INSUFFICIENT),
        ({"text": "TWICE"}, Result.ALREADY_PROCESSED),
        ({"text": "MAINTENANCE"}, UNKNOWN),
        ({"text": "new"}, UNKNOWN),
        ({"text": "no_funds"}, UNKNOWN),
        ({}, UNKNOWN),
    ],
)
def test_the_first_rule_that_says_something_counts(fields: dict[str, Any], verdict: object) -> None:
    found = rules(
        "- {field: flag, values: {true: 0, false: next}}\n"
        "- {field: text, values: {NO_FUNDS: 31, TWICE: 41, MAINTENANCE: unknown}}\n"
    )

    assert found.of_ok(ok(**fields)) is verdict
    assert found.named() == {Result.OK, NEXT, Result.BALANCE_INSUFFICIENT, Result.ALREADY_PROCESSED, UNKNOWN}


def test_what_a_table_does_not_name_is_unknown_at_once() -> None:
    """A later rule may know less."""
    found = rules(
        "- {field: text, values: {NO: 99, LATER: next}}\n- {field: flag, values: {true: 0, false: unknown}}\n"
    )

    assert found.of_ok(ok(text="later", flag=True)) is UNKNOWN
    asked_for = rules(
        '- {field: text, values: {NO: 99, "*": next}}\n- {field: flag, values: {true: 0, false: unknown}}'
    )
    assert asked_for.of_ok(ok(text="later", flag=True)) is Result.OK


@pytest.mark.parametrize("number", [0, 2, 3, -1, 2**31 - 1])
def test_an_enum_s_value_that_is_not_named_is_unknown(number: int) -> None:
    assert rules(f"{{field: kind, {KINDS}}}").of_ok(ok(kind=number)) is UNKNOWN


def test_a_closed_enum_s_later_value_is_unknown_whatever_comes_next() -> None:
    found = rules(
        '- {field: code, values: {OK: 0, NO_FUNDS: 31, "*": next}}\n- {field: success, values: {true: 0, false: 99}}\n',
        old("Reply"),
    )
    reply = message_class(old("Reply"))

    assert found.of_ok(Reply(reply.FromString(b"\x08\x63\x10\x01"))) is UNKNOWN
    assert found.of_ok(Reply(reply(code=1))) is Result.BALANCE_INSUFFICIENT


@pytest.mark.parametrize("status", [status.name for status in grpc.StatusCode if status is not grpc.StatusCode.OK])
def test_a_status_that_is_not_named_is_unknown(status: str) -> None:
    found = rules("- {field: flag, values: {true: 0, false: 99}}\n- {grpc: status, values: {NOT_FOUND: 21}}\n")

    assert found.of_failure(Reply(None, status)) is (Result.PLAYER_NOT_FOUND if status == "NOT_FOUND" else UNKNOWN)
    assert rules("{field: flag, values: {true: 0, false: 99}}").of_failure(Reply(None, status)) is UNKNOWN


@pytest.mark.parametrize("status", sorted(MADE_UP))
@pytest.mark.parametrize("result", [0, 21, 31, 41, 99])
def test_a_status_that_grpc_makes_up_says_nothing_definite(status: str, result: int) -> None:
    [mistake] = mistakes(
        f"- {{field: flag, values: {{true: 0, false: 99}}}}\n- {{grpc: status, values: {{{status}: {result}}}}}\n"
    )

    assert mistake.startswith(f"gRPC itself makes up {status}")


def test_trailers_count_with_both() -> None:
    found = rules("- {trailer: x-code, values: {'0': 0, '31': 31}}\n")
    message = message_class(sink())()

    assert found.reads_trailers_of_ok
    assert found.of_ok(Reply(message, trailers={"x-code": "0"})) is Result.OK
    assert found.of_ok(Reply(message)) is UNKNOWN
    assert found.of_failure(Reply(None, "ABORTED", {"x-code": "31"})) is Result.BALANCE_INSUFFICIENT


def test_a_state_is_read_alike() -> None:
    place = place_of("{field: kind, values: {KIND_UNSPECIFIED: unknown, KIND_BET: OK, KIND_WIN: CANCELED}}")
    found = compile_rules(place, sink(), STATES, of_failures=False)

    assert [found.of_ok(ok(kind=number)) for number in (0, 1, 2, 3)] == [
        UNKNOWN,
        TransactionState.OK,
        TransactionState.CANCELED,
        UNKNOWN,
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{field: kind, values: {KIND_BET: 0}}", "says nothing of KIND_UNSPECIFIED, KIND_WIN; expected one of 0, 21"),
        ("{field: flag, values: {true: 0}}", "says nothing of false"),
        ("{present: inner, values: {true: 0}}", "says nothing of false"),
        ("{oneof: result, values: {done: 0, none: unknown}}", "says nothing of refused"),
        ("{field: text, values: {A: 0, '*': 99}}", '"*" may say next alone'),
        ("{field: text, values: {A: 0, '*': 0}}", '"*" may say next alone'),
        ("{field: text, values: {A: 0, '*': unknown}}", '"*" may say next alone'),
        ("{field: text, values: {A: 100}}", "100"),
        ("{field: text, values: {A: OK}}", "OK is not known"),
        ("{field: text, values: {A: nxt}}", "nxt is not known; did you mean next?"),
        ("{field: text, values: {}}", "expected at least one value"),
        ("{field: text, vales: {A: 0}}", "lacks values"),
        ("{values: {A: 0}}", "expected one of field, present, oneof, grpc, trailer, got none"),
        ("{field: text, oneof: result, values: {A: 0}}", "got field and oneof"),
        ("{field: text, domain: x, values: {A: 0}}", "goes with `grpc: reason` alone"),
        ("{grpc: status, values: {NOT_FOUND: 21}}", "no rule reads a reply with the status OK"),
        ("[{field: flag, values: {true: 0, false: 99}}, {field: text, values: {A: 41}}]", "is never reached"),
        (
            "[{field: text, values: {A: 0}}, {grpc: status, values: {ABORTED: 99}}, {grpc: reason, values: {A: 31}}]",
            "is never reached: a rule before it leaves nothing over; does that lack a next?",
        ),
        ("[]", "no rule reads a reply with the status OK"),
    ],
)
def test_a_table_with_a_hole_is_refused(text: str, problem: str) -> None:
    assert any(problem in mistake for mistake in mistakes(text))


@pytest.mark.parametrize("text", ["{grpc: status, values: {NOT_FOUND: OK}}", "{trailer: x, values: {a: OK}}"])
def test_a_state_comes_from_a_reply_alone(text: str) -> None:
    assert mistakes(text, STATES, of_failures=False) == [
        "a state is read from a reply; expected one of field, present, oneof"
    ]


def test_a_result_is_no_state() -> None:
    assert mistakes("{field: text, values: {A: 0}}", STATES) != []
    assert set(Mark) == {UNKNOWN, NEXT}


def test_rules_can_be_looked_at() -> None:
    [rule] = rules(f"{{field: kind, {KINDS}}}").rules

    assert isinstance(rule, Rule)
    assert (rule.source, rule.keys[1], rule.values[1]) == ("field", "KIND_BET", Result.OK)
